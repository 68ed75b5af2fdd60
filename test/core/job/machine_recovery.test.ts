/** The machine as a specification: what upkeep makes of what it finds when it comes back. */
import { describe, expect, test } from 'vitest';
import type { Job } from '../../../core/job/job.ts';
import { UNKNOWN_EXIT } from '../../../core/process/exit.ts';
import { aPolicy } from './builders.ts';
import {
  CLEAN,
  effects,
  exit,
  gone,
  IDENTITY,
  inPhase,
  NEVER,
  NOW,
  ONESHOT,
  recovered,
  spawning,
  tell,
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

  test('to one that was not ready: it is waited for anew', () => {
    const step = tell(inPhase('starting'), recovered(found));
    expect(step.job).toMatchObject({ phase: 'starting', deadline: NOW + 30_000 });
    expect(effects(step)).toEqual(['adopt', 'watch_ready']);
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
    expect(tell(looking.job, gone(job)).job).toMatchObject({
      phase: 'pending',
      attempt: 2,
      reason: { code: 'EXIT_UNKNOWN' },
    });
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

  test('to a job without a process: goes on where it is wanted, in order', () => {
    for (const phase of ['pending', 'preparing', 'retrying', 'stopped'] as const) {
      expect(tell(inPhase(phase, {}, { attempt: 2 }), recovered())).toMatchObject({
        job: { phase: 'pending', attempt: 2 },
        effects: [],
      });
      expect(tell(inPhase(phase, {}, { wanted: 'down' }), recovered()).job.phase).toBe('stopped');
    }
    for (const phase of ['succeeded', 'failed'] as const) {
      expect(tell(inPhase(phase), recovered())).toMatchObject({ job: { phase }, verdict: 'ignored' });
    }
  });
});
