import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CliError } from '../../../adapters/cli/exit.ts';
import { serviceFile, socketOf, stateDir } from '../../../adapters/cli/place.ts';
import { NoDaemon } from '../../../adapters/client/errors.ts';

let dir: string;

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-place-')));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  [{}, {}, '/home/x/.upkeep'],
  [{ file: 'sub/up.yaml' }, {}, '/home/x/sub/.upkeep'],
  [{ file: '/etc/up.yaml' }, {}, '/etc/.upkeep'],
  [{}, { UPKEEP_STATE: 'there' }, '/home/x/there'],
  [{ file: '/etc/up.yaml' }, { UPKEEP_STATE: '/var/s' }, '/var/s'],
  [{ state: 'here' }, { UPKEEP_STATE: '/var/s' }, '/home/x/here'],
  [{}, { UPKEEP_STATE: '' }, '/home/x/.upkeep'],
])('options %j and environment %j mean the state folder %s', (options, env, expected) => {
  expect(stateDir(options, { cwd: '/home/x', env })).toBe(expected);
});

test('the service file is the first of its names that is there', () => {
  const surroundings = { cwd: dir, env: {} };
  expect(() => serviceFile({}, surroundings)).toThrow(CliError);
  writeFileSync(join(dir, 'upkeep.json'), '');
  expect(serviceFile({}, surroundings)).toBe(join(dir, 'upkeep.json'));
  writeFileSync(join(dir, 'upkeep.yaml'), '');
  expect(serviceFile({}, surroundings)).toBe(join(dir, 'upkeep.yaml'));
});

test('a service file that is named and not there is a mistake', () => {
  writeFileSync(join(dir, 'upkeep.yaml'), '');
  expect(() => serviceFile({ file: 'other.yaml' }, { cwd: dir, env: {} })).toThrow(
    'there is no file other.yaml',
  );
});

test('a link to the state folder leads to the same socket', () => {
  mkdirSync(join(dir, 'state'));
  symlinkSync(join(dir, 'state'), join(dir, 'link'));
  expect(socketOf(join(dir, 'link'), {})).toBe(join(dir, 'state', 'upkeep.sock'));
});

test('a long state folder has its socket in the runtime folder, the same for everybody', () => {
  const long = join(dir, 'x'.repeat(100));
  mkdirSync(long);
  symlinkSync(long, join(dir, 'link'));
  const path = socketOf(long, { XDG_RUNTIME_DIR: dir });
  expect(path).toMatch(new RegExp(`^${dir}/upkeep-[0-9a-f]{12}\\.sock$`));
  expect(socketOf(join(dir, 'link'), { XDG_RUNTIME_DIR: dir })).toBe(path);
});

test('where there is no state folder nothing runs', () => {
  expect(() => socketOf(join(dir, 'nothing'), {})).toThrow(NoDaemon);
});
