import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectedArgvs, runsAction } from '../../../core/reclaim/program.ts';
import type { ActionSpec } from '../../../core/spec/mod.ts';
import { anAction } from './builders.ts';
import { FakeHost } from './fake_host.ts';

const NODE = realpathSync(process.execPath);
const SHELL = realpathSync('/bin/sh');
const SEARCH = `/nowhere:${dirname(NODE)}:/bin`;

function runs(run: ActionSpec['run'], argv: readonly string[], exe: string, cwd = '/'): boolean {
  return runsAction(700, anAction({ run, cwd }), SEARCH, new FakeHost({ pid: 700, argv, exe }));
}

describe('runsAction', () => {
  it('wants the executable and the whole argument vector', () => {
    expect(runs(['node', 'server.js'], ['node', 'server.js'], NODE)).toBe(true);
    expect(runs(['node', 'server.js'], [NODE, 'server.js'], NODE)).toBe(true);
    expect(runs([NODE, 'server.js'], ['node', 'server.js'], NODE)).toBe(true);
    expect(runs(['./node', 'server.js'], ['node', 'server.js'], NODE, dirname(NODE))).toBe(true);
    expect(runs(['./node', 'server.js'], ['node', 'server.js'], NODE, '/')).toBe(false);
    expect(runs(['node', 'server.js'], ['node', 'server.js'], '/opt/other/node')).toBe(false);
    expect(runs(['node', 'server.js'], ['node', 'server.js', '--port', '1'], NODE)).toBe(false);
    expect(runs(['node', 'server.js'], ['node', 'other.js'], NODE)).toBe(false);
    expect(runs(['no-such-program', 'x'], ['no-such-program', 'x'], NODE)).toBe(false);
  });

  it('takes a lone word for no proof', () => {
    expect(runs(['node'], ['node'], NODE)).toBe(false);
    expect(runs('sh', ['sh'], SHELL)).toBe(false);
  });

  it('knows a command by its shell, or by itself where the shell made way for it', () => {
    expect(runs('node server.js', ['/bin/sh', '-c', 'node server.js'], SHELL)).toBe(true);
    expect(runs('node server.js', ['node', 'server.js'], NODE)).toBe(true);
    expect(runs('exec node server.js', ['node', 'server.js'], NODE)).toBe(true);
    expect(runs('node server.js && echo', ['node', 'server.js'], NODE)).toBe(false);
  });

  it('says no where the process cannot be read', () => {
    expect(runsAction(700, anAction(), SEARCH, new FakeHost())).toBe(false);
    expect(runsAction(700, anAction(), SEARCH, new FakeHost({ pid: 700, argv: ['node', 'server.js'] }))).toBe(
      false,
    );
  });
});

describe('expectedArgvs', () => {
  it.each([
    'a $B',
    'a "b"',
    "a 'b'",
    'a > b',
    'a; b',
    'A=1 b',
    'a *',
    'a ~',
    'a | b',
    'a\nb',
    '(a)',
    'a \\b',
    'a #b',
  ])('%j is the shell’s to read', (run) => expect(expectedArgvs(run)).toEqual([['/bin/sh', '-c', run]]));

  it('splits plain words', () => {
    expect(expectedArgvs(' nginx  -g daemon=off ')).toEqual([
      ['/bin/sh', '-c', ' nginx  -g daemon=off '],
      ['nginx', '-g', 'daemon=off'],
    ]);
  });
});
