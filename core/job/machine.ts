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
import type { Identity } from '../process/identity.ts';
import type { JobEffect, JobEvent, JobEventOf, JobEventType } from './event.ts';
import {
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
      was_stable: job.phase === 'running' ? job.stable : job.phase === 'stopping' && job.was_stable,
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

function runningState(identity: Identity, { policy, now }: Context): Extract<PhaseState, { phase: 'running' }> {
  // A oneshot is done when it exits; being stable means nothing to it.
  const deadline = policy.process ? now + policy.restart.stable_after : null;
  return { phase: 'running', identity, stable: false, deadline };
}

/** A try has failed. The first failure of a stable process is no failed try: it is started again at once. */
function retry(job: Job, context: Context, why: Reason, was_stable: boolean, changes: Partial<JobBase> = {}): Step {
  if (target(job, context) === 'down') return toStopped(amend(job, changes), restReason(context));
  const { restart } = context.policy;
  const attempt = was_stable ? 0 : job.attempt + 1;
  const failed = { ...changes, attempt, reason: why };
  if (restart.policy === 'never' || (restart.max_attempts > 0 && attempt >= restart.max_attempts)) {
    const tries = restart.policy === 'never' ? 'its restart policy is never' : `after ${attempt} failed tries`;
    const gaveUp = reason('GAVE_UP', `given up (${tries}): ${why.message}`, { attempt, last_failure: why });
    return step(enter(job, { phase: 'failed' }, { ...failed, reason: gaveUp }));
  }
  if (attempt === 0) return toPreparing(job, context, failed);
  return toRetrying(job, context, backoff(restart, attempt, context.random), failed);
}

/** What an exit says. Both null: an adopted process, whose status only its parent could have read. */
export function exitReason({ exit_code, exit_signal }: ExitStatus): Reason {
  if (exit_signal !== null) return reason('SIGNALED', `killed by ${exit_signal}`, { exit_signal });
  if (exit_code !== null) return reason('EXITED', `exited with code ${exit_code}`, { exit_code });
  return reason('EXIT_UNKNOWN', 'ended while no parent of it was there to read how');
}

function exitFields(context: Context, status: ExitStatus): Partial<JobBase> {
  return { finished_at: context.wall, exit_code: status.exit_code, exit_signal: status.exit_signal };
}

/** Nothing is left of an incarnation that ended by itself. */
function afterExit(job: Job, context: Context, status: ExitStatus, was_stable: boolean): Step {
  const { policy } = context;
  const changes = exitFields(context, status);
  const clean = status.exit_code === 0;
  if (clean && (!policy.process || (policy.restart.policy !== 'always' && target(job, context) === 'up'))) {
    return step(enter(job, { phase: 'succeeded' }, { ...changes, attempt: 0, reason: exitReason(status) }));
  }
  return retry(job, context, exitReason(status), was_stable, changes);
}

/** Nothing is left of an incarnation that was being stopped. */
function afterStop(job: JobIn<'stopping'>, context: Context): Step {
  if (job.cause === 'exit') {
    const { exit_code, exit_signal } = job;
    return afterExit(job, context, { exit_code, exit_signal: exit_signal as NodeJS.Signals | null }, job.was_stable);
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
  const was_stable = job.phase === 'running' && job.stable;
  if (!event.group_alive) return afterExit(job, context, event.status, was_stable);
  const changes = { ...exitFields(context, event.status), reason: exitReason(event.status) };
  return toStopping(job, context, 'exit', false, changes);
}

/** Wanted anew in a phase that has nothing to undo. Asking for up forgets the failed tries. */
function setWanted(job: Job, event: JobEventOf<'want'>): Step {
  return step(amend(job, event.wanted === 'up' ? { wanted: 'up', attempt: 0 } : { wanted: 'down' }));
}

/** Wanted anew in a phase in which nothing of the job runs. */
function wantIdle(job: Job, event: JobEventOf<'want'>, _context: Context, effects: readonly JobEffect[] = []): Step {
  if (event.wanted === 'up') return setWanted(job, event);
  return toStopped(amend(job, { wanted: 'down' }), REQUESTED_DOWN, effects);
}

function wantFromRest(job: Job, event: JobEventOf<'want'>): Step {
  if (event.wanted === 'down') return toStopped(amend(job, { wanted: 'down' }), REQUESTED_DOWN);
  return toPending(job, reason('REQUESTED', 'start requested'), { wanted: 'up', attempt: 0 });
}

function restartAlive(
  job: JobIn<'starting'> | JobIn<'running'>,
  event: JobEventOf<'restart'>,
  context: Context,
): Step {
  return toStopping(job, context, 'requested', true, { wanted: 'up', attempt: 0, reason: event.reason });
}

function restartFromRest(job: Job, event: JobEventOf<'restart'>): Step {
  return toPending(job, event.reason, { wanted: 'up', attempt: 0 });
}

function stopWhenCleared(job: JobIn<'starting'> | JobIn<'running'>, _event: object, context: Context): Step {
  if (target(job, context) === 'up') return { ...step(job), verdict: 'ignored' };
  return toStopping(job, context, 'requested', true, { reason: restReason(context) });
}

function faulted(
  job: JobIn<'starting'> | JobIn<'running'>,
  event: JobEventOf<'faulted'>,
  context: Context,
): Step {
  return toStopping(job, context, 'fault', true, { reason: event.reason });
}

/** upkeep came back to a job that had, or was about to have, a process. */
function recoverAlive(
  job: JobIn<'starting'> | JobIn<'running'> | JobIn<'stopping'> | JobIn<'preparing'>,
  event: JobEventOf<'recovered'>,
  context: Context,
): Step {
  const incarnation = job.phase === 'preparing' && job.step === 'spawn' ? job.incarnation : job.restart_count;
  // The spawn may have happened: its number is used up, whatever came of it.
  const counted: Partial<JobBase> = {
    restart_count: incarnation,
    started_at: job.phase === 'preparing' ? context.wall : job.started_at,
  };
  if (event.found !== null) return recoverFound(amend(job, counted), event.found.identity, context);
  if (job.phase === 'stopping' && job.cause !== 'exit' && event.status === null) {
    const ended = amend(job, { finished_at: context.wall });
    if (target(job, context) === 'down') return toStopped(ended, restReason(context));
    return toPending(ended, job.reason);
  }
  if (event.status !== null) return afterRecoveredExit(job, context, event.status, counted);
  const why = event.rebooted
    ? reason('REBOOTED', 'the machine was started again')
    : job.phase === 'preparing'
      ? reason('INTERRUPTED', `upkeep died while it spawned incarnation ${incarnation}`, { incarnation })
      : reason('EXIT_UNKNOWN', 'ended while upkeep was not there to see how');
  const ended = { ...counted, finished_at: context.wall, exit_code: null, exit_signal: null };
  if (target(job, context) === 'down') return toStopped(amend(job, ended), restReason(context));
  return toPending(job, why, ended);
}

function recoverFound(job: Job, identity: Identity, context: Context): Step {
  const adopt: JobEffect = { type: 'adopt', identity, incarnation: job.restart_count };
  const alive = enter(job, { ...runningState(identity, context) }, { last_identity: identity });
  const andAdopt = (next: Step): Step => ({ ...next, effects: [adopt, ...next.effects] });
  if (job.phase === 'stopping') return andAdopt(toStopping({ ...job, identity }, context, job.cause, true));
  if (context.policy.recovery === 'restart' && context.policy.process && target(job, context) === 'up') {
    const why = reason('REQUESTED', 'recovery: restart goes through cleanup and start');
    return andAdopt(toStopping(alive, context, 'requested', true, { reason: why }));
  }
  const adopted = reason('ADOPTED', `kept alive across a restart of upkeep`, { identity });
  // What was ready stays ready: the looks at its claims go on, and tell if one was lost meanwhile.
  if (job.phase === 'running') return andAdopt(step(amend(alive, { reason: adopted })));
  return andAdopt(toAlive(job, context, identity, { reason: adopted }));
}

function afterRecoveredExit(job: Job, context: Context, status: ExitStatus, counted: Partial<JobBase>): Step {
  return afterExit(amend(job, counted), context, status, false);
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
    cleared: (job, _event, context) => toPreparing(job, context),
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
      job.step === 'spawn' ? setWanted(job, event) : wantIdle(job, event, context, [{ type: 'abort_prepare' }]),
    restart: (job) => step(amend(job, { wanted: 'up', attempt: 0 })),
    halt: (job) => (job.step === 'spawn' ? step(job) : toStopped(job, SHUTTING_DOWN, [{ type: 'abort_prepare' }])),
    cleared: 'ignore',
    waiting: 'ignore',
    prepared: (job) => {
      const incarnation = nextIncarnation(job);
      const next = enter(job, { phase: 'preparing', step: 'spawn', incarnation });
      return step(next, [{ type: 'spawn', epoch: next.epoch, incarnation }]);
    },
    blocked: (job, event, context) => toRetrying(job, context, HOLDER_LOOK_INTERVAL, { reason: event.reason }),
    spawned: (job, event, context) =>
      toAlive(job, context, event.identity, {
        restart_count: nextIncarnation(job),
        started_at: context.wall,
        ready_at: null,
        finished_at: null,
        exit_code: null,
        exit_signal: null,
      }),
    spawn_failed: (job, event, context) => retry(job, context, event.reason, false),
    deadline: (job, _event, context) => {
      const why = reason('PROBE_UNAVAILABLE', 'finding out whether the claims are free took too long');
      const next = toRetrying(job, context, HOLDER_LOOK_INTERVAL, { reason: why });
      return { ...next, effects: [{ type: 'abort_prepare' }] };
    },
    recovered: (job, event, context) =>
      job.step === 'spawn' ? recoverAlive(job, event, context) : recoverIdle(job, event, context),
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
    want: setWanted,
    restart: (job) => step(amend(job, { wanted: 'up', attempt: 0 })),
    halt: (job) => step(job),
    cleared: 'ignore',
    waiting: 'ignore',
    prepared: 'impossible',
    blocked: 'impossible',
    spawned: 'impossible',
    spawn_failed: 'impossible',
    ready: 'impossible',
    exited: (job, event, context) => step({ ...job, ...exitFields(context, event.status), main_alive: false }),
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
      event.wanted === 'up' ? toPreparing(job, context, { wanted: 'up', attempt: 0 }) : wantIdle(job, event, context),
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

  stopped: { ...AT_REST, want: wantFromRest, restart: restartFromRest, recovered: recoverIdle },

  succeeded: {
    ...AT_REST,
    // Done is done: a oneshot runs again only in a new run.
    want: setWanted,
    restart: (job) => step(amend(job, { wanted: 'up' })),
    recovered: 'ignore',
  },

  failed: { ...AT_REST, want: wantFromRest, restart: restartFromRest, recovered: 'ignore' },
};

/** True where the event is a reply to a phase, or a look at an incarnation, that the job has left behind. */
export function isStale(job: Job, event: JobEvent): boolean {
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
  if (isStale(job, event)) return { ...step(job), verdict: 'stale' };
  const cell = table[job.phase][event.type];
  if (cell === 'ignore') return { ...step(job), verdict: 'ignored' };
  if (cell === 'impossible') return { ...step(job), verdict: 'impossible' };
  // The table's type ties each handler to its row and column; the look-up by two strings loses that tie.
  return (cell as (job: Job, event: JobEvent, context: Context) => Step)(job, event, context);
}
