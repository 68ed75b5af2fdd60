/** The machine as a specification: on the way down, at rest, and up again. */
import { describe, expect, test } from 'vitest';
import { KILL_INTERVAL } from '../../../core/job/policy.ts';
import { aPolicy } from './builders.ts';
import {
  CLEAN,
  down,
  due,
  effects,
  exit,
  FAILED,
  gone,
  inPhase,
  KILLED,
  NEVER,
  ON_FAILURE,
  ONESHOT,
  recovered,
  restart,
  tell,
  up,
} from './samples.ts';

describe('a oneshot', () => {
  const job = inPhase('running', { deadline: null });
  const policy = ONESHOT;

  test('exits with 0: succeeded, whatever is wanted by then', () => {
    expect(tell(job, exit(job, CLEAN), { policy }).job).toMatchObject({ phase: 'succeeded', exit_code: 0 });
    const unwanted = inPhase('running', { deadline: null }, { wanted: 'down' });
    expect(tell(unwanted, exit(unwanted, CLEAN), { policy }).job.phase).toBe('succeeded');
  });

  test('fails: tried again as its policy says', () => {
    expect(tell(job, exit(job, FAILED), { policy }).job).toMatchObject({ phase: 'retrying', attempt: 1 });
    const once = aPolicy({ process: false }, { policy: 'never' });
    expect(tell(job, exit(job, FAILED), { policy: once }).job).toMatchObject({ phase: 'failed' });
  });

  test('gets done while upkeep goes down: is not run again when it comes back', () => {
    const stopping = tell(job, { type: 'cleared' }, { policy, halting: true }).job;
    const done = tell(tell(stopping, exit(job, CLEAN), { policy, halting: true }).job, gone(job), {
      policy,
      halting: true,
    });
    expect(done.job).toMatchObject({ phase: 'succeeded', reason: { code: 'EXITED' } });
  });

  test('is done, but something of its group survives SIGKILL: still done', () => {
    const job = inPhase(
      'stopping',
      { cause: 'exit', main_alive: false, escalation: 'kill' },
      { exit_code: 0 },
    );
    const step = tell(job, due(job), { policy });
    expect(step.job.phase).toBe('succeeded');
    expect(step.notes.map(({ code }) => code)).toEqual(['SURVIVORS']);
  });

  test('has succeeded: nothing starts it again in this run', () => {
    const done = inPhase('succeeded');
    for (const event of [up, down, restart, recovered()]) {
      expect(tell(done, event, { policy })).toMatchObject({ job: { phase: 'succeeded' }, effects: [] });
    }
  });
});

describe('stopping', () => {
  const job = inPhase('stopping');

  test('TERM, then KILL, then it is said that something survives; KILL goes on (case 10)', () => {
    const killed = tell(job, due(job));
    expect(killed.job).toMatchObject({ escalation: 'kill', deadline: job.deadline + KILL_INTERVAL });
    expect(effects(killed)).toEqual(['kill']);
    expect(killed.notes.map(({ code }) => code)).toEqual(['STOP_TIMEOUT']);

    const survived = tell(killed.job, due(killed.job));
    expect(survived.job).toMatchObject({ phase: 'stopping', escalation: 'survived' });
    expect(effects(survived)).toEqual(['kill']);
    expect(survived.notes.map(({ code }) => code)).toEqual(['SURVIVORS']);

    const again = tell(survived.job, due(survived.job));
    expect(effects(again)).toEqual(['kill']);
    expect(again.notes).toEqual([]);
  });

  test('what survives does not hold a stop up; it is named, and forgotten once it is gone', () => {
    const unwanted = inPhase('stopping', { escalation: 'kill' }, { wanted: 'down' });
    const step = tell(unwanted, due(unwanted));
    expect(step.job).toMatchObject({ phase: 'stopped', reason: { code: 'SURVIVORS' } });
    expect(effects(step)).toEqual(['kill']);
    expect(tell(step.job, down).job.reason.code).toBe('SURVIVORS');
    expect(tell(step.job, gone(step.job)).job).toMatchObject({
      phase: 'stopped',
      reason: { code: 'WANTED_DOWN' },
    });
  });

  test('wanted up again: starts as soon as nothing is left', () => {
    const unwanted = inPhase('stopping', {}, { wanted: 'down' });
    expect(tell(tell(unwanted, up).job, gone(job)).job).toMatchObject({ phase: 'preparing', wanted: 'up' });
    expect(tell(unwanted, gone(job)).job).toMatchObject({
      phase: 'stopped',
      reason: { code: 'WANTED_DOWN' },
    });
  });

  test.each([
    ['a restart', restart],
    ['a start', up],
  ])('%s is heard, whatever it is being stopped for', (_name, event) => {
    for (const cause of ['requested', 'fault', 'exit', 'lost'] as const) {
      const job = inPhase('stopping', { cause, main_alive: false }, { exit_code: 0, attempt: 4 });
      const step = tell(tell(job, event).job, gone(job), { policy: NEVER });
      expect(step.job).toMatchObject({ phase: 'preparing', wanted: 'up', attempt: 0 });
    }
  });

  test('wanted down again: stopped', () => {
    const restarting = tell(inPhase('running'), restart).job;
    expect(tell(tell(restarting, down).job, gone(restarting)).job.phase).toBe('stopped');
  });
});

describe('retrying', () => {
  const job = inPhase('retrying', {}, { attempt: 7, restart_count: 3, started_at: 2_000 });

  test('its time has come: tries again', () => {
    const step = tell(job, due(job));
    expect(step.job).toMatchObject({ phase: 'preparing', step: 'reclaim', attempt: 7 });
    expect(effects(step)).toEqual(['prepare']);
  });

  test('a stop does not wait (case 16)', () => {
    expect(tell(job, down)).toMatchObject({ job: { phase: 'stopped', wanted: 'down' }, effects: [] });
    expect(tell(job, { type: 'halt' }, { halting: true }).job).toMatchObject({
      phase: 'stopped',
      wanted: 'up',
    });
  });

  test('neither does a start or a restart, which forget the failed tries (case 16)', () => {
    for (const event of [up, restart]) {
      const step = tell(job, event);
      expect(step.job).toMatchObject({ phase: 'preparing', step: 'reclaim', attempt: 0, restart_count: 3 });
      expect(effects(step)).toEqual(['prepare']);
    }
  });
});

describe('at rest', () => {
  test('stopped or failed: a start and a restart begin again, and keep the count', () => {
    for (const phase of ['stopped', 'failed'] as const) {
      for (const event of [up, restart]) {
        const job = inPhase(phase, {}, { wanted: 'down', attempt: 9, restart_count: 4, started_at: 2_000 });
        const step = tell(job, event);
        expect(step.job).toMatchObject({ phase: 'pending', wanted: 'up', attempt: 0, restart_count: 4 });
      }
    }
  });

  test('a start while upkeep goes down is noted for its return', () => {
    for (const phase of ['stopped', 'failed'] as const) {
      const noted = tell(inPhase(phase, {}, { wanted: 'down' }), up, { halting: true });
      expect(noted).toMatchObject({ job: { phase: 'stopped', wanted: 'up' }, effects: [] });
      expect(tell(noted.job, recovered()).job.phase).toBe('pending');
    }
  });

  test('failed, and wanted down: stopped', () => {
    expect(tell(inPhase('failed'), down).job).toMatchObject({ phase: 'stopped', wanted: 'down' });
  });

  test('a process that ended as it may: a start and a restart begin again', () => {
    for (const event of [up, restart]) {
      expect(tell(inPhase('succeeded'), event, { policy: ON_FAILURE }).job.phase).toBe('pending');
    }
    expect(tell(inPhase('succeeded'), down, { policy: ON_FAILURE }).job).toMatchObject({
      phase: 'succeeded',
      wanted: 'down',
    });
  });

  test('the late end of what had survived changes nothing', () => {
    const job = inPhase('stopped', {}, { started_at: 2_000 });
    expect(tell(job, exit(job, KILLED))).toMatchObject({ job, verdict: 'ignored' });
  });
});
