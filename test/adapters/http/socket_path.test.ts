import { expect, test } from 'vitest';
import { SOCKET_PATH_LIMIT, SocketPathTooLong, socketPath } from '../../../adapters/http/socket_path.ts';

const folder = (length: number) => `/${'x'.repeat(length - '/upkeep.sock'.length - 1)}`;

test('the socket is in the state folder', () => {
  expect(socketPath('/srv/shop/.upkeep', 'abc', { XDG_RUNTIME_DIR: '/run/user/1' })).toBe(
    '/srv/shop/.upkeep/upkeep.sock',
  );
});

test('up to the last byte that the kernel takes', () => {
  const path = socketPath(folder(SOCKET_PATH_LIMIT), 'abc', {});
  expect(Buffer.byteLength(path)).toBe(SOCKET_PATH_LIMIT);
});

test('one byte more, and it is in the runtime folder, told apart by the instance', () => {
  const long = folder(SOCKET_PATH_LIMIT + 1);
  expect(socketPath(long, 'abc', { XDG_RUNTIME_DIR: '/run/user/1' })).toBe('/run/user/1/upkeep-abc.sock');
});

test('bytes count, not characters', () => {
  const path = `/${'é'.repeat(60)}`;
  expect(() => socketPath(path, 'abc', {})).toThrow(SocketPathTooLong);
});

test.each([
  ['there is no runtime folder', {}],
  ['it is empty', { XDG_RUNTIME_DIR: '' }],
  ['it is relative', { XDG_RUNTIME_DIR: 'run' }],
  ['it is too long as well', { XDG_RUNTIME_DIR: folder(120) }],
])('refused where %s', (_, env) => {
  expect(() => socketPath(folder(SOCKET_PATH_LIMIT + 1), 'abc', env)).toThrow(/XDG_RUNTIME_DIR/);
});
