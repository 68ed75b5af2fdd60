/**
 * How an incarnation ends, and what comes next: a oneshot is done, a process is started again at once, after a pause
 * or not any more, and what was stopped stays down or goes on.
 */
import type { ExitStatus } from '../host/host.ts';
import { exitReason } from '../process/exit.ts';
import type { JobEffect, JobEventOf } from './event.ts';
import { atRest, type Job, type JobBase, type JobIn } from './job.ts';
import { restReason, toPending, toPreparing, toRetrying, toStopped, toStopping, wasStable } from './moves.ts';
import { backoff, KILL_INTERVAL } from './policy.ts';
import { type Reason, reason } from './reason.ts';
import { amend, type Context, enter, type Step, step, target, untouched } from './step.ts';

/** Its main process ended by itself; what it left behind of its group is ended first. */
export function mainExited(
  job: JobIn<'starting' | 'running'>,
  event: JobEventOf<'exited'>,
  context: Context,
): Step {
  const changes = exitFields(context, event.status);
  if (!event.group_alive) return afterExit(amend(job, changes), context, event.reason, wasStable(job));
  return toStopping(job, context, 'exit', false, { ...changes, reason: event.reason });
}

/** What is known of an end. */
export function exitFields(context: Context, status: ExitStatus): Partial<JobBase> {
  return { finished_at: context.wall, exit_code: status.exit_code, exit_signal: status.exit_signal };
}

/** It runs and must not go on so. */
export function faulted(
  job: JobIn<'starting' | 'running'>,
  event: JobEventOf<'faulted'>,
  context: Context,
): Step {
  return toStopping(job, context, event.give_up ? 'given_up' : 'fault', true, { reason: event.reason });
}

/** What is in doubt is not stable, and what is well again has to prove itself from now on. */
export function suspected(
  job: JobIn<'running'>,
  { suspect }: JobEventOf<'suspected'>,
  { policy, now }: Context,
): Step {
  const inDoubt = !job.stable && job.deadline === null;
  if (!policy.process || suspect === inDoubt) return untouched(job, 'ignored');
  return step({ ...job, stable: false, deadline: suspect ? null : now + policy.restart.stable_after });
}

/** It did not stop in time: SIGKILL, again and again, until nothing is left or nobody waits for that any more. */
export function escalate(job: JobIn<'stopping'>, _event: object, context: Context): Step {
  const { identity, restart_count: incarnation, escalation } = job;
  const kill: JobEffect = { type: 'stop_group', identity, incarnation, kill: true };
  const next = { ...job, deadline: context.now + KILL_INTERVAL };
  if (escalation === 'term') {
    const seconds = context.policy.stop_timeout / 1000;
    const note = reason('STOP_TIMEOUT', `did not stop within ${seconds} s; sent SIGKILL`, { identity });
    return step({ ...next, escalation: 'kill' }, [kill], [note]);
  }
  const note = reason('SURVIVORS', 'something of it survives SIGKILL', { identity });
  if (isDone(job, context)) return { ...afterStop(job, context), effects: [kill], notes: [note] };
  // A shutdown is never held up by what the kernel will not let go; the next start finds it and waits.
  if (target(job, context) === 'down') return toStopped(job, note, [kill]);
  return step({ ...next, escalation: 'survived' }, [kill], escalation === 'kill' ? [note] : []);
}

/** Nothing is left of an incarnation that ended by itself; how is on the job. */
export function afterExit(job: Job, context: Context, why: Reason, was_stable: boolean): Step {
  const { policy } = context;
  const clean = job.exit_code === 0;
  if (clean && (!policy.process || (policy.restart.policy !== 'always' && target(job, context) === 'up'))) {
    return step(enter(job, { phase: 'succeeded' }, { attempt: 0, reason: why }));
  }
  return retry(job, context, why, was_stable);
}

/** Nothing is left of an incarnation that was being stopped. */
export function afterStop(job: JobIn<'stopping'>, context: Context): Step {
  if (job.cause === 'exit') return afterExit(job, context, job.reason, job.was_stable);
  if (job.cause === 'lost') return inOrder(afterExit(job, context, job.reason, job.was_stable));
  if (isDone(job, context)) {
    return afterExit(job, context, exitReason({ exit_code: 0, exit_signal: null }), false);
  }
  if (target(job, context) === 'down') return toStopped(job, restReason(context));
  if (job.cause === 'given_up') return step(enter(job, { phase: 'failed' }));
  if (job.cause === 'requested') return toPreparing(job, context, { attempt: 0 });
  return retry(job, context, job.reason, job.was_stable);
}

/** A oneshot that got done, be it while it was being stopped: a shutdown must not make a migration run twice. */
export function isDone(job: Job, context: Context): boolean {
  return !context.policy.process && job.exit_code === 0;
}

/** A try has failed. The first failure of a stable process is no failed try: it is started again at once. */
export function retry(job: Job, context: Context, why: Reason, was_stable: boolean): Step {
  if (target(job, context) === 'down') return toStopped(job, restReason(context));
  const { restart } = context.policy;
  const attempt = was_stable ? 0 : job.attempt + 1;
  const failed = { attempt, reason: why };
  if (restart.policy === 'never' || (restart.max_attempts > 0 && attempt >= restart.max_attempts)) {
    const tries =
      restart.policy === 'never' ? 'its restart policy is never' : `after ${attempt} failed tries`;
    const gaveUp = reason('GAVE_UP', `given up (${tries}): ${why.message}`, { attempt, last_failure: why });
    return step(enter(job, { phase: 'failed' }, { ...failed, reason: gaveUp }));
  }
  if (attempt === 0) return toPreparing(job, context, failed);
  return toRetrying(job, context, backoff(restart, attempt, context.random), failed);
}

/**
 * The same decision, but in order: after an absence of upkeep what the job depends on may be gone as well. A pause is
 * kept: a program that keeps failing does so whether upkeep looks or not.
 */
export function inOrder(next: Step): Step {
  const { job } = next;
  if (atRest(job)) return next;
  if (job.phase === 'retrying') return { ...next, job: { ...job, in_order: true } };
  return toPending(job, job.reason);
}
