/** The machine as a specification: what upkeep makes of what it finds when it comes back. */
import { describe, expect, test } from 'vitest';
import type { Job } from '../../../core/job/job.ts';
import { READY_LOOK } from '../../../core/job/policy.ts';
import type { Step } from '../../../core/job/step.ts';
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
  NEVER,
  NOW,
  ONESHOT,
  recovered,
  restart,
  spawning,
  tell,
  up,
  WALL,
} from './samples.ts';

describe('upkeep comes back', () => {
  const found = { found: { identity: IDENTITY, incarnation: 0 } };

  test('to a running process: it is kept, and stays ready', () => {
    const step = tell(inPhase('running'), recovered(found));
    expect(step.job).toMatchObject({ phase: 'running', identity: IDENTITY, reason: { code: 'ADOPTED' } });
    expect(step.effects).toEqual([{ type: 'adopt', identity: IDENTITY, incarnation: 0 }]);
  });

  test('to a stable one: it is still stable, and its next end is followed by a start at once', () => {
    const step = tell(inPhase('running', { stable: true, deadline: null }), recovered(found));
    expect(step.job).toMatchObject({ stable: true, deadline: null });
    expect(tell(step.job, exit(step.job, UNKNOWN_EXIT)).job).toMatchObject({
      phase: 'preparing',
      attempt: 0,
    });
  });

  test('to one that may become stable: it does when it would have', () => {
    const since = (ready_at: number): Job =>
      tell(inPhase('running', {}, { ready_at, attempt: 3 }), recovered(found)).job;
    expect(since(WALL - 4_000)).toMatchObject({ stable: false, deadline: NOW + 6_000, attempt: 3 });
    // It has been up for long enough by now, though nobody was there to see it.
    expect(since(WALL - 10_000)).toMatchObject({ stable: true, deadline: null, attempt: 0 });
    // The clock was set back meanwhile.
    expect(since(WALL + 3_600_000)).toMatchObject({ stable: false, deadline: NOW + 10_000, attempt: 3 });
    const oneshot = tell(inPhase('running', { deadline: null }), recovered(found), { policy: ONESHOT });
    expect(oneshot.job).toMatchObject({ stable: false, deadline: null });
  });

  test('to one that was not ready: it has what is left of its time, and enough to be looked at', () => {
    const since = (started_at: number, policy = aPolicy()): Step =>
      tell(inPhase('starting', {}, { started_at }), recovered(found), { policy });
    expect(since(WALL - 10_000).job).toMatchObject({ phase: 'starting', deadline: NOW + 20_000 });
    expect(since(WALL - 60_000).job).toMatchObject({ phase: 'starting', deadline: NOW + READY_LOOK });
    expect(since(WALL + 3_600_000).job).toMatchObject({ phase: 'starting', deadline: NOW + 30_000 });
    const hasty = aPolicy({ ready_timeout: 1_000 });
    expect(since(WALL - 60_000, hasty).job).toMatchObject({ deadline: NOW + 1_000 });
    expect(effects(since(WALL))).toEqual(['adopt', 'watch_ready']);
  });

  test('with recovery: restart, a process goes through cleanup and start, a oneshot goes on', () => {
    const policy = aPolicy({ recovery: 'restart' });
    const step = tell(inPhase('running'), recovered(found), { policy });
    expect(step.job).toMatchObject({ phase: 'stopping', cause: 'requested', main_alive: true });
    expect(effects(step)).toEqual(['adopt', 'stop_group']);
    const oneshot = aPolicy({ recovery: 'restart', process: false });
    expect(
      tell(inPhase('running', { deadline: null }), recovered(found), { policy: oneshot }).job.phase,
    ).toBe('running');
  });

  test('to one that was being stopped: it is stopped', () => {
    const step = tell(inPhase('stopping', { escalation: 'kill' }), recovered(found));
    expect(step.job).toMatchObject({ phase: 'stopping', escalation: 'term', main_alive: true });
    expect(effects(step)).toEqual(['adopt', 'stop_group']);
  });

  test('to a spawn that happened: the same incarnation, kept and counted', () => {
    const job = spawning({
      incarnation: 3,
      restart_count: 2,
      started_at: 1,
      ready_at: 2,
      finished_at: 3,
      exit_code: 1,
    } as Partial<Job>);
    const step = tell(job, recovered({ found: { identity: IDENTITY, incarnation: 3 } }));
    expect(step.job).toMatchObject({
      phase: 'starting',
      identity: IDENTITY,
      restart_count: 3,
      started_at: WALL,
    });
    expect(step.job).toMatchObject({ ready_at: null, finished_at: null, exit_code: null });
  });

  test('to a spawn of which nothing is found: its number is used up, and said to be in doubt', () => {
    const first = tell(spawning(), recovered());
    expect(first.job).toMatchObject({
      phase: 'pending',
      restart_count: 0,
      started_at: WALL,
      reason: { code: 'INTERRUPTED' },
    });
    const later = tell(spawning({ restart_count: 2, started_at: 1 }), recovered());
    expect(later.job).toMatchObject({ phase: 'pending', restart_count: 3, last_identity: null });
    expect(tell(spawning({ wanted: 'down' }), recovered()).job).toMatchObject({
      phase: 'stopped',
      restart_count: 0,
    });
  });

  test('to a oneshot that got done meanwhile: it is not run again', () => {
    const policy = ONESHOT;
    const done = recovered({ status: CLEAN });
    expect(tell(spawning(), done, { policy }).job).toMatchObject({ phase: 'succeeded', exit_code: 0 });
    for (const job of [inPhase('running', { deadline: null }), inPhase('stopping')]) {
      const looking = tell(job, done, { policy });
      expect(effects(looking)).toEqual(['stop_group']);
      expect(tell(looking.job, gone(job), { policy }).job).toMatchObject({
        phase: 'succeeded',
        exit_code: 0,
      });
    }
    const rebooted = recovered({ status: CLEAN, rebooted: true });
    expect(tell(inPhase('running', { deadline: null }), rebooted, { policy }).job.phase).toBe('succeeded');
  });

  test('to a process that is gone: what it left is ended, then it starts in order; a failure like any other', () => {
    const job = inPhase('running', {}, { attempt: 1 });
    const looking = tell(job, recovered());
    expect(looking.job).toMatchObject({
      phase: 'stopping',
      cause: 'lost',
      main_alive: false,
      finished_at: WALL,
    });
    expect(effects(looking)).toEqual(['stop_group']);
    const paused = tell(looking.job, gone(job)).job;
    expect(paused).toMatchObject({
      phase: 'retrying',
      deadline: NOW + 200,
      in_order: true,
      attempt: 2,
      reason: { code: 'EXIT_UNKNOWN' },
    });
    expect(tell(paused, due(paused)).job).toMatchObject({ phase: 'pending', attempt: 2 });
    expect(tell(looking.job, gone(job), { policy: NEVER }).job).toMatchObject({ phase: 'failed' });
    expect(tell({ ...looking.job, wanted: 'down' }, gone(job)).job).toMatchObject({ phase: 'stopped' });
  });

  test('after a reboot: nothing is signalled, and it is no fault of its own', () => {
    const rebooted = recovered({ rebooted: true });
    const expected = { phase: 'pending', attempt: 1, reason: { code: 'REBOOTED' } };
    for (const job of [inPhase('running', {}, { attempt: 1 }), inPhase('stopping', {}, { attempt: 1 })]) {
      const step = tell(job, rebooted, { policy: NEVER });
      expect(step.job).toMatchObject(expected);
      expect(step.effects).toEqual([]);
      expect(tell({ ...job, wanted: 'down' }, rebooted).job.phase).toBe('stopped');
    }
  });

  describe('to a pause', () => {
    const failed = { attempt: 2, reason: exitReason(FAILED) };
    const pausing = (rest: number, changes: Partial<Job> = {}): Job =>
      inPhase('retrying', { deadline: 0, next_attempt_at: WALL + rest }, { ...failed, ...changes });

    test('that is not over: it ends when it was to, and then the job takes its turn', () => {
      const step = tell(pausing(150), recovered());
      expect(step).toMatchObject({
        job: { phase: 'retrying', deadline: NOW + 150, next_attempt_at: WALL + 150, ...failed },
        effects: [],
      });
      // What it depends on may be gone as well by now.
      expect(tell(step.job, due(step.job))).toMatchObject({
        job: { phase: 'pending', ...failed },
        effects: [],
      });
    });

    test('that is not over: a start and a restart do not wait for it, but for their turn', () => {
      const { job } = tell(pausing(150), recovered());
      expect(tell(job, up).job).toMatchObject({ phase: 'pending', attempt: 0 });
      expect(tell(job, restart).job).toMatchObject({ phase: 'pending', attempt: 0, reason: ASKED });
      expect(tell(job, down).job.phase).toBe('stopped');
    });

    test.each([0, -1, -3_600_000])('that was over %i ms later: it takes its turn', (rest) => {
      expect(tell(pausing(rest), recovered()).job).toMatchObject({ phase: 'pending', ...failed });
    });

    test('is never longer than its policy could have made it, whatever the clock says', () => {
      const { job } = tell(pausing(3_600_000), recovered());
      expect(job).toMatchObject({ deadline: NOW + 220, next_attempt_at: WALL + 220 });
      // The file may name another by now.
      const policy = aPolicy({}, { delay: 10, jitter: 0 });
      expect(tell(pausing(150), recovered(), { policy }).job).toMatchObject({ deadline: NOW + 20 });
    });

    test('with recovery: restart it is no other, as nothing of it runs', () => {
      const policy = aPolicy({ recovery: 'restart' });
      expect(tell(pausing(150), recovered(), { policy }).job).toMatchObject({ deadline: NOW + 150 });
    });

    test('is over after a reboot, and what failed before it still counts', () => {
      const step = tell(pausing(150), recovered({ rebooted: true }));
      expect(step).toMatchObject({ job: { phase: 'pending', ...failed }, effects: [] });
    });

    test('to wait for a holder: it looks again at once', () => {
      expect(tell(pausing(150, { reason: HELD }), recovered()).job).toMatchObject({ phase: 'pending' });
    });
  });

  test('to a job without a process: goes on where it is wanted, in order', () => {
    for (const phase of ['pending', 'preparing', 'stopped'] as const) {
      expect(tell(inPhase(phase, {}, { attempt: 2 }), recovered())).toMatchObject({
        job: { phase: 'pending', attempt: 2 },
        effects: [],
      });
      expect(tell(inPhase(phase, {}, { wanted: 'down' }), recovered()).job.phase).toBe('stopped');
    }
    expect(tell(inPhase('retrying', {}, { wanted: 'down' }), recovered()).job.phase).toBe('stopped');
    for (const phase of ['succeeded', 'failed'] as const) {
      expect(tell(inPhase(phase), recovered())).toMatchObject({ job: { phase }, verdict: 'ignored' });
    }
  });
});
