/**
 * The restart loop: event → decide → commit → effects, for all jobs, one event after the other.
 *
 * Nothing here knows what an effect does or what an event means. The loop keeps three promises: a job is committed
 * before any effect of the decision is carried out; effects are carried out in the order in which they were decided,
 * but for spawns, which wait for everything else; and the event loop turns at least every few milliseconds, however
 * many jobs start at once.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Clock } from '../host/host.ts';
import type { JobEffect, JobEvent } from '../job/event.ts';
import { deadlineOf, identityOf, type Job } from '../job/job.ts';
import { transition } from '../job/machine.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Context, Step } from '../job/step.ts';
import type { Batch } from '../store/batch.ts';
import type { EventRecord, NewEvent } from '../store/records.ts';
import { CORE, type JobRuntime, type Origin } from './runtime.ts';

/** What the loop is connected to. */
export interface JobLoopPorts {
  readonly clock: Clock;
  readonly agenda: Agenda;
  random(): number;
  /** Writes a batch down, in one transaction; never throws. Returns its events with their numbers. */
  commit(batch: Batch): readonly EventRecord[];
  /** A reason without what must not be told: neither the store nor any answer has it from then on. */
  redact(why: Reason): Reason;
  perform(runtime: JobRuntime, effect: JobEffect): void;
  /** Resolves once it is known what a deadline that has come is to be decided from; null where it is. */
  undecided(job: Job): Promise<void> | null;
  /** Called after the commit for each job that changed. */
  changed(runtime: JobRuntime, before: Job): void;
}

/** What one command says to one job. */
export interface Told {
  readonly job_id: string;
  readonly event: JobEvent;
}

/** The rows that a command changes beside jobs. */
export type CommandRows = Pick<Batch, 'services' | 'runs'>;

interface Queued {
  readonly runtime: JobRuntime;
  readonly event: JobEvent;
  readonly origin: Origin;
}

interface Pending {
  readonly runtime: JobRuntime;
  readonly effect: JobEffect;
}

const OFF_AGAIN = reason('WANTED_DOWN', 'not started, as it was wanted down meanwhile');

/** How long the loop may hold the event loop, in ms. */
const SLICE = 8;

/** Decides, commits and carries out. */
export class JobLoop {
  readonly jobs = new Map<string, JobRuntime>();
  /** upkeep is going down: nothing is started any more. */
  halting = false;
  readonly #ports: JobLoopPorts;
  #events: Queued[] = [];
  #notes: { readonly owner: JobRuntime | null; readonly event: NewEvent }[] = [];
  readonly #effects: Pending[] = [];
  readonly #spawns: Pending[] = [];
  #draining = false;

  constructor(ports: JobLoopPorts) {
    this.#ports = ports;
  }

  /** Tells a job that something happened. What is decided is committed and begun before this returns, or soon after. */
  dispatch(job_id: string, event: JobEvent, origin: Origin = CORE): void {
    const runtime = this.jobs.get(job_id);
    if (runtime === undefined) return;
    this.#events.push({ runtime, event: this.#redacted(event), origin });
    if (!this.#draining) this.#drain();
  }

  /** What `tell` dispatches is decided once it returns, and committed in one transaction. */
  together(tell: () => void): void {
    const first = !this.#draining;
    this.#draining = true;
    try {
      tell();
    } finally {
      if (first) this.#drain();
    }
  }

  /**
   * Tells jobs what one command means to each of them. What they decide and the rows that the command changes are one
   * transaction: upkeep may die at any instant, and the command was given to all of them or to none. It is committed
   * before this returns, its effects follow.
   */
  dispatchAll(told: readonly Told[], origin: Origin, rows: CommandRows): void {
    const earlier = this.#events;
    this.#events = [];
    const queued = told.flatMap(({ job_id, event }): Queued[] => {
      const runtime = this.jobs.get(job_id);
      return runtime === undefined ? [] : [{ runtime, event: this.#redacted(event), origin }];
    });
    const first = !this.#draining;
    this.#draining = true;
    this.#decide([...earlier, ...queued], rows);
    if (first) this.#drain();
  }

  /**
   * Records a fact that changes no phase: with the next decision, or by itself once the event loop has turned. What
   * reclaim did before a spawn thus costs the restart path no commit of its own.
   */
  note(runtime: JobRuntime | null, why: Reason, origin: Origin = CORE): void {
    if (this.#notes.length === 0) this.#ports.clock.timer(0, () => this.#commit([], {}));
    const job = runtime?.job ?? null;
    this.#notes.push({
      owner: runtime,
      event: this.#record(job, job, this.#ports.redact(why), origin, runtime),
    });
  }

  #redacted(event: JobEvent): JobEvent {
    if (!('reason' in event)) return event;
    const why = this.#ports.redact(event.reason);
    return why === event.reason ? event : { ...event, reason: why };
  }

  #drain(): void {
    const { clock } = this.#ports;
    const until = clock.mono() + SLICE;
    this.#draining = true;
    while (this.#events.length + this.#effects.length + this.#spawns.length > 0) {
      if (clock.mono() >= until) {
        // Exits, requests and timers get their turn before the next slice.
        clock.timer(0, () => this.#drain());
        return;
      }
      if (this.#events.length > 0) {
        const batch = this.#events;
        this.#events = [];
        this.#decide(batch, {});
        continue;
      }
      const next = this.#effects.shift() ?? this.#spawns.shift();
      if (next === undefined) continue;
      if (next.effect.type === 'spawn' && this.#isOffAgain(next.runtime)) {
        this.dispatch(next.runtime.job.id, {
          type: 'spawn_failed',
          epoch: next.effect.epoch,
          reason: OFF_AGAIN,
        });
      } else this.#ports.perform(next.runtime, next.effect);
    }
    this.#draining = false;
  }

  /** A spawn has waited its turn, and meanwhile the job is wanted down. */
  #isOffAgain({ job }: JobRuntime): boolean {
    return this.halting || job.wanted === 'down';
  }

  #decide(batch: readonly Queued[], rows: CommandRows): void {
    const before = new Map<JobRuntime, Job>();
    for (const { runtime, event, origin } of batch) {
      const was = runtime.job;
      const step = transition(was, event, this.#context(runtime));
      if (step.job !== was && !before.has(runtime)) before.set(runtime, was);
      runtime.job = step.job;
      for (const record of this.#records(was, step, event, origin, runtime)) {
        this.#notes.push({ owner: runtime, event: record });
      }
      for (const effect of step.effects) {
        (effect.type === 'spawn' ? this.#spawns : this.#effects).push({ runtime, effect });
      }
    }
    this.#commit(
      [...before.keys()].map((runtime) => runtime.job),
      rows,
    );
    for (const [runtime, was] of before) {
      this.#watchDeadline(runtime);
      this.#ports.changed(runtime, was);
    }
  }

  #commit(jobs: readonly Job[], rows: CommandRows): void {
    const notes = this.#notes;
    const { services = [], runs = [] } = rows;
    if (jobs.length + notes.length + services.length + runs.length === 0) return;
    this.#notes = [];
    const records = this.#ports.commit({ ...rows, jobs, events: notes.map(({ event }) => event) });
    for (const [index, { owner }] of notes.entries()) {
      if (owner !== null) owner.last_event = records[index]?.seq ?? owner.last_event;
    }
  }

  #context(runtime: JobRuntime): Context {
    const { clock } = this.#ports;
    return {
      policy: runtime.policy,
      now: clock.mono(),
      wall: clock.wall(),
      random: this.#ports.random(),
      halting: this.halting,
    };
  }

  #watchDeadline({ job }: JobRuntime): void {
    const deadline = deadlineOf(job);
    const key = `job:${job.id}`;
    if (deadline === null) this.#ports.agenda.delete(key);
    else {
      const event = { type: 'deadline', epoch: job.epoch } as const;
      const tell = (): void => this.dispatch(job.id, event);
      this.#ports.agenda.set(key, deadline, () => {
        const undecided = this.#ports.undecided(job);
        if (undecided === null) tell();
        else void undecided.then(tell);
      });
    }
  }

  /** What a decision leaves in the timeline: each note, each change of phase or of what is wanted. */
  *#records(was: Job, step: Step, event: JobEvent, origin: Origin, runtime: JobRuntime): Iterable<NewEvent> {
    const { job } = step;
    const record = (from: Job, why: Reason): NewEvent => this.#record(from, job, why, origin, runtime);
    if (step.verdict === 'impossible') {
      const message = `impossible event '${event.type}' in phase '${was.phase}'; nothing was done about it`;
      yield record(was, reason('INTERNAL_ERROR', message, { event: event.type }));
    }
    for (const note of step.notes) yield record(job, note);
    if (isAnotherLook(was, job)) return;
    if (job.phase !== was.phase) {
      if (was.phase === 'starting' && job.phase === 'running') {
        yield record(was, reason('READY', 'is ready', { identity: job.identity }));
        return;
      }
      const identity = identityOf(job);
      const evidence = identity === null ? job.reason.evidence : { ...job.reason.evidence, identity };
      yield record(was, { ...job.reason, evidence });
    } else if (job.wanted !== was.wanted) {
      yield record(was, wantedReason(job));
    } else if (job.reason.message !== was.reason.message && job.phase === 'pending') {
      yield record(was, job.reason);
    }
  }

  #record(
    from: Job | null,
    to: Job | null,
    why: Reason,
    origin: Origin,
    runtime: JobRuntime | null,
  ): NewEvent {
    return {
      time: this.#ports.clock.wall(),
      service: to?.service ?? null,
      action: to?.action ?? null,
      job_id: to?.id ?? null,
      incarnation: to === null || to.started_at === null ? null : to.restart_count,
      from: from?.phase ?? null,
      to: to?.phase ?? null,
      code: why.code,
      message: why.message,
      evidence: why.evidence,
      actor: origin.actor,
      cause: origin.cause ?? runtime?.last_event ?? null,
    };
  }
}

/**
 * A job that waits looks again and again (at a holder: twice a second). That a try begins goes without saying, and
 * that it found the same as the last one is no news.
 */
function isAnotherLook(was: Job, job: Job): boolean {
  if (was.phase === 'retrying') return job.phase === 'preparing' && job.reason === was.reason;
  if (was.phase !== 'preparing' || job.phase !== 'retrying') return false;
  return job.attempt === was.attempt && job.reason.message === was.reason.message;
}

function wantedReason(job: Job): Reason {
  return job.wanted === 'up' ? reason('REQUESTED', 'wanted up') : reason('WANTED_DOWN', 'wanted down');
}
