/**
 * What the user may ask for: up, down and restart, in each kind of phase. A stop of something that others depend on
 * waits for `cleared`: until then the job runs on with `wanted` down, and if it dies in the meantime it is not
 * started again. A shutdown of upkeep is no such request: it leaves `wanted` as it is.
 */
import type { JobEffect, JobEventOf } from './event.ts';
import type { Job, JobBase, JobIn } from './job.ts';
import { restReason, toPending, toStopped, toStopping } from './moves.ts';
import { type Reason, type ReasonCode, reason } from './reason.ts';
import { amend, type Context, type Step, step, target, untouched } from './step.ts';

/** Asking for up forgets the failed tries. */
export const ASKED_UP = { wanted: 'up', attempt: 0 } as const satisfies Partial<JobBase>;

/** Why a job is on its way that somebody wants up. */
export const START_REQUESTED = reason('REQUESTED', 'start requested');

/** Reasons to wait, to try again or to be at rest: once a job starts they are over, and do not say why it runs. */
const OVER_ONCE_STARTED: ReadonlySet<ReasonCode> = new Set([
  'DEPENDENCY_WAIT',
  'DEPENDENCY_FAILED',
  'PORT_HELD',
  'SOCKET_HELD',
  'SOCKET_NOT_A_SOCKET',
  'PIDFILE_HELD',
  'PROBE_UNAVAILABLE',
  'SHUTDOWN',
  'WANTED_DOWN',
  'SPAWN_FAILED',
  'COMMAND_NOT_FOUND',
]);

/**
 * Why a job that is on its way has to wait: `why`, which for all that does not make it forgotten what it was to be
 * started for.
 */
export function waitReason(job: Job, why: Reason): Reason {
  const cause = startCause(job.reason);
  // That somebody asked goes without saying.
  if (cause.code === START_REQUESTED.code && cause.message === START_REQUESTED.message) return why;
  return { ...why, evidence: { ...why.evidence, start_cause: cause } };
}

/**
 * Why a job runs, now that it is started: what made it start again, or that somebody asked; and what it had to wait for
 * last.
 */
export function startReason(why: Reason): Reason {
  const cause = startCause(why);
  if (why.evidence['start_cause'] === undefined || cause === why) return cause;
  const { start_cause: _over, ...evidence } = why.evidence;
  return { ...cause, evidence: { ...cause.evidence, waited_for: { ...why, evidence } } };
}

/** What a job with this reason is being started for. */
function startCause(why: Reason): Reason {
  if (!OVER_ONCE_STARTED.has(why.code)) return why;
  // Written by `waitReason`, by this upkeep or an earlier one.
  return (why.evidence['start_cause'] as Reason | undefined) ?? START_REQUESTED;
}

/** Wanted anew in a phase that has nothing to undo. */
export function setWanted(job: Job, event: JobEventOf<'want'>): Step {
  return step(amend(job, event.wanted === 'up' ? ASKED_UP : { wanted: 'down' }));
}

/** A restart of what is on its way already. */
export function restartOnItsWay(job: Job): Step {
  return step(amend(job, ASKED_UP));
}

/** Wanted anew in a phase in which nothing of the job runs. */
export function wantIdle(
  job: Job,
  event: JobEventOf<'want'>,
  context: Context,
  effects: readonly JobEffect[] = [],
): Step {
  const wanted = setWanted(job, event).job;
  return target(wanted, context) === 'up' ? step(wanted) : toStopped(wanted, restReason(context), effects);
}

/** Wanted anew at rest. */
export function wantFromRest(
  job: JobIn<'stopped' | 'failed'>,
  event: JobEventOf<'want'>,
  context: Context,
): Step {
  if (event.wanted === 'up') return startFromRest(job, START_REQUESTED, context);
  return stayDown(amend(job, { wanted: 'down' }), context);
}

/** A start, or a restart of what does not run. While upkeep goes down it is only noted. */
export function startFromRest(job: Job, why: Reason, context: Context): Step {
  if (context.halting) return stayDown(amend(job, ASKED_UP), context);
  return toPending(job, why, ASKED_UP);
}

/** A restart of what is at rest: a start. */
export function restartFromRest(job: Job, event: JobEventOf<'restart'>, context: Context): Step {
  return startFromRest(job, event.reason, context);
}

/** Down, and still so. What survives SIGKILL is not forgotten for that. */
function stayDown(job: Job, context: Context): Step {
  return toStopped(job, job.reason.code === 'SURVIVORS' ? job.reason : restReason(context));
}

/** A restart of what runs: a stop, with `wanted` up. */
export function restartAlive(
  job: JobIn<'starting' | 'running'>,
  event: JobEventOf<'restart'>,
  context: Context,
): Step {
  return toStopping(job, context, 'requested', true, { ...ASKED_UP, reason: event.reason });
}

/** Nothing that depends on it runs any more: the stop that waited for that begins. */
export function stopWhenCleared(job: JobIn<'starting' | 'running'>, _event: object, context: Context): Step {
  if (target(job, context) === 'up') return untouched(job, 'ignored');
  return toStopping(job, context, 'requested', true, { reason: restReason(context) });
}

/** Wanted up while it is being stopped, for whatever cause: what comes next is a start that somebody asked for. */
export function startAfterStop(job: JobIn<'stopping'>, changes: Partial<JobBase> = {}): Step {
  return step({ ...amend(job, { ...changes, ...ASKED_UP }), cause: 'requested' });
}
