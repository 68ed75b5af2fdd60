/**
 * What upkeep decides when it comes back: it has looked what is left of the job that it left behind, and keeps it,
 * ends the rest of it, or goes on as if it had seen it end.
 */
import { exitReason, UNKNOWN_EXIT } from '../process/exit.ts';
import type { Identity } from '../process/identity.ts';
import { afterExit, afterStop, exitFields, inOrder } from './ending.ts';
import type { JobEffect, JobEventOf } from './event.ts';
import { type Job, type JobIn, nextIncarnation } from './job.ts';
import {
  born,
  restReason,
  runningState,
  toAlive,
  toPending,
  toStopped,
  toStopping,
  wasStable,
} from './moves.ts';
import { type Reason, reason } from './reason.ts';
import { amend, type Context, enter, type Step, step, target } from './step.ts';

/** upkeep came back to a job that had no process: it takes its turn again, or stays down. */
export function recoverIdle(job: Job, _event: object, context: Context): Step {
  if (target(job, context) === 'down') return toStopped(job, restReason(context));
  return toPending(job, job.reason);
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
  // What was stable stays stable; a window that was still open begins anew.
  const { stable, deadline } = job.phase === 'running' && job.stable ? job : runningState(identity, context);
  const alive = enter(job, { phase: 'running', identity, stable, deadline }, { last_identity: identity });
  if (context.policy.recovery === 'restart' && context.policy.process && target(job, context) === 'up') {
    const why = reason('REQUESTED', 'recovery: restart goes through cleanup and start');
    return andAdopt(toStopping(alive, context, 'requested', true, { reason: why }));
  }
  const adopted = reason('ADOPTED', `kept alive across a restart of upkeep`, { identity });
  // What was ready stays ready: the looks at its claims go on, and tell if one was lost meanwhile.
  if (job.phase === 'running') return andAdopt(step(amend(alive, { reason: adopted })));
  return andAdopt(toAlive(job, context, identity, { reason: adopted }));
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
  return inOrder(next);
}
