/** The machine as a specification: when the next try comes, and when there is none. */
import { describe, expect, test } from 'vitest';
import type { JobEvent } from '../../../core/job/event.ts';
import type { Job } from '../../../core/job/job.ts';
import type { Context } from '../../../core/job/step.ts';
import { aPolicy } from './builders.ts';
import {
  CLEAN,
  due,
  exit,
  FAILED,
  gone,
  HELD,
  inPhase,
  MISSING,
  NEVER,
  NOW,
  spawning,
  tell,
  up,
  WALL,
} from './samples.ts';

describe('backoff', () => {
  const policy = aPolicy({}, { delay: 100, factor: 2, max_delay: 1_000, jitter: 0.5, stable_after: 10_000 });

  /** The pause that follows an end, in ms; null where there is none. */
  function pauseAfter(job: Job, changes: Partial<Context> = {}): { pause: number | null; job: Job } {
    const step = tell(job, exit(job, FAILED), { policy, ...changes });
    return { pause: step.job.phase === 'retrying' ? step.job.deadline - NOW : null, job: step.job };
  }

  function runningAgain(job: Job, fields: object = {}): Job {
    return inPhase('running', fields, {
      attempt: job.attempt,
      restart_count: job.restart_count + 1,
      started_at: 2_000,
    });
  }

  test('the first restart after a stable time is immediate, then the pauses grow up to the cap', () => {
    let job: Job = inPhase('running', { stable: true, deadline: null });
    const pauses: (number | null)[] = [];
    for (let end = 0; end < 7; end += 1) {
      const next = pauseAfter(job);
      pauses.push(next.pause);
      expect(next.job.attempt).toBe(end);
      job = runningAgain(next.job);
    }
    expect(pauses).toEqual([null, 100, 200, 400, 800, 1_000, 1_000]);
    expect(job.restart_count).toBe(7);
  });

  test('what was never stable pauses from the first failure on', () => {
    expect(pauseAfter(inPhase('running')).pause).toBe(100);
  });

  test('jitter lengthens a pause by up to its share', () => {
    const job = inPhase('running', {}, { attempt: 2 });
    expect(pauseAfter(job, { random: 0 }).pause).toBe(400);
    expect(pauseAfter(job, { random: 0.5 }).pause).toBe(500);
    expect(pauseAfter(job, { random: 0.999 }).pause).toBeLessThan(600);
  });

  test('the time of the next try is told in wall time as well', () => {
    const { job, pause } = pauseAfter(inPhase('running', {}, { attempt: 2 }));
    expect(job.phase === 'retrying' && job.next_attempt_at).toBe(WALL + (pause ?? 0));
  });

  test('stable again: the next restart is immediate, and counted', () => {
    const shaky = inPhase('running', {}, { attempt: 5, restart_count: 9 });
    const stable = tell(shaky, due(shaky), { policy }).job;
    const { pause, job } = pauseAfter(stable);
    expect([pause, job.attempt, job.restart_count]).toEqual([null, 0, 9]);
  });

  test('a manual start zeroes it', () => {
    const retrying = inPhase('retrying', {}, { attempt: 6 });
    expect(tell(retrying, up, { policy }).job.attempt).toBe(0);
    expect(tell(inPhase('running', {}, { attempt: 6 }), up, { policy }).job.attempt).toBe(0);
  });

  test('waiting for a holder raises neither attempt nor restart_count, and never ends in giving up', () => {
    const strict = aPolicy({}, { max_attempts: 1 });
    let job: Job = inPhase('preparing', {}, { restart_count: 2, started_at: 2_000 });
    for (let look = 0; look < 100; look += 1) {
      const waiting = tell(job, { type: 'blocked', epoch: job.epoch, reason: HELD }, { policy: strict });
      expect(waiting.job).toMatchObject({ phase: 'retrying', attempt: 0, restart_count: 2 });
      job = tell(waiting.job, due(waiting.job), { policy: strict }).job;
    }
  });

  test('given up after max_attempts failed tries in a row, and why is kept', () => {
    const tired = aPolicy({}, { max_attempts: 3 });
    for (const attempt of [0, 1]) {
      const job = inPhase('running', {}, { attempt });
      expect(tell(job, exit(job, FAILED), { policy: tired }).job.phase).toBe('retrying');
    }
    const last = inPhase('running', {}, { attempt: 2 });
    const step = tell(last, exit(last, FAILED), { policy: tired });
    expect(step.job).toMatchObject({
      phase: 'failed',
      attempt: 3,
      exit_code: 3,
      reason: { code: 'GAVE_UP' },
    });
    expect(step.job.reason.evidence).toMatchObject({ attempt: 3, last_failure: { code: 'EXITED' } });
    expect(step.job.reason.message).toContain('exited with code 3');
    const restarted = tell(step.job, up, { policy: tired });
    expect(restarted.job).toMatchObject({ phase: 'pending', attempt: 0 });
  });

  test('a failed spawn and a fault count as a failed exit does', () => {
    const tired = aPolicy({}, { max_attempts: 1 });
    const job = spawning();
    const failed = tell(job, { type: 'spawn_failed', epoch: job.epoch, reason: MISSING }, { policy: tired });
    expect(failed.job).toMatchObject({ phase: 'failed', reason: { code: 'GAVE_UP' } });
    const ill = inPhase('stopping', { cause: 'fault', main_alive: false });
    expect(tell(ill, gone(ill), { policy: tired }).job.phase).toBe('failed');
  });

  test('a policy of never gives up at the first end, and not on a wait', () => {
    const job = inPhase('running', { stable: true, deadline: null });
    expect(tell(job, exit(job, FAILED), { policy: NEVER }).job).toMatchObject({ phase: 'failed' });
    expect(tell(job, exit(job, CLEAN), { policy: NEVER }).job).toMatchObject({ phase: 'succeeded' });
    const preparing = inPhase('preparing');
    const event: JobEvent = { type: 'blocked', epoch: preparing.epoch, reason: HELD };
    expect(tell(preparing, event, { policy: NEVER }).job.phase).toBe('retrying');
  });
});
