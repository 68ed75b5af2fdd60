/**
 * A command that a kill cuts short, at every instant from its begin to its end: whatever of it was written down, the
 * next upkeep brings the service to where its row wants it, all of it.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Wanted } from '../../core/job/job.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { inProcess, writeServices } from '../support/in_process.ts';
import { Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { atEachPoint, nextUpkeep } from './each_point.ts';

type Command = 'start' | 'stop' | 'restart';

// With a folder of its own to run in, the service is the same wherever its file is.
const sleeper = { process: true, run: ['sleep', '1000'], cwd: '/', stop: { timeout: '1s' } };
const SERVICES = { web: { actions: { db: sleeper, app: { ...sleeper, after: ['db'] } } } };

const DOWN = { wanted: 'down', state: 'down' };
const UP = { wanted: 'up', state: 'up' };

/** What is so before a command, what it aims at, and how often it has started each process again by then. */
const CASES = {
  stop: { before: UP, aim: DOWN, restarts: 0 },
  start: { before: DOWN, aim: UP, restarts: 0 },
  restart: { before: UP, aim: UP, restarts: 1 },
} as const satisfies Record<Command, object>;

/** A state folder in which the command can be given, and the fault points from its begin to its end. */
interface Prepared {
  readonly state: string;
  readonly begin: number;
  readonly end: number;
}

/** Runs the command once in this process, to count. */
async function prepare(command: Command, dir: string): Promise<Prepared> {
  const { before, aim, restarts } = CASES[command];
  writeServices(dir, SERVICES);
  if (before === DOWN) {
    const earlier = await inProcess(dir, 'state');
    earlier.stop('web', 'core');
    await until(() => earlier.service('web').state === 'down');
    await earlier.shutdown('core');
    cpSync(join(dir, 'state'), join(dir, 'counted'), { recursive: true });
  }
  let points = 0;
  const supervisor = await inProcess(dir, 'counted', () => {
    points += 1;
  });
  await until(() => supervisor.service('web').state === before.state);
  const begin = points;
  supervisor[command]('web', 'core');
  await until(() => {
    const { state, actions } = supervisor.service('web');
    return state === aim.state && actions.every(({ restart_count }) => restart_count === restarts);
  });
  const end = points;
  await supervisor.shutdown('core');
  return { state: join(dir, 'state'), begin, end };
}

/** Gives the command to an upkeep that dies at fault point `point`. True where it was answered. */
async function cutShort(sandbox: Sandbox, command: Command, point: number): Promise<boolean> {
  const { before, aim } = CASES[command];
  let answered = false;
  try {
    await sandbox.up({ UPKEEP_FAULT: `kill@${point}` });
    await until(async () => (await sandbox.service('web')).state === before.state, 20);
    await sandbox.client.call(`service.${command}`, { name: 'web' });
    answered = true;
    // What is counted is not always what happens: one that gets through to the end is killed there.
    await until(async () => (await sandbox.service('web')).state === aim.state, 20);
  } catch {
    // It has died, and answers nothing any more.
  }
  await sandbox.kill();
  return answered;
}

/** Cuts the command short, and looks what the next upkeep makes of it. Returns what it takes to be wanted. */
async function check(command: Command, { state }: Prepared, point: number): Promise<Wanted> {
  const sandbox = new Sandbox(SERVICES);
  let next: Supervisor | null = null;
  try {
    if (CASES[command].before === DOWN) cpSync(state, sandbox.state, { recursive: true });
    const answered = await cutShort(sandbox, command, point);
    next = await nextUpkeep(sandbox);
    const { wanted } = next.service('web');
    // What was answered holds.
    if (answered) expect(wanted, `kill@${point}`).toBe(CASES[command].aim.wanted);
    await until(() => next?.service('web').state === wanted);
    const { actions, run_id } = next.service('web');
    expect(sandbox.marked(), `kill@${point}`).toHaveLength(wanted === 'up' ? actions.length : 0);
    const ofRun = next.jobs({ service: 'web' }).filter((job) => job.run_id === run_id);
    expect(ofRun.map((job) => job.wanted)).toEqual(actions.map(() => wanted));
    const open = next.runs({ service: 'web' }).filter(({ finished_at }) => finished_at === null);
    expect(open.map(({ id }) => id)).toEqual(wanted === 'up' ? [run_id] : []);
    return wanted;
  } finally {
    await next?.shutdown('core');
    await sandbox.remove();
  }
}

describe.each(['stop', 'start', 'restart'] as const)('a %s that is cut short', (command) => {
  it('is given to the whole service or to nothing of it, whenever upkeep dies', {
    timeout: 600_000,
  }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'upkeep-cut-'));
    try {
      const prepared = await prepare(command, dir);
      const outcomes = await atEachPoint(prepared, (point) => check(command, prepared, point));
      console.log(
        `${command}: points ${prepared.begin} to ${prepared.end}, then wanted ${outcomes.join(' ')}`,
      );
      // It was cut before it was written down, and after.
      expect(outcomes[0]).toBe(CASES[command].before.wanted);
      expect(outcomes.at(-1)).toBe(CASES[command].aim.wanted);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
