/**
 * A step of the state machine: what a decision may depend on, what comes of it, and the few pieces that every
 * decision is made of.
 */
import type { JobEffect } from './event.ts';
import type { Job, JobBase, PhaseState, Wanted } from './job.ts';
import type { JobPolicy } from './policy.ts';
import type { Reason } from './reason.ts';

/** What a decision may depend on beside the job and the event. */
export interface Context {
  readonly policy: JobPolicy;
  /** Monotonic ms: decides. */
  readonly now: number;
  /** Ms since the epoch: recorded. */
  readonly wall: number;
  /** In [0, 1). */
  readonly random: number;
  /** upkeep is going down. */
  readonly halting: boolean;
}

/** What became of an event. */
export interface Step {
  readonly job: Job;
  readonly effects: readonly JobEffect[];
  /** Facts worth recording beside the change of phase. */
  readonly notes: readonly Reason[];
  /** `stale`: older than the job; `ignored`: an expected race; `impossible`: a bug of the shell. */
  readonly verdict: 'taken' | 'stale' | 'ignored' | 'impossible';
}

/** The event was taken: the job as it is from now on, what is to be done, what is to be recorded. */
export function step(job: Job, effects: readonly JobEffect[] = [], notes: readonly Reason[] = []): Step {
  return { job, effects, notes, verdict: 'taken' };
}

/** The event changes nothing, for the reason that `verdict` gives. */
export function untouched(job: Job, verdict: Exclude<Step['verdict'], 'taken'>): Step {
  return { ...step(job), verdict };
}

function base(job: Job): JobBase {
  return {
    id: job.id,
    run_id: job.run_id,
    service: job.service,
    action: job.action,
    wanted: job.wanted,
    epoch: job.epoch,
    restart_count: job.restart_count,
    attempt: job.attempt,
    reason: job.reason,
    created_at: job.created_at,
    started_at: job.started_at,
    ready_at: job.ready_at,
    finished_at: job.finished_at,
    exit_code: job.exit_code,
    exit_signal: job.exit_signal,
    spec_digest: job.spec_digest,
    last_identity: job.last_identity,
  };
}

/** Enters a phase: the only place where `epoch` rises. */
export function enter<S extends PhaseState>(job: Job, state: S, changes: Partial<JobBase> = {}): JobBase & S {
  return { ...base(job), ...changes, ...state, epoch: job.epoch + 1 };
}

/** Changes a job without leaving its phase. */
export function amend<J extends Job>(job: J, changes: Partial<JobBase>): J {
  return { ...job, ...changes };
}

/** Where the job is headed: what is wanted, or down while upkeep itself is going down. */
export function target(job: Job, context: Context): Wanted {
  return context.halting ? 'down' : job.wanted;
}
