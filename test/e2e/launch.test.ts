/**
 * Everything that can keep a program from starting, told apart; and how a program ended.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

/** Long pauses: the first failure stays to be looked at. */
const restart = { delay: '1h', max_delay: '1h' };

async function failure(main: object): Promise<{ code: string; message: string; restart_count: number }> {
  sandbox.write({ it: { actions: { main: { process: true, restart, ...main } } } });
  await sandbox.up();
  await sandbox.untilAction('it', (action) => action.phase === 'retrying');
  const { reason, restart_count } = await sandbox.action('it');
  return { code: reason?.code ?? '', message: reason?.message ?? '', restart_count };
}

describe('a program that cannot be started', () => {
  it.each([
    ['a missing program', { run: ['no-such-program'] }, 'COMMAND_NOT_FOUND', /no program 'no-such-program'/],
    ['a missing path', { run: ['/no/such/program'] }, 'COMMAND_NOT_FOUND', /\/no\/such\/program/],
    [
      'a missing working directory',
      { run: ['true'], cwd: '/no/such/folder' },
      'SPAWN_FAILED',
      /working directory/,
    ],
    ['no permission', { run: ['/etc/passwd'] }, 'SPAWN_FAILED', /permission denied/],
    [
      'too long arguments',
      { run: ['true', 'x'.repeat(200_000)] },
      'SPAWN_FAILED',
      /larger than the kernel takes/,
    ],
    ['a missing env_file', { run: ['true'], env_file: 'missing.env' }, 'SPAWN_FAILED', /env_file/],
    ['a missing program in a shell', { run: 'no-such-program --at all' }, 'COMMAND_NOT_FOUND', /127/],
    ['no permission in a shell', { run: '/etc/passwd' }, 'SPAWN_FAILED', /126/],
  ] as const)('%s', async (_name, main, code, message) => {
    sandbox = new Sandbox({});
    const seen = await failure(main);
    expect(seen.code).toBe(code);
    expect(seen.message).toMatch(message);
  });

  it('a script with a missing interpreter', async () => {
    sandbox = new Sandbox({});
    const script = sandbox.path('script');
    writeFileSync(script, '#!/no/such/interpreter\n');
    chmodSync(script, 0o755);
    expect(await failure({ run: [script] })).toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message: expect.stringContaining('interpreter'),
    });
  });

  it('a missing program of a oneshot is no exit code 127', async () => {
    sandbox = new Sandbox({});
    expect(await failure({ process: false, run: ['no-such-program'] })).toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message: expect.stringContaining('no program'),
    });
  });

  it('is refused by the file where an argument holds a NUL byte', async () => {
    sandbox = new Sandbox({ it: { actions: { main: { run: ['true', 'a\0b'] } } } });
    await expect(sandbox.up()).rejects.toThrow(/actions\.main\.run/);
    expect(sandbox.daemon?.exitCode).toBe(2);
  });
});

describe('an exit', () => {
  it.each([
    ['by code', 'exit 3', 'EXITED', 'exited with code 3'],
    ['by signal', 'kill -USR1 $$', 'SIGNALED', 'killed by SIGUSR1'],
  ])('%s', async (_name, run, code, message) => {
    sandbox = new Sandbox({});
    expect(await failure({ run })).toMatchObject({ code, message, restart_count: 0 });
  });

  const group = ['/sys/fs/cgroup/memory/upkeep-test', '/sys/fs/cgroup/upkeep-test'].find((path) => {
    try {
      mkdirSync(path, { recursive: true });
      return existsSync(`${path}/memory.limit_in_bytes`) || existsSync(`${path}/memory.max`);
    } catch {
      return false;
    }
  });

  describe.skipIf(group === undefined)(
    'OOM_KILLED: by the kernel, out of memory (needs a writable memory cgroup)',
    () => {
      const enter = `echo $$ > ${group}/cgroup.procs`;
      const eat = `${process.execPath} -e 'const kept = []; for (;;) kept.push(Buffer.alloc(1e6, 1))'`;

      beforeEach(() => {
        mkdirSync(group ?? '', { recursive: true });
        const limit = ['memory.limit_in_bytes', 'memory.max'].find((name) => existsSync(`${group}/${name}`));
        writeFileSync(`${group}/${limit}`, String(64 * 1024 * 1024));
      });
      afterEach(async () => {
        await sandbox.remove();
        await until(() => readFileSync(`${group}/cgroup.procs`, 'utf8') === '');
        rmdirSync(group ?? '');
      });

      it.each([
        ['a oneshot', { process: false, run: `${enter} && exec ${eat}` }],
        ['a child of a oneshot', { process: false, run: `${enter}; ${eat}; exit $?` }],
        ['a child of a shell that is the main process', { run: `${enter}; ${eat}; exit $?` }],
        ['the main process', { run: `${enter} && exec ${eat}` }],
      ])('%s', async (_name, action) => {
        sandbox = new Sandbox({});
        const seen = await failure(action);
        expect(seen).toMatchObject({ code: 'OOM_KILLED', restart_count: 0 });
        expect(seen.message).toMatch(/^killed by the kernel: out of memory \(pid \d+, .+\)$/);
        const [why] = (await sandbox.why('it')).actions;
        expect(why).toMatchObject({ code: 'OOM_KILLED', evidence: { victim: { pid: expect.any(Number) } } });
        expect(why?.next).toEqual({ operation: 'service.heal', input: { name: 'it', dry_run: true } });
      });

      it('is not what somebody else did who used kill -9 after the kernel had killed a stranger', async () => {
        sandbox = new Sandbox({});
        sandbox.write({
          web: {
            actions: {
              main: { process: true, restart: { ...restart, stable_after: '1h' }, run: ['sleep', '1000'] },
            },
          },
        });
        await sandbox.up();
        await sandbox.untilAction('web', ({ phase }) => phase === 'running');
        expect((await run('sh', ['-c', `${enter}; ${eat}; exit $?`])).code).toBe(137);
        signalMain(await sandbox.action('web'), 'SIGKILL');
        await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');
        expect((await sandbox.why('web')).actions[0]).toMatchObject({ code: 'SIGNALED' });
      });
    },
  );
});
