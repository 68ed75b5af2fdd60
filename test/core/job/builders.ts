/** Jobs, policies and contexts for tests: every field has a default, a test names what it is about. */
import type { Job, JobBase, PhaseState } from '../../../core/job/job.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import { reason } from '../../../core/job/reason.ts';
import type { Context } from '../../../core/job/step.ts';
import type { Identity } from '../../../core/process/identity.ts';

export function anIdentity(incarnation = 0): Identity {
  return { boot_id: 'boot', pid: 100 + incarnation, start_time: 1_000 + incarnation };
}

const BASE: JobBase = {
  id: 'j1',
  run_id: 'r1',
  service: 'shop',
  action: 'web',
  wanted: 'up',
  epoch: 10,
  restart_count: 0,
  attempt: 0,
  reason: reason('REQUESTED', 'start requested'),
  created_at: 1_000,
  started_at: null,
  ready_at: null,
  finished_at: null,
  exit_code: null,
  exit_signal: null,
  spec_digest: null,
  last_identity: null,
};

/** A job in some phase; one that has, or had, a process has been spawned once. */
export function aJob(state: PhaseState, changes: Partial<JobBase> = {}): Job {
  const spawned =
    'identity' in state ? { started_at: 2_000, last_identity: state.identity } : { started_at: null };
  return { ...BASE, ...spawned, ...changes, ...state };
}

export function aPolicy(
  changes: Partial<Omit<JobPolicy, 'restart'>> = {},
  restart: Partial<JobPolicy['restart']> = {},
): JobPolicy {
  return {
    process: true,
    awaits_ready: true,
    ready_timeout: 30_000,
    stop_timeout: 10_000,
    recovery: 'adopt',
    spec_digest: 'as in the file',
    ...changes,
    restart: {
      policy: 'always',
      delay: 100,
      factor: 2,
      max_delay: 30_000,
      jitter: 0.1,
      stable_after: 10_000,
      max_attempts: 0,
      ...restart,
    },
  };
}

export function aContext(changes: Partial<Context> = {}): Context {
  return { policy: aPolicy(), now: 50_000, wall: 1_700_000_000_000, random: 0, halting: false, ...changes };
}
