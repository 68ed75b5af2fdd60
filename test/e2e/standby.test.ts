/**
 * Restarts by a process that was forked ahead of time: it becomes the next incarnation and is one in every respect, and
 * nothing of it is left where it is not needed.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { alive, Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let sandbox: Sandbox;
const strays: number[] = [];
afterEach(async () => {
  for (const pid of strays.splice(0)) if (alive(pid)) process.kill(pid, 'SIGKILL');
  await sandbox.remove();
});

/** The pids of all that stands by for this sandbox: children of its upkeep, and what that has left. */
function standbys(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, 'latin1').endsWith('\0upkeep-standby\0') &&
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`\0SANDBOX=${sandbox.dir}\0`)
        );
      } catch {
        return false;
      }
    });
}

async function standby(): Promise<number> {
  await until(() => standbys().length === 1);
  return standbys()[0] as number;
}

async function start(run: readonly string[], more: object = {}): Promise<void> {
  sandbox = new Sandbox({});
  const env = { SANDBOX: sandbox.dir };
  sandbox.write({
    web: { actions: { main: { process: true, run, env, stop: { timeout: '1s' }, ...more } } },
  });
  await sandbox.up();
  await sandbox.untilAction('web', runsAs(0));
}

const runsAs =
  (restart_count: number) =>
  (action: { phase: string; restart_count: number }): boolean =>
    action.phase === 'running' && action.restart_count === restart_count;

describe('a restart by standby', () => {
  it('is an incarnation like any other', async () => {
    await start(['sh', '-c', 'echo "$UPKEEP_SERVICE $$"; exec sleep 1000']);
    const before = await sandbox.action('web');
    const pid = await standby();
    signalMain(before, 'SIGKILL');
    await sandbox.untilAction('web', runsAs(1));
    const after = await sandbox.action('web');
    expect(after.pid).toBe(pid);
    expect(after.job_id).toBe(before.job_id);
    await until(async () => (await sandbox.log('web')).includes(`web ${pid}`));
    expect(sandbox.marked()).toMatchObject([{ pid, incarnation: 1 }]);
    // And so on: the next one stands by.
    const next = await standby();
    expect((await sandbox.cli('restart', 'web')).code).toBe(0);
    await sandbox.untilAction('web', runsAs(2));
    expect((await sandbox.action('web')).pid).toBe(next);
  });

  it('tells a program that is gone from one that has ended', async () => {
    sandbox = new Sandbox({});
    const program = sandbox.path('server');
    writeFileSync(program, '#!/bin/sh\nexec sleep 1000\n');
    chmodSync(program, 0o755);
    const env = { SANDBOX: sandbox.dir };
    sandbox.write({ web: { actions: { main: { process: true, run: [program], env } } } });
    await sandbox.up();
    await sandbox.untilAction('web', runsAs(0));
    const pid = await standby();
    rmSync(program);
    signalMain(await sandbox.action('web'), 'SIGKILL');
    await until(async () => (await sandbox.events('web')).some(({ code }) => code === 'COMMAND_NOT_FOUND'));
    expect((await sandbox.action('web')).restart_count).toBe(0);
    await until(() => !alive(pid));
  });

  it('runs what the service file says by then', async () => {
    await start(['sleep', '1000']);
    const pid = await standby();
    const main = { process: true, run: ['sleep', '2000'], env: { SANDBOX: sandbox.dir } };
    sandbox.write({ web: { actions: { main } } });
    sandbox.daemon?.kill('SIGHUP');
    await sandbox.untilAction('web', runsAs(1));
    const after = await sandbox.action('web');
    expect(after.pid).not.toBe(pid);
    expect(readFileSync(`/proc/${after.pid}/cmdline`, 'latin1')).toBe('sleep\x002000\0');
    await until(() => !alive(pid));
  });

  it('does not hide what the incarnation before it has left behind while it waited', async () => {
    sandbox = new Sandbox({});
    const left = sandbox.path('left');
    // Of its session, and nothing else tells of it: in a group of its own, with no environment and no log.
    const stray = `env -i sleep 1234 >/dev/null 2>&1 & echo \\$! >> ${left}`;
    const run = ['bash', '-c', `set -m; trap "${stray}" USR1; while :; do sleep 0.05; done`];
    const env = { SANDBOX: sandbox.dir };
    sandbox.write({ web: { actions: { main: { process: true, run, env } } } });
    await sandbox.up();
    await sandbox.untilAction('web', runsAs(0));
    const pid = await standby();
    signalMain(await sandbox.action('web'), 'SIGUSR1');
    await until(() => existsSync(left) && readFileSync(left, 'utf8').endsWith('\n'));
    const strayPid = Number(readFileSync(left, 'utf8'));
    strays.push(strayPid);
    signalMain(await sandbox.action('web'), 'SIGKILL');
    await sandbox.untilAction('web', runsAs(1));
    expect((await sandbox.action('web')).pid).toBe(pid);
    await until(() => !alive(strayPid));
    expect((await sandbox.action('web')).pid).toBe(pid);
  });
});

describe('a standby that is not needed', () => {
  it('ends with a stop', async () => {
    await start(['sleep', '1000']);
    const pid = await standby();
    expect((await sandbox.cli('stop', 'web')).code).toBe(0);
    await until(() => !alive(pid));
    expect(standbys()).toEqual([]);
  });

  it('ends with upkeep, which finds nothing but the service when it comes back', async () => {
    await start(['sleep', '1000']);
    const before = await sandbox.action('web');
    const pid = await standby();
    await sandbox.kill();
    await until(() => !alive(pid));
    await sandbox.up();
    await sandbox.untilAction('web', runsAs(0));
    expect((await sandbox.action('web')).pid).toBe(before.pid);
    // An adopted job has one as well.
    const next = await standby();
    signalMain(before, 'SIGKILL');
    await sandbox.untilAction('web', runsAs(1));
    expect((await sandbox.action('web')).pid).toBe(next);
    await sandbox.down();
    await until(() => standbys().length === 0);
  });

  it('is not there for what is not restarted', async () => {
    sandbox = new Sandbox({});
    const env = { SANDBOX: sandbox.dir };
    const main = { process: true, run: ['sleep', '1000'], env };
    sandbox.write({
      once: { actions: { main: { ...main, restart: { policy: 'never' } } } },
      web: { actions: { main } },
    });
    await sandbox.up();
    await sandbox.untilAction('once', runsAs(0));
    await sandbox.untilAction('web', runsAs(0));
    const pid = await standby();
    signalMain(await sandbox.action('web'), 'SIGKILL');
    await sandbox.untilAction('web', runsAs(1));
    expect((await sandbox.action('web')).pid).toBe(pid);
  });
});
