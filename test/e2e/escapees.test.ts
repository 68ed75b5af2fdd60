/**
 * What leaves its process group: in the session of the main process, without marker, without log, so that nothing but
 * the session tells whose it is. A shell with job control does that to each of its pipelines.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let sandbox: Sandbox;
const escapees: number[] = [];
afterEach(async () => {
  for (const pid of escapees.splice(0)) if (runs(pid)) process.kill(pid, 'SIGKILL');
  await sandbox.remove();
});

/** Whether the escapee is there: by its command line, as its pid may be another's by now. */
function runs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('sleep\x001234');
  } catch {
    return false;
  }
}

/** Starts the service and returns its escapee, of the incarnation that runs. */
async function start(extra: object = {}, first = 'true'): Promise<void> {
  sandbox = new Sandbox({});
  write(extra, first);
  await sandbox.up();
}

/** Writes the service file. `first` is what the shell does first. */
function write(extra: object, first: string): void {
  const script = [
    first,
    'set -m',
    `env -i sleep 1234 >/dev/null 2>&1 & echo $! >> ${sandbox.path('escapees')}`,
    'exec sleep 1000',
  ].join('; ');
  sandbox.write({
    web: {
      actions: { main: { process: true, run: ['bash', '-c', script], stop: { timeout: '1s' }, ...extra } },
    },
  });
}

async function escapee(incarnation: number): Promise<number> {
  const lines = (): string[] =>
    existsSync(sandbox.path('escapees'))
      ? readFileSync(sandbox.path('escapees'), 'utf8').trim().split('\n')
      : [];
  await until(() => lines().length > incarnation && runs(Number(lines()[incarnation])));
  const pid = Number(lines()[incarnation]);
  escapees.push(pid);
  const { pid: main } = await sandbox.action('web');
  const [, , pgrp, session] = statOf(pid);
  expect(session).toBe(main);
  expect(pgrp).not.toBe(main);
  return pid;
}

/** State, ppid, pgrp and session of a process, the last three as numbers. */
function statOf(pid: number): (number | string)[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 4);
  return [state, ...rest.map(Number)];
}

const runsAs =
  (restart_count: number) =>
  (action: { phase: string; restart_count: number }): boolean =>
    action.phase === 'running' && action.restart_count === restart_count;

describe('a process in another group of the main session, with no marker and no log', () => {
  it('is ended by a stop', async () => {
    await start();
    await sandbox.untilAction('web', runsAs(0));
    const pid = await escapee(0);
    expect((await sandbox.cli('stop', 'web')).code).toBe(0);
    expect(runs(pid)).toBe(false);
  });

  it('is ended after a crash, and the next incarnation keeps its own', async () => {
    await start();
    await sandbox.untilAction('web', runsAs(0));
    const left = await escapee(0);
    signalMain(await sandbox.action('web'), 'SIGKILL');
    await sandbox.untilAction('web', runsAs(1));
    const own = await escapee(1);
    await until(() => !runs(left));
    expect(runs(own)).toBe(true);
    expect((await sandbox.events('web')).map(({ message }) => message)).toContain(
      `stopped what incarnation 0 left behind: pid ${left}`,
    );
  });

  it('is ended when upkeep had not ended it before it died, and the next try is far off', async () => {
    const far = { restart: { delay: '1h', max_delay: '1h' } };
    await start({ ...far, stop: { timeout: '1h' } }, 'trap "" TERM');
    await sandbox.untilAction('web', runsAs(0));
    const left = await escapee(0);
    signalMain(await sandbox.action('web'), 'SIGKILL');
    await sandbox.untilAction('web', (action) => action.phase === 'retrying');
    await sandbox.kill();
    expect(runs(left)).toBe(true);
    write(far, 'trap "" TERM');
    await sandbox.up();
    await until(() => !runs(left));
    expect((await sandbox.action('web')).phase).toBe('retrying');
  });

  it('is ended when upkeep comes back and the main process is dead', async () => {
    await start();
    await sandbox.untilAction('web', runsAs(0));
    const left = await escapee(0);
    const main = await sandbox.action('web');
    await sandbox.kill();
    signalMain(main, 'SIGKILL');
    await sandbox.up();
    await until(() => !runs(left));
    await sandbox.untilAction('web', runsAs(1));
  });
});
