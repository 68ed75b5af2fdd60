/**
 * What upkeep decides when it comes back: it has looked what is left of the job that it left behind, and keeps it,
 * ends the rest of it, or goes on as if it had seen it end.
 *
 * Deadlines are monotonic time, which nobody can read any more; they are made anew from the wall times on the job. That
 * clock may have been set meanwhile: what is left is never more than the whole, so it can end a wait too early but
 * never hold anything up.
 */
import { exitReason, UNKNOWN_EXIT } from '../process/exit.ts';
import type { Identity } from '../process/identity.ts';
import { afterExit, afterStop, exitFields, inOrder } from './ending.ts';
import type { JobEffect, JobEventOf } from './event.ts';
import { atRest, type Job, type JobIn, nextIncarnation } from './job.ts';
import {
  born,
  restReason,
  runningState,
  toAlive,
  toPending,
  toRetrying,
  toStopped,
  toStopping,
  wasStable,
} from './moves.ts';
import { backoff, READY_LOOK } from './policy.ts';
import { type Reason, type ReasonCode, reason } from './reason.ts';
import { amend, type Context, enter, type Step, step, target } from './step.ts';

/** upkeep came back to a job that had no process: it takes its turn again, or stays down. */
export function recoverIdle(job: Job, _event: object, context: Context): Step {
  if (target(job, context) === 'down') return toStopped(job, restReason(context));
  return toPending(job, job.reason);
}

/**
 * upkeep came back to a job that waited for its next try: it goes on waiting. Where somebody else is in the way it
 * looks again at once. So it does after a reboot: the pause was to let pass what a new start of the machine is the
 * surest way to be rid of, and the clock may not be set yet. `attempt` stays, so the next failure is followed by the
 * next longer pause.
 */
export function recoverRetrying(
  job: JobIn<'retrying'>,
  event: JobEventOf<'recovered'>,
  context: Context,
): Step {
  const pause = left(job.next_attempt_at, backoff(context.policy.restart, job.attempt, 1), context);
  const over = event.rebooted || waitsForOthers(job.reason) || pause <= 0;
  if (over || target(job, context) === 'down') return recoverIdle(job, event, context);
  return inOrder(toRetrying(job, context, pause, {}));
}

/** True where it is no fault of its own that a job is not started: each of these is looked at again and again. */
export function waitsForOthers(why: Reason): boolean {
  return IN_THE_WAY.has(why.code);
}

const IN_THE_WAY: ReadonlySet<ReasonCode> = new Set([
  'PORT_HELD',
  'SOCKET_HELD',
  'SOCKET_NOT_A_SOCKET',
  'PIDFILE_HELD',
  'SURVIVORS',
  'PROBE_UNAVAILABLE',
]);

/** What is left until a wall time, of a wait that was `whole` ms long. */
function left(until: number, whole: number, { wall }: Context): number {
  return Math.min(until - wall, whole);
}

/** upkeep came back to a job that was about to have a process: its number is used up, whatever came of it. */
export function recoverSpawn(
  job: JobIn<'preparing'>,
  event: JobEventOf<'recovered'>,
  context: Context,
): Step {
  const incarnation = nextIncarnation(job);
  const counted = amend(job, born(incarnation, context, event.found?.identity ?? null));
  if (event.found !== null) return recoverFound(counted, event.found.identity, context);
  const ended = amend(counted, exitFields(context, event.status ?? UNKNOWN_EXIT));
  if (event.status !== null) return inOrder(afterExit(ended, context, exitReason(event.status), false));
  if (target(job, context) === 'down') return toStopped(ended, restReason(context));
  const why = `upkeep died while it spawned incarnation ${incarnation}`;
  return toPending(ended, reason('INTERRUPTED', why, { incarnation }));
}

/** upkeep came back to a job that had a process. */
export function recoverAlive(
  job: JobIn<'starting' | 'running' | 'stopping'>,
  event: JobEventOf<'recovered'>,
  context: Context,
): Step {
  return event.found === null
    ? recoverGone(job, event, context)
    : recoverFound(job, event.found.identity, context);
}

/** Its main process lives: it is kept, unless it is to be stopped or started afresh. */
function recoverFound(job: Job, identity: Identity, context: Context): Step {
  const adopt: JobEffect = { type: 'adopt', identity, incarnation: job.restart_count };
  const andAdopt = (next: Step): Step => ({ ...next, effects: [adopt, ...next.effects] });
  if (job.phase === 'stopping') return andAdopt(toStopping({ ...job, identity }, context, job.cause, true));
  const alive = stillRunning(job, identity, context);
  if (context.policy.recovery === 'restart' && context.policy.process && target(job, context) === 'up') {
    const why = reason('REQUESTED', 'recovery: restart goes through cleanup and start');
    return andAdopt(toStopping(alive, context, 'requested', true, { reason: why }));
  }
  const adopted = reason('ADOPTED', `kept alive across a restart of upkeep`, { identity });
  // What was ready stays ready: the looks at its claims go on, and tell if one was lost meanwhile.
  if (job.phase === 'running') return andAdopt(step(amend(alive, { reason: adopted })));
  return andAdopt(toAlive(job, context, identity, { reason: adopted }, timeToBeReady(job, context)));
}

/** What was stable stays so, and so is by now what has been ready for long enough. */
function stillRunning(job: Job, identity: Identity, context: Context): JobIn<'running'> {
  const known = { last_identity: identity };
  const fresh = runningState(identity, context);
  if (job.phase !== 'running' || fresh.deadline === null) return enter(job, fresh, known);
  const { stable_after } = context.policy.restart;
  const window = job.stable ? 0 : left((job.ready_at ?? context.wall) + stable_after, stable_after, context);
  if (window > 0) return enter(job, { ...fresh, deadline: context.now + window }, known);
  return enter(job, { ...fresh, stable: true, deadline: null }, { ...known, attempt: 0 });
}

/** What is left of its time to become ready. */
function timeToBeReady(job: Job, context: Context): number {
  const { ready_timeout } = context.policy;
  if (job.phase !== 'starting' || job.started_at === null) return ready_timeout;
  const time = left(job.started_at + ready_timeout, ready_timeout, context);
  return Math.max(time, Math.min(READY_LOOK, ready_timeout));
}

/** Its main process ended while upkeep was not there. */
function recoverGone(
  job: JobIn<'starting' | 'running' | 'stopping'>,
  event: JobEventOf<'recovered'>,
  context: Context,
): Step {
  const status = event.status ?? UNKNOWN_EXIT;
  const seen = job.phase === 'stopping' && !job.main_alive;
  const ended = seen ? job : amend(job, exitFields(context, status));
  if (event.rebooted) return recoverRebooted(ended, exitReason(status), context);
  // Others of its group may live, and nobody else looks for them.
  if (ended.phase === 'stopping') return toStopping(ended, context, ended.cause, false);
  return toStopping(ended, context, 'lost', false, { reason: exitReason(status) });
}

/** The machine was started again: nothing of it is left, and it is no fault of its own. */
function recoverRebooted(
  job: JobIn<'starting' | 'running' | 'stopping'>,
  why: Reason,
  context: Context,
): Step {
  const known = job.exit_code !== null || job.exit_signal !== null;
  if (!known && target(job, context) === 'up') {
    return toPending(job, reason('REBOOTED', 'the machine was started again'));
  }
  const next =
    job.phase === 'stopping' ? afterStop(job, context) : afterExit(job, context, why, wasStable(job));
  return atRest(next.job) ? next : toPending(next.job, next.job.reason);
}
