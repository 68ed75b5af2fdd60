/**
 * The moves: one function for each way into a phase. Each sets what the phase needs, its deadline among it, and asks
 * for what is to be done there.
 */
import type { Identity } from '../process/identity.ts';
import type { JobEffect } from './event.ts';
import {
  type Job,
  type JobBase,
  type JobIn,
  nextIncarnation,
  type PhaseState,
  type StopCause,
} from './job.ts';
import { PREPARE_SLACK } from './policy.ts';
import { type Reason, reason } from './reason.ts';
import { type Context, enter, type Step, step } from './step.ts';

/** Waits for what it depends on. */
export function toPending(job: Job, why: Reason, changes: Partial<JobBase> = {}): Step {
  return step(enter(job, { phase: 'pending' }, { ...changes, reason: why }));
}

/** Makes its claims free, to be spawned afterwards. */
export function toPreparing(job: Job, context: Context, changes: Partial<JobBase> = {}): Step {
  const deadline = context.now + 2 * context.policy.stop_timeout + PREPARE_SLACK;
  const next = enter(job, { phase: 'preparing', step: 'reclaim', deadline }, changes);
  return step(next, [{ type: 'prepare', epoch: next.epoch }]);
}

/** Its claims are free: it is being spawned. */
export function toSpawning(job: JobIn<'preparing'>, context: Context): Step {
  const incarnation = nextIncarnation(job);
  const { spec_digest } = context.policy;
  const next = enter(job, { phase: 'preparing', step: 'spawn', incarnation }, { spec_digest });
  return step(next, [{ type: 'spawn', epoch: next.epoch, incarnation }]);
}

/**
 * A live main process of incarnation `restart_count`: ready at once where there is nothing to wait for.
 *
 * @param time What it has to become ready, in ms.
 */
export function toAlive(
  job: Job,
  context: Context,
  identity: Identity,
  changes: Partial<JobBase>,
  time: number = context.policy.ready_timeout,
): Step {
  const { policy, now } = context;
  const known = { ...changes, last_identity: identity };
  if (policy.awaits_ready) {
    const next = enter(job, { phase: 'starting', identity, deadline: now + time }, known);
    return step(next, [{ type: 'watch_ready', epoch: next.epoch }]);
  }
  return toRunning(job, context, identity, known);
}

/** It is ready. */
export function toRunning(
  job: Job,
  context: Context,
  identity: Identity,
  changes: Partial<JobBase> = {},
): Step {
  return step(enter(job, runningState(identity, context), { ...changes, ready_at: context.wall }));
}

/** The state of what runs and has yet to prove itself stable. */
export function runningState(
  identity: Identity,
  { policy, now }: Context,
): Extract<PhaseState, { phase: 'running' }> {
  // A oneshot is done when it exits; being stable means nothing to it.
  const deadline = policy.process ? now + policy.restart.stable_after : null;
  return { phase: 'running', identity, stable: false, deadline };
}

/** Its group is being ended, with SIGTERM to begin with. `main_alive`: its main process is still there. */
export function toStopping(
  job: JobIn<'starting' | 'running' | 'stopping'>,
  context: Context,
  cause: StopCause,
  main_alive: boolean,
  changes: Partial<JobBase> = {},
): Step {
  const next = enter(
    job,
    {
      phase: 'stopping',
      identity: job.identity,
      main_alive,
      cause,
      was_stable: wasStable(job),
      escalation: 'term',
      deadline: context.now + context.policy.stop_timeout,
    },
    changes,
  );
  return step(next, [
    { type: 'stop_group', identity: job.identity, incarnation: next.restart_count, kill: false },
  ]);
}

/** Waits for `delay` ms, then tries again. */
export function toRetrying(job: Job, context: Context, delay: number, changes: Partial<JobBase>): Step {
  const deadline = context.now + delay;
  const next_attempt_at = Math.round(context.wall + delay);
  return step(enter(job, { phase: 'retrying', deadline, next_attempt_at, in_order: false }, changes));
}

/** Its pause is over, or was cut short: the next try. */
export function toNextTry(job: JobIn<'retrying'>, context: Context, changes: Partial<JobBase> = {}): Step {
  if (job.in_order) return toPending(job, changes.reason ?? job.reason, changes);
  return toPreparing(job, context, changes);
}

/** Nothing of it runs, and nothing is to. */
export function toStopped(job: Job, why: Reason, effects: readonly JobEffect[] = []): Step {
  return step(enter(job, { phase: 'stopped' }, { reason: why }), effects);
}

const REQUESTED_DOWN = reason('WANTED_DOWN', 'stopped because it is wanted down');

/** Why a job is at rest that upkeep stopped for its own sake. */
export const SHUTTING_DOWN = reason(
  'SHUTDOWN',
  'stopped because upkeep was shut down; it comes back with upkeep',
);

/** Why a job that is headed down is at rest. */
export function restReason(context: Context): Reason {
  return context.halting ? SHUTTING_DOWN : REQUESTED_DOWN;
}

/** Its incarnation had been up for long enough when it ended, or began to be stopped. */
export function wasStable(job: Job): boolean {
  return job.phase === 'running' ? job.stable : job.phase === 'stopping' && job.was_stable;
}

/** What is known of an incarnation that has just begun. */
export function born(
  incarnation: number,
  context: Context,
  last_identity: Identity | null,
): Partial<JobBase> {
  return {
    restart_count: incarnation,
    started_at: context.wall,
    ready_at: null,
    finished_at: null,
    exit_code: null,
    exit_signal: null,
    last_identity,
  };
}
