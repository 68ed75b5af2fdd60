import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { Reason } from '../../../core/job/reason.ts';
import {
  argvOf,
  cleanEnv,
  findProgram,
  type LaunchContext,
  LaunchError,
  programOf,
  shellExit,
  spawnFailure,
} from '../../../core/process/launch.ts';
import type { ActionSpec } from '../../../core/spec/mod.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/no_more_processes.mjs', import.meta.url));
const IS_ROOT = process.getuid?.() === 0;
const HAS_PRLIMIT = spawnSync('prlimit', ['--version']).status === 0;
const NOBODY = 65534;
const NOBODY_READS_IT =
  IS_ROOT && spawnSync('test', ['-r', FIXTURE], { uid: NOBODY, gid: NOBODY }).status === 0;

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-launch-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
});

/** As much of an action as launching looks at. */
function anAction(more: Partial<ActionSpec> = {}): ActionSpec {
  return {
    name: 'web',
    process: true,
    run: ['true'],
    cwd: dir,
    env: {},
    env_file: [],
    ...more,
  } as ActionSpec;
}

function context(more: Partial<LaunchContext> = {}): LaunchContext {
  return {
    mark: { instance: 'c0ffee', job_id: 'j', incarnation: 3 },
    spawned_at: 4711,
    service: 'shop',
    run_id: 'r',
    base_env: { PATH: process.env['PATH'] ?? '', HOME: '/base' },
    status_file: join(dir, 'status'),
    ...more,
  };
}

const request = (action: ActionSpec, more?: Partial<LaunchContext>): ReturnType<typeof programOf> =>
  programOf(action, context(more), fs);

function refused(action: ActionSpec): Reason {
  try {
    request(action);
  } catch (error) {
    if (error instanceof LaunchError) return spawnFailure(error, action, process.env['PATH'], fs);
    throw error;
  }
  throw new Error('it was not refused');
}

/** What comes of really starting it. */
async function started(action: ActionSpec): Promise<Reason | null> {
  const out = fs.openSync('/dev/null', 'w');
  try {
    const child = await nodeHost().spawner.spawn({ ...request(action), output_fd: out });
    await new Promise((resolve) => child.onExit(resolve));
    return null;
  } catch (error) {
    return spawnFailure(error, action, process.env['PATH'], fs);
  } finally {
    fs.closeSync(out);
  }
}

describe('programOf', () => {
  it('runs a list as it is, and a text by the shell', () => {
    expect(request(anAction({ run: ['node', 'a b', '$HOME'] }))).toMatchObject({
      file: 'node',
      argv: ['a b', '$HOME'],
      cwd: dir,
    });
    expect(argvOf(anAction({ run: 'exec node "$FILE"' }))).toEqual(['/bin/sh', '-c', 'exec node "$FILE"']);
  });

  it('has the base environment, then the files in their order, then env, then the marker', () => {
    fs.writeFileSync(join(dir, 'one'), 'A=one\nB=one\nC=one\n');
    fs.writeFileSync(join(dir, 'two'), 'B=two\nC=two\nHOME=/two\n');
    const { env } = request(
      anAction({ env_file: [join(dir, 'one'), join(dir, 'two')], env: { C: 'env', UPKEEP_JOB: 'mine' } }),
    );
    expect(env).toEqual({
      PATH: process.env['PATH'],
      HOME: '/two',
      A: 'one',
      B: 'two',
      C: 'env',
      UPKEEP_JOB: 'c0ffee/j/3',
      UPKEEP_SERVICE: 'shop',
      UPKEEP_ACTION: 'web',
      UPKEEP_RUN: 'r',
      UPKEEP_SPAWNED: '4711',
    });
  });

  it('reads the files anew each time', () => {
    const path = join(dir, 'env');
    fs.writeFileSync(path, 'A=1');
    const action = anAction({ env_file: [path] });
    expect(request(action).env['A']).toBe('1');
    fs.writeFileSync(path, 'A=2');
    expect(request(action).env['A']).toBe('2');
  });

  it('refuses a file of variables that is missing, or holds a NUL', () => {
    const path = join(dir, 'env');
    const action = anAction({ env_file: [path] });
    expect(refused(action)).toMatchObject({ code: 'SPAWN_FAILED', evidence: { env_file: path } });
    fs.writeFileSync(path, 'A=secret\0value');
    const why = refused(action);
    expect(why).toMatchObject({
      code: 'SPAWN_FAILED',
      message: `env_file: ${path}: must not hold NUL bytes`,
    });
    expect(JSON.stringify(why)).not.toContain('secret');
  });

  it('runs a oneshot below the shell that writes down its status, once its program is found', () => {
    const { file, argv } = request(anAction({ process: false, run: ['true', 'x'] }));
    expect(file).toBe('/bin/sh');
    expect(argv.slice(-3)).toEqual([join(dir, 'status'), 'true', 'x']);
    const missing = refused(anAction({ process: false, run: ['no-such-program'] }));
    expect(missing).toMatchObject({ code: 'COMMAND_NOT_FOUND', evidence: { program: 'no-such-program' } });
  });
});

describe('cleanEnv', () => {
  it('keeps everything but what an upkeep above this one has set', () => {
    const env = {
      PATH: '/bin',
      UPKEEP_JOB: 'a/b/0',
      UPKEEP_STATE: '/x',
      MY_UPKEEP_: 'kept',
      NONE: undefined,
    };
    expect(cleanEnv(env)).toEqual({ PATH: '/bin', MY_UPKEEP_: 'kept' });
  });
});

describe('findProgram', () => {
  it('looks along PATH, and where there is a slash only there', () => {
    fs.mkdirSync(join(dir, 'bin'));
    fs.writeFileSync(join(dir, 'bin', 'tool'), '');
    expect(findProgram('tool', '/nowhere:bin', dir, fs)).toBe(true);
    expect(findProgram('tool', '/nowhere', dir, fs)).toBe(false);
    expect(findProgram('bin/tool', '/nowhere', dir, fs)).toBe(true);
    expect(findProgram('./tool', 'bin', dir, fs)).toBe(false);
    // An empty part of PATH is the working directory.
    expect(findProgram('tool', '/nowhere:', join(dir, 'bin'), fs)).toBe(true);
    expect(findProgram('sh', undefined, dir, fs)).toBe(true);
  });
});

describe('spawnFailure, of what this machine refuses', () => {
  function script(name: string, text: string, mode = 0o755): string {
    const path = join(dir, name);
    fs.writeFileSync(path, text, { mode });
    return path;
  }

  it.each<[string, () => Partial<ActionSpec>, string, RegExp, string]>([
    [
      'a missing program',
      () => ({ run: ['no-such'] }),
      'COMMAND_NOT_FOUND',
      /no program 'no-such'/,
      'ENOENT',
    ],
    ['a missing folder', () => ({ cwd: join(dir, 'no') }), 'SPAWN_FAILED', /working directory/, 'ENOENT'],
    [
      'a file in place of the folder',
      () => ({ cwd: script('file', '') }),
      'SPAWN_FAILED',
      /working directory/,
      'ENOTDIR',
    ],
    [
      'a missing interpreter',
      () => ({ run: [script('s', '#!/no/such/sh\n')] }),
      'COMMAND_NOT_FOUND',
      /interpreter/,
      'ENOENT',
    ],
    [
      'no permission',
      () => ({ run: [script('s', '', 0o600)] }),
      'SPAWN_FAILED',
      /permission denied/,
      'EACCES',
    ],
    ['a folder', () => ({ run: [dir] }), 'SPAWN_FAILED', /permission denied/, 'EACCES'],
    ['too much', () => ({ run: ['true', 'x'.repeat(200_000)] }), 'SPAWN_FAILED', /larger than/, 'E2BIG'],
    [
      'a NUL in an argument',
      () => ({ run: ['true', 'a\0b'] }),
      'SPAWN_FAILED',
      /NUL/,
      'ERR_INVALID_ARG_VALUE',
    ],
    ['a NUL in a variable', () => ({ env: { A: 'a\0b' } }), 'SPAWN_FAILED', /NUL/, 'ERR_INVALID_ARG_VALUE'],
  ])('%s', async (_name, more, code, message, errno) => {
    expect(await started(anAction(more()))).toMatchObject({
      code,
      message: expect.stringMatching(message),
      evidence: { errno },
    });
  });

  it.skipIf(!NOBODY_READS_IT || !HAS_PRLIMIT)(
    'one process too many (needs root, to become somebody who can read this folder, and prlimit)',
    () => {
      const said = execFileSync(process.execPath, [FIXTURE], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' });
      expect(JSON.parse(said)).toEqual({
        code: 'SPAWN_FAILED',
        message: 'no further process may be started now (a limit on processes is reached)',
        evidence: { errno: 'EAGAIN', program: 'true', cwd: '/' },
      });
    },
  );
});

describe('spawnFailure, of what a machine cannot be made to refuse', () => {
  const failing = (code: string | undefined, message = 'spawn true failed'): Reason =>
    spawnFailure(Object.assign(new Error(message), { code }), anAction(), '/bin', fs);

  it.each([
    ['EAGAIN', /limit on processes/],
    ['ENOMEM', /not enough memory/],
    ['EMFILE', /too many files open/],
    ['ENOEXEC', /not a program that this machine can run/],
  ])('%s', (code, message) => {
    expect(failing(code)).toMatchObject({
      code: 'SPAWN_FAILED',
      message: expect.stringMatching(message),
      evidence: { errno: code },
    });
  });

  it('says what it was told of anything else', () => {
    expect(failing('EWHAT', 'odd')).toMatchObject({
      message: 'could not be started: odd',
      evidence: { errno: 'EWHAT' },
    });
    expect(failing(undefined, 'odd')).toMatchObject({ code: 'SPAWN_FAILED', evidence: { errno: null } });
  });
});

describe('shellExit', () => {
  it('knows what a shell means by 126 and 127, and says nothing of any other program', () => {
    expect(shellExit(anAction({ run: 'x' }), 127)?.code).toBe('COMMAND_NOT_FOUND');
    expect(shellExit(anAction({ run: 'x' }), 126)?.code).toBe('SPAWN_FAILED');
    for (const code of [0, 1, 125, 128, 137, null])
      expect(shellExit(anAction({ run: 'x' }), code)).toBeNull();
    expect(shellExit(anAction({ run: ['x'] }), 127)).toBeNull();
  });
});
