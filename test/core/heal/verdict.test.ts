import { describe, expect, it } from 'vitest';
import { judge, type Patient } from '../../../core/heal/verdict.ts';
import type { CheckState } from '../../../core/health/health_watch.ts';
import type { Job, PhaseState } from '../../../core/job/job.ts';
import { reason } from '../../../core/job/reason.ts';
import { aJob, anIdentity } from '../job/builders.ts';

const identity = anIdentity();
const RUNNING: PhaseState = { phase: 'running', identity, stable: false, deadline: 1 };
const STABLE: PhaseState = { phase: 'running', identity, stable: true, deadline: null };
const WAITING: PhaseState = { phase: 'retrying', deadline: 1, next_attempt_at: 1, in_order: false };

function patient(job: Job, changes: Partial<Patient> = {}): Patient {
  return { job, process: true, checks: [], must_be_stable: false, ...changes };
}

function check(health: CheckState['standing']['health'], fails = 0, role = 'liveness'): CheckState {
  const passes = health === 'healthy' ? 1 : 0;
  const looked = passes + fails > 0;
  return {
    spec: { type: 'tcp', role } as CheckState['spec'],
    standing: { health, passes, fails, has_passed: passes > 0 },
    last: looked ? { status: 'pass', message: '', data: {}, at: 1, duration: 1 } : null,
  };
}

const alone = (job: Job, changes: Partial<Patient> = {}) => judge([patient(job, changes)])[0];

describe('one action', () => {
  it.each<[PhaseState, string]>([
    [{ phase: 'pending' }, 'open'],
    [{ phase: 'preparing', step: 'reclaim', deadline: 1 }, 'open'],
    [{ phase: 'preparing', step: 'spawn', incarnation: 1 }, 'open'],
    [{ phase: 'starting', identity, deadline: 1 }, 'open'],
    [RUNNING, 'well'],
    [STABLE, 'well'],
    [WAITING, 'ill'],
    [{ phase: 'stopped' }, 'ill'],
    [{ phase: 'succeeded' }, 'well'],
    [{ phase: 'failed' }, 'ill'],
  ])('%j is %s', (state, verdict) => {
    expect(alone(aJob(state))).toBe(verdict);
  });

  it('that was failing is not well before it is stable', () => {
    expect(alone(aJob(RUNNING), { must_be_stable: true })).toBe('open');
    expect(alone(aJob(STABLE), { must_be_stable: true })).toBe('well');
  });

  it('that is a oneshot is well once it has succeeded', () => {
    expect(alone(aJob(STABLE), { process: false })).toBe('open');
  });

  it('is open until each check has looked, and ill with one that fails for good', () => {
    expect(alone(aJob(RUNNING), { checks: [check('healthy')] })).toBe('well');
    expect(alone(aJob(RUNNING), { checks: [check('healthy'), check('unknown')] })).toBe('open');
    expect(alone(aJob(RUNNING), { checks: [check('healthy', 1)] })).toBe('open');
    expect(alone(aJob(RUNNING), { checks: [check('unhealthy', 3)] })).toBe('ill');
    // A startup check is not asked any more.
    expect(alone(aJob(RUNNING), { checks: [check('unknown', 0, 'startup')] })).toBe('well');
  });

  it('that survives SIGKILL is ill', () => {
    const stopping: PhaseState = {
      phase: 'stopping',
      identity,
      main_alive: true,
      cause: 'fault',
      was_stable: false,
      escalation: 'survived',
      deadline: 1,
    };
    expect(alone(aJob(stopping))).toBe('open');
    expect(alone(aJob(stopping, { reason: reason('SURVIVORS', 'x') }))).toBe('ill');
  });
});

describe('what waits for another action', () => {
  const pending = aJob({ phase: 'pending' }, { reason: reason('DEPENDENCY_WAIT', 'waits') });

  it('is as ill as that', () => {
    expect(judge([patient(aJob(WAITING)), patient(pending)])).toEqual(['ill', 'ill']);
    const failed = aJob({ phase: 'pending' }, { reason: reason('DEPENDENCY_FAILED', 'failed') });
    expect(alone(failed)).toBe('ill');
  });

  it('is open as long as that is, or another one', () => {
    expect(judge([patient(aJob(RUNNING)), patient(pending)])).toEqual(['well', 'open']);
    const starting = aJob({ phase: 'starting', identity, deadline: 1 });
    expect(judge([patient(aJob(WAITING)), patient(starting), patient(pending)])).toEqual([
      'ill',
      'open',
      'open',
    ]);
  });
});
