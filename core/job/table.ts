/**
 * The table of the state machine, phase × event: read a row to know what can happen to a job in that phase.
 *
 * A cell is a handler, `ignore` (an expected race: the event was true a moment ago) or `impossible` (a bug of the
 * shell: reported, never acted on).
 */
import { afterStop, escalate, exitFields, faulted, mainExited, retry, suspected } from './ending.ts';
import type { JobEventOf, JobEventType } from './event.ts';
import { type JobIn, nextIncarnation, type Phase } from './job.ts';
import {
  born,
  restReason,
  SHUTTING_DOWN,
  toAlive,
  toNextTry,
  toPreparing,
  toRetrying,
  toRunning,
  toSpawning,
  toStopped,
  toStopping,
} from './moves.ts';
import { HOLDER_LOOK_INTERVAL } from './policy.ts';
import { reason } from './reason.ts';
import { recoverAlive, recoverIdle, recoverRetrying, recoverSpawn } from './recover.ts';
import {
  ASKED_UP,
  restartAlive,
  restartFromRest,
  restartOnItsWay,
  START_REQUESTED,
  setWanted,
  startAfterStop,
  startFromRest,
  startReason,
  stopWhenCleared,
  waitReason,
  wantFromRest,
  wantIdle,
} from './request.ts';
import { amend, type Context, type Step, step, untouched } from './step.ts';

type Handler<P extends Phase, T extends JobEventType> = (
  job: JobIn<P>,
  event: JobEventOf<T>,
  context: Context,
) => Step;

type Cell<P extends Phase, T extends JobEventType> = Handler<P, T> | 'ignore' | 'impossible';

/** The whole table. The type makes it total: a phase or an event without a cell does not compile. */
export type Table = { readonly [P in Phase]: { readonly [T in JobEventType]: Cell<P, T> } };

const NEVER_ALIVE = {
  // Replies and observations that only a phase with a request or a process under way can get.
  spawned: 'impossible',
  spawn_failed: 'impossible',
  ready: 'impossible',
  exited: 'ignore',
  group_gone: 'ignore',
  faulted: 'impossible',
  suspected: 'impossible',
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
    restart: restartOnItsWay,
    halt: (job) => toStopped(job, SHUTTING_DOWN),
    // What it waited for has come: that is no reason any more.
    cleared: (job, _event, context) => toPreparing(job, context, { reason: startReason(job.reason) }),
    waiting: (job, event) => step(amend(job, { reason: waitReason(job, event.reason) })),
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
    restart: restartOnItsWay,
    halt: (job) =>
      job.step === 'spawn' ? step(job) : toStopped(job, SHUTTING_DOWN, [{ type: 'abort_prepare' }]),
    cleared: 'ignore',
    waiting: 'ignore',
    prepared: (job, _event, context) => toSpawning(job, context),
    blocked: (job, event, context) =>
      toRetrying(job, context, HOLDER_LOOK_INTERVAL, { reason: waitReason(job, event.reason) }),
    spawned: (job, event, context) => {
      const changes = born(nextIncarnation(job), context, event.identity);
      return toAlive(job, context, event.identity, { ...changes, reason: startReason(job.reason) });
    },
    spawn_failed: (job, event, context) => retry(job, context, waitReason(job, event.reason), false),
    deadline: (job, _event, context) => {
      const why = reason('PROBE_UNAVAILABLE', 'finding out whether the claims are free took too long');
      const next = toRetrying(job, context, HOLDER_LOOK_INTERVAL, { reason: waitReason(job, why) });
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
    ready: (job, _event, context) => toRunning(job, context, job.identity),
    exited: mainExited,
    group_gone: 'ignore',
    faulted,
    // Whether it is well is asked once it is ready.
    suspected: 'ignore',
    deadline: (job, _event, context) => {
      const seconds = context.policy.ready_timeout / 1000;
      const why = reason('NOT_READY', `was not ready within ${seconds} s`);
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
    suspected,
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
    suspected: 'ignore',
    deadline: escalate,
    recovered: recoverAlive,
  },

  retrying: {
    ...NEVER_ALIVE,
    // A start does not wait for the backoff, and a stop does not either.
    want: (job, event, context) =>
      event.wanted === 'up' ? toNextTry(job, context, ASKED_UP) : wantIdle(job, event, context),
    restart: (job, event, context) => toNextTry(job, context, { ...ASKED_UP, reason: event.reason }),
    halt: (job) => toStopped(job, SHUTTING_DOWN),
    cleared: 'ignore',
    waiting: 'ignore',
    prepared: 'impossible',
    blocked: 'impossible',
    deadline: (job, _event, context) => toNextTry(job, context),
    recovered: recoverRetrying,
  },

  stopped: {
    ...AT_REST,
    want: wantFromRest,
    restart: restartFromRest,
    // What had survived SIGKILL is gone at last.
    group_gone: (job, _event, context) =>
      job.reason.code === 'SURVIVORS'
        ? step(amend(job, { reason: restReason(context) }))
        : untouched(job, 'ignored'),
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
