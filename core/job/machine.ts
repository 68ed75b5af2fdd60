/**
 * The job's state machine: one pure function over a total table, phase × event.
 *
 * A cell is a handler, `ignore` (an expected race: the event was true a moment ago) or `impossible` (a bug of the
 * shell: reported, never acted on). The shell commits the job first and carries the effects out afterwards; what
 * comes of them arrives here as further events. Nothing in this file reads a clock, draws a random number or
 * touches the world.
 *
 * Where a job is headed is `target`: what is wanted, or down while upkeep itself is going down. A stop of something
 * that others depend on waits for `cleared`: until then the job runs on with `wanted` down, and if it dies in the
 * meantime it is not started again.
 */
import type { ExitStatus } from '../host/host.ts';
import { exitReason, UNKNOWN_EXIT } from '../process/exit.ts';
import type { Identity } from '../process/identity.ts';
import type { JobEffect, JobEvent, JobEventOf, JobEventType } from './event.ts';
import {
  atRest,
  deadlineOf,
  type Job,
  type JobBase,
  type JobIn,
  nextIncarnation,
  type Phase,
  type PhaseState,
  type StopCause,
  type Wanted,
} from './job.ts';
import { backoff, HOLDER_LOOK_INTERVAL, type JobPolicy, KILL_INTERVAL, PREPARE_SLACK } from './policy.ts';
import { type Reason, reason } from './reason.ts';

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

type Handler<P extends Phase, T extends JobEventType> = (
  job: JobIn<P>,
  event: JobEventOf<T>,
  context: Context,
) => Step;

type Cell<P extends Phase, T extends JobEventType> = Handler<P, T> | 'ignore' | 'impossible';

/** The whole table. The type makes it total: a phase or an event without a cell does not compile. */
export type Table = { readonly [P in Phase]: { readonly [T in JobEventType]: Cell<P, T> } };

// --- Building blocks -------------------------------------------------------------------------------------------

function step(job: Job, effects: readonly JobEffect[] = [], notes: readonly Reason[] = []): Step {
  return { job, effects, notes, verdict: 'taken' };
}

function ignored(job: Job): Step {
  return { ...step(job), verdict: 'ignored' };
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
    last_identity: job.last_identity,
  };
}

/** Enters a phase: the only place where `epoch` rises. */
function enter<S extends PhaseState>(job: Job, state: S, changes: Partial<JobBase> = {}): JobBase & S {
  return { ...base(job), ...changes, ...state, epoch: job.epoch + 1 };
}

/** Changes a job without leaving its phase. */
function amend<J extends Job>(job: J, changes: Partial<JobBase>): J {
  return { ...job, ...changes };
}

function target(job: Job, context: Context): Wanted {
  return context.halting ? 'down' : job.wanted;
}

const REQUESTED_DOWN = reason('WANTED_DOWN', 'stopped because it is wanted down');
const SHUTTING_DOWN = reason('SHUTDOWN', 'stopped because upkeep was shut down; it comes back with upkeep');
const START_REQUESTED = reason('REQUESTED', 'start requested');

function restReason(context: Context): Reason {
  return context.halting ? SHUTTING_DOWN : REQUESTED_DOWN;
}

// --- Moves: one function for each way into a phase ---------------------------------------------------------------

function toPending(job: Job, why: Reason, changes: Partial<JobBase> = {}): Step {
  return step(enter(job, { phase: 'pending' }, { ...changes, reason: why }));
}

function toPreparing(job: Job, context: Context, changes: Partial<JobBase> = {}): Step {
  const deadline = context.now + 2 * context.policy.stop_timeout + PREPARE_SLACK;
  const next = enter(job, { phase: 'preparing', step: 'reclaim', deadline }, changes);
  return step(next, [{ type: 'prepare', epoch: next.epoch }]);
}

function toStopped(job: Job, why: Reason, effects: readonly JobEffect[] = []): Step {
  return step(enter(job, { phase: 'stopped' }, { reason: why }), effects);
}

function toRetrying(job: Job, context: Context, delay: number, changes: Partial<JobBase>): Step {
  return step(
    enter(
      job,
      { phase: 'retrying', deadline: context.now + delay, next_attempt_at: context.wall + delay },
      changes,
    ),
  );
}

function toStopping(
  job: JobIn<'starting'> | JobIn<'running'> | JobIn<'stopping'>,
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

/** A live main process of incarnation `restart_count`: ready at once where there is nothing to wait for. */
function toAlive(job: Job, context: Context, identity: Identity, changes: Partial<JobBase>): Step {
  const { policy, now } = context;
  const known = { ...changes, last_identity: identity };
  if (policy.awaits_claims) {
    const next = enter(job, { phase: 'starting', identity, deadline: now + policy.ready_timeout }, known);
    return step(next, [{ type: 'watch_ready', epoch: next.epoch }]);
  }
  return step(enter(job, runningState(identity, context), { ...known, ready_at: context.wall }));
}

function runningState(
  identity: Identity,
  { policy, now }: Context,
): Extract<PhaseState, { phase: 'running' }> {
  // A oneshot is done when it exits; being stable means nothing to it.
  const deadline = policy.process ? now + policy.restart.stable_after : null;
  return { phase: 'running', identity, stable: false, deadline };
}

/** A try has failed. The first failure of a stable process is no failed try: it is started again at once. */
function retry(job: Job, context: Context, why: Reason, was_stable: boolean): Step {
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

function exitFields(context: Context, status: ExitStatus): Partial<JobBase> {
  return { finished_at: context.wall, exit_code: status.exit_code, exit_signal: status.exit_signal };
}

function wasStable(job: Job): boolean {
  return job.phase === 'running' ? job.stable : job.phase === 'stopping' && job.was_stable;
}

/** Nothing is left of an incarnation that ended by itself; how is on the job. */
function afterExit(job: Job, context: Context, why: Reason, was_stable: boolean): Step {
  const { policy } = context;
  const clean = job.exit_code === 0;
  if (clean && (!policy.process || (policy.restart.policy !== 'always' && target(job, context) === 'up'))) {
    return step(enter(job, { phase: 'succeeded' }, { attempt: 0, reason: why }));
  }
  return retry(job, context, why, was_stable);
}

/** A oneshot that got done, be it while it was being stopped: a shutdown must not make a migration run twice. */
function isDone(job: Job, context: Context): boolean {
  return !context.policy.process && job.exit_code === 0;
}

/** Nothing is left of an incarnation that was being stopped. */
function afterStop(job: JobIn<'stopping'>, context: Context): Step {
  if (job.cause === 'exit') return afterExit(job, context, job.reason, job.was_stable);
  if (job.cause === 'lost') return inOrder(afterExit(job, context, job.reason, job.was_stable));
  if (isDone(job, context)) {
    return afterExit(job, context, exitReason({ exit_code: 0, exit_signal: null }), false);
  }
  if (target(job, context) === 'down') return toStopped(job, restReason(context));
  if (job.cause === 'requested') return toPreparing(job, context, { attempt: 0 });
  return retry(job, context, job.reason, job.was_stable);
}

function mainExited(
  job: JobIn<'starting'> | JobIn<'running'>,
  event: JobEventOf<'exited'>,
  context: Context,
): Step {
  const changes = exitFields(context, event.status);
  if (!event.group_alive) return afterExit(amend(job, changes), context, event.reason, wasStable(job));
  return toStopping(job, context, 'exit', false, { ...changes, reason: event.reason });
}

/** Wanted anew in a phase that has nothing to undo. Asking for up forgets the failed tries. */
function setWanted(job: Job, event: JobEventOf<'want'>): Step {
  return step(amend(job, event.wanted === 'up' ? { wanted: 'up', attempt: 0 } : { wanted: 'down' }));
}

/** Wanted anew in a phase in which nothing of the job runs. */
function wantIdle(
  job: Job,
  event: JobEventOf<'want'>,
  context: Context,
  effects: readonly JobEffect[] = [],
): Step {
  const wanted = setWanted(job, event).job;
  return target(wanted, context) === 'up' ? step(wanted) : toStopped(wanted, restReason(context), effects);
}

function wantFromRest(
  job: JobIn<'stopped'> | JobIn<'failed'>,
  event: JobEventOf<'want'>,
  context: Context,
): Step {
  if (event.wanted === 'up') return startFromRest(job, START_REQUESTED, context);
  return stayDown(amend(job, { wanted: 'down' }), context);
}

/** Down, and still so. What survives SIGKILL is not forgotten for that. */
function stayDown(job: Job, context: Context): Step {
  return toStopped(job, job.reason.code === 'SURVIVORS' ? job.reason : restReason(context));
}

/** A start, or a restart of what does not run. While upkeep goes down it is only noted. */
function startFromRest(job: Job, why: Reason, context: Context): Step {
  if (context.halting) return stayDown(amend(job, { wanted: 'up', attempt: 0 }), context);
  return toPending(job, why, { wanted: 'up', attempt: 0 });
}

function restartFromRest(job: Job, event: JobEventOf<'restart'>, context: Context): Step {
  return startFromRest(job, event.reason, context);
}

/** Wanted up while it is being stopped, for whatever cause: what comes next is a start that somebody asked for. */
function startAfterStop(job: JobIn<'stopping'>, changes: Partial<JobBase> = {}): Step {
  return step({ ...amend(job, { ...changes, wanted: 'up', attempt: 0 }), cause: 'requested' });
}

function restartAlive(
  job: JobIn<'starting'> | JobIn<'running'>,
  event: JobEventOf<'restart'>,
  context: Context,
): Step {
  return toStopping(job, context, 'requested', true, { wanted: 'up', attempt: 0, reason: event.reason });
}

function stopWhenCleared(job: JobIn<'starting'> | JobIn<'running'>, _event: object, context: Context): Step {
  if (target(job, context) === 'up') return ignored(job);
  return toStopping(job, context, 'requested', true, { reason: restReason(context) });
}

function faulted(
  job: JobIn<'starting'> | JobIn<'running'>,
  event: JobEventOf<'faulted'>,
  context: Context,
): Step {
  return toStopping(job, context, 'fault', true, { reason: event.reason });
}

/** What is known of an incarnation that has just begun. */
function born(incarnation: number, context: Context, last_identity: Identity | null): Partial<JobBase> {
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

/** upkeep came back to a job that had a process. */
function recoverAlive(
  job: JobIn<'starting'> | JobIn<'running'> | JobIn<'stopping'>,
  event: JobEventOf<'recovered'>,
  context: Context,
): Step {
  return event.found === null
    ? recoverGone(job, event, context)
    : recoverFound(job, event.found.identity, context);
}

/** upkeep came back to a job that was about to have a process: its number is used up, whatever came of it. */
function recoverSpawn(job: JobIn<'preparing'>, event: JobEventOf<'recovered'>, context: Context): Step {
  const incarnation = nextIncarnation(job);
  const counted = amend(job, born(incarnation, context, event.found?.identity ?? null));
  if (event.found !== null) return recoverFound(counted, event.found.identity, context);
  const ended = amend(counted, exitFields(context, event.status ?? UNKNOWN_EXIT));
  if (event.status !== null) return inOrder(afterExit(ended, context, exitReason(event.status), false));
  if (target(job, context) === 'down') return toStopped(ended, restReason(context));
  const why = `upkeep died while it spawned incarnation ${incarnation}`;
  return toPending(ended, reason('INTERRUPTED', why, { incarnation }));
}

/** Its main process ended while upkeep was not there. */
function recoverGone(
  job: JobIn<'starting'> | JobIn<'running'> | JobIn<'stopping'>,
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
  job: JobIn<'starting'> | JobIn<'running'> | JobIn<'stopping'>,
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

/** The same decision, but in order: after an absence of upkeep what the job depends on may be gone as well. */
function inOrder(next: Step): Step {
  return atRest(next.job) ? next : toPending(next.job, next.job.reason);
}

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

function recoverIdle(job: Job, _event: object, context: Context): Step {
  if (target(job, context) === 'down') return toStopped(job, restReason(context));
  return toPending(job, job.reason);
}

function haltIdle(job: Job): Step {
  return toStopped(job, SHUTTING_DOWN);
}

// --- The table -------------------------------------------------------------------------------------------------

const NEVER_ALIVE = {
  // Replies and observations that only a phase with a request or a process under way can get.
  spawned: 'impossible',
  spawn_failed: 'impossible',
  ready: 'impossible',
  exited: 'ignore',
  group_gone: 'ignore',
  faulted: 'impossible',
} as const;

const AT_REST = {
  ...NEVER_ALIVE,
  cleared: 'ignore',
  waiting: 'ignore',
  prepared: 'impossible',
  blocked: 'impossible',
  deadline: 'impossible',
  halt: 'ignore',
} as const;

/** Phase × event. Read a row to know what can happen to a job in that phase. */
export const TABLE: Table = {
  pending: {
    ...NEVER_ALIVE,
    want: wantIdle,
    restart: (job) => step(amend(job, { wanted: 'up', attempt: 0 })),
    halt: haltIdle,
    // What it waited for has come: that is no reason any more.
    cleared: (job, _event, context) =>
      toPreparing(job, context, job.reason.code.startsWith('DEPENDENCY_') ? { reason: START_REQUESTED } : {}),
    waiting: (job, event) => step(amend(job, { reason: event.reason })),
    prepared: 'impossible',
    blocked: 'impossible',
    deadline: 'impossible',
    recovered: recoverIdle,
  },

  preparing: {
    ...NEVER_ALIVE,
    // While the spawn is on its way a stop can only be noted: the reply brings the process to stop.
    want: (job, event, context) =>
      job.step === 'spawn'
        ? setWanted(job, event)
        : wantIdle(job, event, context, [{ type: 'abort_prepare' }]),
    restart: (job) => step(amend(job, { wanted: 'up', attempt: 0 })),
    halt: (job) =>
      job.step === 'spawn' ? step(job) : toStopped(job, SHUTTING_DOWN, [{ type: 'abort_prepare' }]),
    cleared: 'ignore',
    waiting: 'ignore',
    prepared: (job) => {
      const incarnation = nextIncarnation(job);
      const next = enter(job, { phase: 'preparing', step: 'spawn', incarnation });
      return step(next, [{ type: 'spawn', epoch: next.epoch, incarnation }]);
    },
    blocked: (job, event, context) =>
      toRetrying(job, context, HOLDER_LOOK_INTERVAL, { reason: event.reason }),
    spawned: (job, event, context) =>
      toAlive(job, context, event.identity, born(nextIncarnation(job), context, event.identity)),
    spawn_failed: (job, event, context) => retry(job, context, event.reason, false),
    deadline: (job, _event, context) => {
      const why = reason('PROBE_UNAVAILABLE', 'finding out whether the claims are free took too long');
      const next = toRetrying(job, context, HOLDER_LOOK_INTERVAL, { reason: why });
      return { ...next, effects: [{ type: 'abort_prepare' }] };
    },
    recovered: (job, event, context) =>
      job.step === 'spawn' ? recoverSpawn(job, event, context) : recoverIdle(job, event, context),
  },

  starting: {
    want: setWanted,
    restart: restartAlive,
    halt: (job) => step(job),
    cleared: stopWhenCleared,
    waiting: 'ignore',
    prepared: 'impossible',
    blocked: 'impossible',
    spawned: 'impossible',
    spawn_failed: 'impossible',
    ready: (job, _event, context) =>
      step(enter(job, runningState(job.identity, context), { ready_at: context.wall })),
    exited: mainExited,
    group_gone: 'ignore',
    faulted,
    deadline: (job, _event, context) => {
      const seconds = context.policy.ready_timeout / 1000;
      const why = reason('NOT_READY', `did not hold all of its claims within ${seconds} s`);
      return toStopping(job, context, 'fault', true, { reason: why });
    },
    recovered: recoverAlive,
  },

  running: {
    want: setWanted,
    restart: restartAlive,
    halt: (job) => step(job),
    cleared: stopWhenCleared,
    waiting: 'ignore',
    prepared: 'impossible',
    blocked: 'impossible',
    spawned: 'impossible',
    spawn_failed: 'impossible',
    ready: 'impossible',
    exited: mainExited,
    group_gone: 'ignore',
    faulted,
    deadline: (job) => step({ ...job, attempt: 0, stable: true, deadline: null }),
    recovered: recoverAlive,
  },

  stopping: {
    want: (job, event) => (event.wanted === 'up' ? startAfterStop(job) : setWanted(job, event)),
    restart: (job, event) => startAfterStop(job, { reason: event.reason }),
    halt: (job) => step(job),
    cleared: 'ignore',
    waiting: 'ignore',
    prepared: 'impossible',
    blocked: 'impossible',
    spawned: 'impossible',
    spawn_failed: 'impossible',
    ready: 'impossible',
    exited: (job, event, context) =>
      step({ ...job, ...exitFields(context, event.status), main_alive: false }),
    group_gone: (job, _event, context) => afterStop(job, context),
    faulted: 'ignore',
    deadline: (job, _event, context) => {
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
    },
    recovered: recoverAlive,
  },

  retrying: {
    ...NEVER_ALIVE,
    // A start does not wait for the backoff, and a stop does not either.
    want: (job, event, context) =>
      event.wanted === 'up'
        ? toPreparing(job, context, { wanted: 'up', attempt: 0 })
        : wantIdle(job, event, context),
    restart: (job, event, context) =>
      toPreparing(job, context, { wanted: 'up', attempt: 0, reason: event.reason }),
    halt: haltIdle,
    cleared: 'ignore',
    waiting: 'ignore',
    prepared: 'impossible',
    blocked: 'impossible',
    deadline: (job, _event, context) => toPreparing(job, context),
    recovered: recoverIdle,
  },

  stopped: {
    ...AT_REST,
    want: wantFromRest,
    restart: restartFromRest,
    // What had survived SIGKILL is gone at last.
    group_gone: (job, _event, context) =>
      job.reason.code === 'SURVIVORS' ? step(amend(job, { reason: restReason(context) })) : ignored(job),
    recovered: recoverIdle,
  },

  succeeded: {
    ...AT_REST,
    // Done is done: a oneshot runs again only in a new run. A process that ended as it may is started when asked for.
    want: (job, event, context) =>
      context.policy.process && event.wanted === 'up'
        ? startFromRest(job, START_REQUESTED, context)
        : setWanted(job, event),
    restart: (job, event, context) =>
      context.policy.process ? restartFromRest(job, event, context) : step(amend(job, { wanted: 'up' })),
    recovered: 'ignore',
  },

  failed: { ...AT_REST, want: wantFromRest, restart: restartFromRest, recovered: 'ignore' },
};

/**
 * True where the event is a reply to a phase, or a look at an incarnation, that the job has left behind. A deadline
 * that was moved while its timer was on the way has not come yet.
 */
export function isStale(job: Job, event: JobEvent, now: number): boolean {
  if (event.type === 'deadline' && now < (deadlineOf(job) ?? Number.POSITIVE_INFINITY)) return true;
  if ('epoch' in event) return event.epoch !== job.epoch;
  if ('incarnation' in event) return event.incarnation !== job.restart_count || job.started_at === null;
  return false;
}

/**
 * Decides what an event means to a job.
 *
 * @returns the job as it is from now on, what is to be done (after the job is committed), and what to record.
 *
 * @example
 * ```ts
 * const { job: next, effects } = transition(job, { type: 'want', wanted: 'down' }, context);
 * ```
 */
export function transition(job: Job, event: JobEvent, context: Context, table: Table = TABLE): Step {
  if (isStale(job, event, context.now)) return { ...step(job), verdict: 'stale' };
  const cell = table[job.phase][event.type];
  if (cell === 'ignore') return ignored(job);
  if (cell === 'impossible') return { ...step(job), verdict: 'impossible' };
  // The table's type ties each handler to its row and column; the look-up by two strings loses that tie.
  return (cell as (job: Job, event: JobEvent, context: Context) => Step)(job, event, context);
}
