/** The machine as a specification: what each phase does with what can happen to it, on the way up. */
import { describe, expect, test } from 'vitest';
import { JOB_EVENTS, type JobEvent } from '../../../core/job/event.ts';
import { type Job, PHASES } from '../../../core/job/job.ts';
import { HOLDER_LOOK_INTERVAL } from '../../../core/job/policy.ts';
import { reason } from '../../../core/job/reason.ts';
import { TABLE } from '../../../core/job/table.ts';
import { exitReason, UNKNOWN_EXIT } from '../../../core/process/exit.ts';
import { aPolicy } from './builders.ts';
import {
  ASKED,
  CLEAN,
  down,
  due,
  effects,
  exit,
  FAILED,
  gone,
  HELD,
  IDENTITY,
  inPhase,
  KILLED,
  LOST,
  MISSING,
  NO_CLAIMS,
  NOW,
  ON_FAILURE,
  ONESHOT,
  restart,
  spawning,
  tell,
  up,
  WALL,
} from './samples.ts';

describe('the table', () => {
  test('is total: every phase has a cell for every event', () => {
    for (const phase of PHASES) {
      expect(Object.keys(TABLE[phase]).sort()).toEqual([...JOB_EVENTS].sort());
      for (const event of JOB_EVENTS) {
        const cell = TABLE[phase][event];
        expect(typeof cell === 'function' || cell === 'ignore' || cell === 'impossible').toBe(true);
      }
    }
  });

  test('an impossible event is reported and not acted on', () => {
    const job = inPhase('running');
    const step = tell(job, { type: 'spawned', epoch: job.epoch, identity: IDENTITY });
    expect(step).toEqual({ job, effects: [], notes: [], verdict: 'impossible' });
  });
});

describe('what is older than the job is dropped', () => {
  const stale = (job: Job): JobEvent[] => [
    { type: 'prepared', epoch: job.epoch - 1 },
    { type: 'blocked', epoch: job.epoch - 1, reason: HELD },
    { type: 'spawned', epoch: job.epoch - 1, identity: IDENTITY },
    { type: 'spawn_failed', epoch: job.epoch - 1, reason: MISSING },
    { type: 'ready', epoch: job.epoch - 1 },
    { type: 'faulted', epoch: job.epoch - 1, reason: LOST, give_up: false },
    { type: 'suspected', epoch: job.epoch - 1, suspect: true },
    { type: 'deadline', epoch: job.epoch - 1 },
    { type: 'exited', incarnation: 1, group_alive: false, status: KILLED, reason: exitReason(KILLED) },
    { type: 'group_gone', incarnation: 1 },
  ];

  test.each(PHASES)('in %s', (phase) => {
    const job = inPhase(phase, {}, { restart_count: 2, started_at: 2_000 });
    for (const event of stale(job)) {
      const step = tell(job, event, { now: NOW + 1_000_000 });
      expect(step).toEqual({ job, effects: [], notes: [], verdict: 'stale' });
    }
  });

  test('a deadline that was moved while its timer went off has not come', () => {
    const job = inPhase('stopping', { deadline: NOW + 1 });
    expect(tell(job, due(job), { now: NOW }).verdict).toBe('stale');
    expect(tell(job, due(job), { now: NOW + 1 }).verdict).toBe('taken');
  });

  test('a deadline is nothing to a job that waits for none', () => {
    const job = inPhase('running', { stable: true, deadline: null });
    expect(tell(job, due(job), { now: NOW + 1_000_000 }).verdict).toBe('stale');
    expect(tell(spawning(), due(spawning())).verdict).toBe('stale');
  });
});

describe('pending', () => {
  const job = inPhase('pending');

  test('cleared: its claims are made free', () => {
    const step = tell(job, { type: 'cleared' });
    expect(step.job).toMatchObject({ phase: 'preparing', step: 'reclaim' });
    expect(step.effects).toEqual([{ type: 'prepare', epoch: step.job.epoch }]);
  });

  test('cleared: what it waited for is no reason any more, any other reason stays', () => {
    const waits = inPhase('pending', {}, { reason: reason('DEPENDENCY_WAIT', "waits for 'db'") });
    expect(tell(waits, { type: 'cleared' }).job.reason.code).toBe('REQUESTED');
    const rebooted = inPhase('pending', {}, { reason: reason('REBOOTED', 'the machine was started again') });
    expect(tell(rebooted, { type: 'cleared' }).job.reason.code).toBe('REBOOTED');
  });

  test('waiting: says for what', () => {
    const why = reason('DEPENDENCY_WAIT', "waits for 'db'");
    expect(tell(job, { type: 'waiting', reason: why }).job).toEqual({ ...job, reason: why });
  });

  test('wanted down: is stopped at once', () => {
    expect(tell(job, down).job).toMatchObject({
      phase: 'stopped',
      wanted: 'down',
      reason: { code: 'WANTED_DOWN' },
    });
  });

  test('upkeep goes down: is stopped, and still wanted up', () => {
    const step = tell(job, { type: 'halt' }, { halting: true });
    expect(step.job).toMatchObject({ phase: 'stopped', wanted: 'up', reason: { code: 'SHUTDOWN' } });
  });

  test('wanted up while upkeep goes down: does not hold it up', () => {
    expect(tell(job, up, { halting: true }).job).toMatchObject({ phase: 'stopped', wanted: 'up' });
  });
});

describe('preparing', () => {
  const job = inPhase('preparing', {}, { attempt: 3 });
  const reply = <T extends object>(fields: T) => ({ epoch: job.epoch, ...fields });

  test('prepared: what it is spawned from is noted with the decision', () => {
    const step = tell(inPhase('preparing'), { type: 'prepared', epoch: 10 });
    expect(step.job).toMatchObject({ step: 'spawn', spec_digest: aPolicy().spec_digest });
    const changed = aPolicy({ spec_digest: 'otherwise' });
    const spawned = { type: 'spawned', epoch: step.job.epoch, identity: IDENTITY } as const;
    // The file may change while it is being spawned: it was started from what was noted.
    expect(tell(step.job, spawned, { policy: changed }).job.spec_digest).toBe(aPolicy().spec_digest);
  });

  test('prepared: the next incarnation is spawned', () => {
    const first = tell(job, reply({ type: 'prepared' as const }));
    expect(first.job).toMatchObject({ phase: 'preparing', step: 'spawn', incarnation: 0 });
    expect(first.effects).toEqual([{ type: 'spawn', epoch: first.job.epoch, incarnation: 0 }]);

    const again = inPhase('preparing', {}, { started_at: 2_000, restart_count: 4 });
    const next = tell(again, reply({ type: 'prepared' as const }));
    expect(next.effects).toEqual([{ type: 'spawn', epoch: next.job.epoch, incarnation: 5 }]);
    expect(next.job.restart_count).toBe(4);
  });

  test('blocked: looks again soon; that is neither a failed try nor a restart', () => {
    const step = tell(job, reply({ type: 'blocked' as const, reason: HELD }));
    expect(step.job).toMatchObject({
      phase: 'retrying',
      deadline: NOW + HOLDER_LOOK_INTERVAL,
      next_attempt_at: WALL + HOLDER_LOOK_INTERVAL,
      attempt: 3,
      restart_count: 0,
      reason: HELD,
    });
    expect(HOLDER_LOOK_INTERVAL).toBeLessThanOrEqual(1_000);
  });

  test('no answer in time: gives the look up and begins another', () => {
    const step = tell(job, due(job));
    expect(step.job).toMatchObject({ phase: 'retrying', attempt: 3, reason: { code: 'PROBE_UNAVAILABLE' } });
    expect(effects(step)).toEqual(['abort_prepare']);
  });

  test('wanted down, or upkeep goes down: gives up at once', () => {
    for (const step of [tell(job, down), tell(job, { type: 'halt' }, { halting: true })]) {
      expect(step.job.phase).toBe('stopped');
      expect(effects(step)).toEqual(['abort_prepare']);
    }
  });

  test('spawned: starting, and its claims are looked at', () => {
    const step = tell(spawning(), { type: 'spawned', epoch: spawning().epoch, identity: IDENTITY });
    expect(step.job).toMatchObject({
      phase: 'starting',
      identity: IDENTITY,
      last_identity: IDENTITY,
      restart_count: 0,
      started_at: WALL,
      deadline: NOW + 30_000,
    });
    expect(step.effects).toEqual([{ type: 'watch_ready', epoch: step.job.epoch }]);
  });

  test('spawned with nothing to wait for: running', () => {
    const event: JobEvent = { type: 'spawned', epoch: spawning().epoch, identity: IDENTITY };
    const process = tell(spawning(), event, { policy: NO_CLAIMS });
    expect(process.job).toMatchObject({
      phase: 'running',
      stable: false,
      deadline: NOW + 10_000,
      ready_at: WALL,
    });
    const oneshot = tell(spawning(), event, { policy: ONESHOT });
    expect(oneshot.job).toMatchObject({ phase: 'running', stable: false, deadline: null });
  });

  test('spawned again: one restart more, and the last end is forgotten', () => {
    const ended = { started_at: 1, ready_at: 2, finished_at: 3, exit_code: 1, restart_count: 6 };
    const step = tell(spawning(ended), { type: 'spawned', epoch: spawning().epoch, identity: IDENTITY });
    expect(step.job).toMatchObject({
      restart_count: 7,
      started_at: WALL,
      ready_at: null,
      finished_at: null,
      exit_code: null,
    });
  });

  test('the program is missing: tries again, for ever by default (case 7)', () => {
    let failing: Job = spawning();
    for (let attempt = 1; attempt <= 50; attempt += 1) {
      const step = tell(failing, { type: 'spawn_failed', epoch: failing.epoch, reason: MISSING });
      expect(step.job).toMatchObject({ phase: 'retrying', attempt, restart_count: 0, reason: MISSING });
      const tried = tell(step.job, due(step.job));
      failing = tell(tried.job, { type: 'prepared', epoch: tried.job.epoch }).job;
    }
    const found = tell(failing, { type: 'spawned', epoch: failing.epoch, identity: IDENTITY });
    expect(found.job).toMatchObject({ phase: 'starting', restart_count: 0 });
  });

  test('wanted down while it is being spawned: the process is stopped when it is there', () => {
    const noted = tell(spawning(), down);
    expect(noted.job).toMatchObject({ phase: 'preparing', step: 'spawn', wanted: 'down' });
    const born = tell(noted.job, { type: 'spawned', epoch: noted.job.epoch, identity: IDENTITY });
    expect(born.job).toMatchObject({ phase: 'starting', wanted: 'down' });
    const stopping = tell(born.job, { type: 'cleared' });
    expect(stopping.job.phase).toBe('stopping');
    expect(effects(stopping)).toEqual(['stop_group']);
  });

  test('wanted down while a spawn fails: stopped, not tried again (case 17)', () => {
    const job = spawning({ wanted: 'down' });
    const step = tell(job, { type: 'spawn_failed', epoch: job.epoch, reason: MISSING });
    expect(step.job).toMatchObject({ phase: 'stopped', attempt: 0 });
  });
});

describe('starting', () => {
  const job = inPhase('starting');

  test('ready: running, since now', () => {
    const step = tell(job, { type: 'ready', epoch: job.epoch });
    expect(step.job).toMatchObject({ phase: 'running', identity: IDENTITY, stable: false, ready_at: WALL });
  });

  test('not ready in time: ended, then tried again later', () => {
    const step = tell(job, due(job));
    expect(step.job).toMatchObject({
      phase: 'stopping',
      cause: 'fault',
      main_alive: true,
      reason: { code: 'NOT_READY' },
    });
    expect(effects(step)).toEqual(['stop_group']);
    const ended = tell(tell(step.job, exit(job, KILLED)).job, gone(job));
    expect(ended.job).toMatchObject({ phase: 'retrying', attempt: 1, reason: { code: 'NOT_READY' } });
  });

  test('wanted down before it is ready: stopped when nothing depends on it (case 17)', () => {
    const noted = tell(job, down);
    expect(noted.job).toEqual({ ...job, wanted: 'down' });
    expect(tell(noted.job, { type: 'cleared' }).job).toMatchObject({
      phase: 'stopping',
      cause: 'requested',
    });
  });

  test('it exits before it is ready while it is wanted down: stopped, not tried again (case 17)', () => {
    const job = inPhase('starting', {}, { wanted: 'down' });
    expect(tell(job, exit(job, FAILED)).job).toMatchObject({ phase: 'stopped', exit_code: 3 });
  });
});

describe('running', () => {
  const job = inPhase('running', {}, { attempt: 2, restart_count: 5 });

  test('stable for long enough: failed tries are forgotten, restarts are not (case 8)', () => {
    const step = tell(job, due(job));
    expect(step.job).toEqual({ ...job, stable: true, deadline: null, attempt: 0 });
    expect(step.job.restart_count).toBe(5);
  });

  test('exits: starts again, after a pause while it is not stable, at once when it was', () => {
    const shaky = tell(job, exit(job, FAILED));
    expect(shaky.job).toMatchObject({ phase: 'retrying', attempt: 3, exit_code: 3, finished_at: WALL });
    const stable = inPhase('running', { stable: true, deadline: null });
    const step = tell(stable, exit(stable, KILLED));
    expect(step.job).toMatchObject({
      phase: 'preparing',
      step: 'reclaim',
      attempt: 0,
      exit_signal: 'SIGKILL',
    });
    expect(effects(step)).toEqual(['prepare']);
  });

  test('exits and leaves others of its group: they are ended first', () => {
    const step = tell(job, exit(job, FAILED, true));
    expect(step.job).toMatchObject({ phase: 'stopping', cause: 'exit', main_alive: false, exit_code: 3 });
    expect(effects(step)).toEqual(['stop_group']);
    expect(tell(step.job, gone(job)).job).toMatchObject({
      phase: 'retrying',
      attempt: 3,
      reason: { code: 'EXITED' },
    });
  });

  test('says what the shell knows of the end', () => {
    const why = reason('OOM_KILLED', 'killed by the kernel: out of memory');
    const event = { ...exit(job, KILLED), reason: why } as JobEvent;
    expect(tell(job, event).job.reason).toBe(why);
  });

  test('exits with 0: started again, unless its policy asks for failures only', () => {
    expect(tell(job, exit(job, CLEAN)).job.phase).toBe('retrying');
    expect(tell(job, exit(job, CLEAN), { policy: ON_FAILURE }).job).toMatchObject({
      phase: 'succeeded',
      attempt: 0,
    });
    expect(tell(job, exit(job, FAILED), { policy: ON_FAILURE }).job.phase).toBe('retrying');
  });

  test('its exit cannot be read: that is a failure', () => {
    const step = tell(job, exit(job, UNKNOWN_EXIT), { policy: ON_FAILURE });
    expect(step.job).toMatchObject({ phase: 'retrying', reason: { code: 'EXIT_UNKNOWN' } });
  });

  test('is in doubt: not stable until it has been well for as long as a fresh one', () => {
    const stable = inPhase('running', { stable: true, deadline: null }, { attempt: 0 });
    const doubted = tell(stable, { type: 'suspected', epoch: stable.epoch, suspect: true }).job;
    expect(doubted).toMatchObject({ phase: 'running', stable: false, deadline: null, epoch: stable.epoch });
    const ill = tell(doubted, { type: 'faulted', epoch: stable.epoch, reason: LOST, give_up: false });
    const ended = tell(tell(ill.job, exit(stable, KILLED)).job, gone(stable));
    expect(ended.job).toMatchObject({ phase: 'retrying', attempt: 1 });
    const well = tell(doubted, { type: 'suspected', epoch: stable.epoch, suspect: false }).job;
    expect(well).toMatchObject({ stable: false, deadline: NOW + 10_000 });
    expect(tell(well, due(well)).job).toMatchObject({ stable: true, deadline: null });
  });

  test('is told twice of the same doubt: nothing changes', () => {
    const doubted = inPhase('running', { stable: false, deadline: null });
    for (const [job, suspect] of [
      [doubted, true],
      [inPhase('running'), false],
    ] as const) {
      const step = tell(job, { type: 'suspected', epoch: job.epoch, suspect });
      expect(step).toEqual({ job, effects: [], notes: [], verdict: 'ignored' });
    }
  });

  test('is ill and to be given up: ended, and not tried again until somebody starts it', () => {
    const job = inPhase('running');
    const step = tell(job, { type: 'faulted', epoch: job.epoch, reason: LOST, give_up: true });
    expect(step.job).toMatchObject({ phase: 'stopping', cause: 'given_up', wanted: 'up' });
    const ended = tell(tell(step.job, exit(job, KILLED)).job, gone(job)).job;
    expect(ended).toMatchObject({ phase: 'failed', wanted: 'up', reason: LOST });
    expect(tell(ended, up).job.phase).toBe('pending');
    // A start while it is being ended is heard as well.
    const asked = tell(tell(step.job, up).job, exit(job, KILLED)).job;
    expect(tell(asked, gone(job)).job.phase).toBe('preparing');
    // And a stop.
    const down_ = tell(tell(step.job, down).job, exit(job, KILLED)).job;
    expect(tell(down_, gone(job)).job.phase).toBe('stopped');
  });

  test('loses a claim, or is ill: ended and started again, every time (case 13)', () => {
    let alive: Job = inPhase('running', { stable: true, deadline: null });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const step = tell(alive, { type: 'faulted', epoch: alive.epoch, reason: LOST, give_up: false });
      expect(step.job).toMatchObject({ phase: 'stopping', cause: 'fault', reason: LOST });
      const ended = tell(tell(step.job, exit(alive, KILLED)).job, gone(alive));
      expect(ended.job).toMatchObject({
        phase: attempt === 0 ? 'preparing' : 'retrying',
        attempt,
        reason: LOST,
      });
      alive = { ...inPhase('running'), attempt: ended.job.attempt };
    }
  });

  test('restart: a fresh incarnation, at once, and a clean sheet', () => {
    const step = tell(job, restart);
    expect(step.job).toMatchObject({
      phase: 'stopping',
      cause: 'requested',
      wanted: 'up',
      attempt: 0,
      reason: ASKED,
    });
    const ended = tell(tell(step.job, exit(job, KILLED)).job, gone(job));
    expect(ended.job).toMatchObject({ phase: 'preparing', attempt: 0, restart_count: 5 });
  });

  test('wanted down: goes on until nothing depends on it, and is not started again if it dies meanwhile', () => {
    const noted = tell(job, down).job;
    expect(noted).toEqual({ ...job, wanted: 'down' });
    expect(tell(noted, { type: 'cleared' }).job).toMatchObject({
      phase: 'stopping',
      reason: { code: 'WANTED_DOWN' },
    });
    expect(tell(noted, exit(job, KILLED)).job.phase).toBe('stopped');
    expect(tell(noted, up).job).toEqual({ ...job, attempt: 0 });
  });

  test('upkeep goes down: the same, and it stays wanted up', () => {
    const noted = tell(job, { type: 'halt' }, { halting: true }).job;
    expect(noted).toEqual(job);
    const stopping = tell(noted, { type: 'cleared' }, { halting: true }).job;
    expect(stopping).toMatchObject({ phase: 'stopping', wanted: 'up', reason: { code: 'SHUTDOWN' } });
    expect(tell(stopping, gone(job), { halting: true }).job).toMatchObject({
      phase: 'stopped',
      wanted: 'up',
    });
  });

  test('cleared while it is wanted up: nothing', () => {
    expect(tell(job, { type: 'cleared' })).toMatchObject({ job, verdict: 'ignored', effects: [] });
  });
});
