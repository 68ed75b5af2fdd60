import { describe, expect, it } from 'vitest';
import type { NetTarget } from '../../../core/host/host.ts';
import {
  coversNet,
  coversRead,
  coversRun,
  EVERYTHING,
  missingGrants,
  NOTHING,
  netText,
  PermissionDenied,
  type Permissions,
} from '../../../core/plugin/permissions.ts';

const at = (host: string, port: number): NetTarget => ({ host, port });
const unix = (path: string): NetTarget => ({ path });

describe('coversRun', () => {
  it.each<[string[], string, boolean]>([
    [[], 'ss', false],
    [['*'], 'ss', true],
    [['*'], '/bin/sh', true],
    [['ss'], 'ss', true],
    [['lsof', 'ss'], 'ss', true],
    [['ss'], '/usr/bin/ss', false],
    [['/usr/bin/ss'], 'ss', false],
    [['/usr/bin/ss'], '/usr/bin/ss', true],
    [['/usr/bin'], '/usr/bin/ss', false],
    [['/usr/bin/*'], '/usr/bin/ss', false],
    [['ss'], './ss', false],
    [['ss'], 'SS', false],
    [['ss'], 'sss', false],
    [[''], 'ss', false],
  ])('%j, %s: %s', (list, program, covered) => {
    expect(coversRun(list, program)).toBe(covered);
  });
});

describe('coversRead', () => {
  it.each<[string[], string, boolean]>([
    [[], '/a', false],
    [['*'], '/a', true],
    [['/'], '/a/b', true],
    [['/'], '/', true],
    [['//'], '/a', true],
    [['/a'], '/a', true],
    [['/a'], '/a/b', true],
    [['/a'], '/a/b/c', true],
    [['/a/'], '/a', true],
    [['/a//'], '/a/b', true],
    [['/a'], '/ab', false],
    [['/a'], '/', false],
    [['/a/b'], '/a', false],
    [['/a/b'], '/a/c', false],
    [['/b', '/a'], '/a/x', true],
    [['/a/*'], '/a/b', false],
    [['/A'], '/a', false],
    // None of these is an absolute path, so none is that of a file.
    [[''], '/a', false],
    [['a'], '/a', false],
    [['.'], '/a', false],
    [['**'], '/a', false],
  ])('%j, %s: %s', (list, path, covered) => {
    expect(coversRead(list, path)).toBe(covered);
  });
});

describe('coversNet', () => {
  it.each<[string[], NetTarget, boolean]>([
    [[], at('a', 1), false],
    [['*'], at('a', 1), true],
    [['*'], unix('/a'), true],
    [['a'], at('a', 1), true],
    [['a'], at('A', 1), true],
    [['A'], at('a', 1), true],
    [['a:1'], at('a', 1), true],
    [['a:1'], at('a', 2), false],
    [['a:1'], at('b', 1), false],
    [['a:1', 'a:2'], at('a', 2), true],
    [['a'], at('a.b', 1), false],
    [['a.b'], at('b', 1), false],
    [['127.0.0.1:80'], at('127.0.0.1', 80), true],
    [['127.0.0.1'], at('localhost', 80), false],
    [['localhost'], at('127.0.0.1', 80), false],
    [['[::1]:80'], at('::1', 80), true],
    [['[::1]:80'], at('::1', 81), false],
    [['[::1]'], at('::1', 81), true],
    [['::1'], at('::1', 81), true],
    [['[FE80::1]'], at('fe80::1', 1), true],
    // Several colons are of an address, never of a port.
    [['::1:80'], at('::1', 80), false],
    [['::1:80'], at('::1:80', 5), true],
    // A host is not named by what is a host and a port.
    [['127.0.0.1:80'], at('127.0.0.1:80', 99), false],
    [['[::1]:80'], at('[::1]:80', 99), false],
    [['a:'], at('a', 1), false],
    [[':1'], at('', 1), false],
    [[''], at('', 1), false],
    [['a:b'], at('a', 1), false],
    [['*:80'], at('a', 80), false],
    [['unix:/a'], unix('/a'), true],
    [['unix:/a'], unix('/a/b'), false],
    [['unix:/a'], unix('/A'), false],
    [['unix:/a/../b'], unix('/b'), false],
    [['/a'], unix('/a'), false],
    [['unix'], unix('/a'), false],
    [['unix:/a'], at('unix', 1), false],
    [['unix:1'], unix('1'), true],
  ])('%j, %j: %s', (list, target, covered) => {
    expect(coversNet(list, target)).toBe(covered);
  });

  it.each([at('a', 1), at('127.0.0.1', 80), at('::1', 443), unix('/run/a b.sock')])(
    'covers what %j is written as',
    (target) => {
      expect(coversNet([netText(target)], target)).toBe(true);
    },
  );
});

describe('netText', () => {
  it.each<[NetTarget, string]>([
    [at('a', 1), 'a:1'],
    [at('::1', 80), '[::1]:80'],
    [unix('/a'), 'unix:/a'],
  ])('%j is %s', (target, text) => {
    expect(netText(target)).toBe(text);
  });
});

describe('missingGrants', () => {
  const asking = (asked: Partial<Permissions>, granted: Partial<Permissions>): string[] =>
    missingGrants({ ...NOTHING, ...asked }, { ...NOTHING, ...granted });

  it.each<[Partial<Permissions>, Partial<Permissions>, string[]]>([
    [{}, {}, []],
    [EVERYTHING, EVERYTHING, []],
    [NOTHING, EVERYTHING, []],
    [EVERYTHING, NOTHING, ['run: *', 'read: *', 'net: *']],
    [EVERYTHING, { run: ['ss'] }, ['read: *', 'net: *']],
    [{ run: ['ss', 'lsof'] }, { run: ['ss'] }, ['run: lsof']],
    [{ run: ['ss'] }, { run: ['*'] }, []],
    [{ read: ['/a/b'] }, { read: ['/a'] }, []],
    [{ read: ['/a'] }, { read: ['/a/b'] }, ['read: /a']],
    [{ read: ['/a'] }, { read: ['*'] }, []],
    [{ net: ['a:1'] }, { net: ['a:1'] }, []],
    [{ net: ['a:1'] }, { net: ['a'] }, []],
    [{ net: ['a:1'] }, { net: ['b'] }, ['net: a:1']],
    [{ net: ['a'] }, { net: ['a:1'] }, ['net: a']],
    [{ net: ['[::1]:1'] }, { net: ['::1'] }, []],
    [{ net: ['unix:/a'] }, { net: ['unix:/a'] }, []],
    [{ net: ['unix:/a'] }, { net: ['unix:/b'] }, ['net: unix:/a']],
    [{ net: ['a'] }, { run: ['a'], read: ['a'] }, ['net: a']],
  ])('%j, granted %j: %j', (asked, granted, missing) => {
    expect(asking(asked, granted)).toEqual(missing);
  });
});

describe('PermissionDenied', () => {
  it('says what was reached for', () => {
    const error = new PermissionDenied('read', '/etc/shadow');
    expect(error).toMatchObject({
      name: 'PermissionDenied',
      code: 'ERR_ACCESS_DENIED',
      kind: 'read',
      wanted: '/etc/shadow',
      message: 'needs the permission read: /etc/shadow',
    });
  });
});
