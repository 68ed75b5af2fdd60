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
import { type Context, type Step, transition } from '../job/machine.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { EventRecord, NewEvent } from '../store/records.ts';
import { CORE, type JobRuntime, type Origin } from './runtime.ts';

/** What the loop is connected to. */
export interface JobLoopPorts {
  readonly clock: Clock;
  readonly agenda: Agenda;
  random(): number;
  /** Writes jobs and events down, in one transaction; never throws. Returns the events with their numbers. */
  commit(jobs: readonly Job[], events: readonly NewEvent[]): readonly EventRecord[];
  perform(runtime: JobRuntime, effect: JobEffect): void;
  /** Called after the commit for each job that changed. */
  changed(runtime: JobRuntime, before: Job): void;
}

interface Queued {
  readonly runtime: JobRuntime;
  readonly event: JobEvent;
  readonly origin: Origin;
}

interface Pending {
  readonly runtime: JobRuntime;
  readonly effect: JobEffect;
}

/** How long the loop may hold the event loop, in ms. */
const SLICE = 8;

/** Decides, commits and carries out. */
export class JobLoop {
  readonly jobs = new Map<string, JobRuntime>();
  /** upkeep is going down: nothing is started any more. */
  halting = false;
  readonly #ports: JobLoopPorts;
  #events: Queued[] = [];
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
    this.#events.push({ runtime, event, origin });
    if (!this.#draining) this.#drain();
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
        this.#decide(batch);
        continue;
      }
      const next = this.#effects.shift() ?? this.#spawns.shift();
      if (next !== undefined) this.#ports.perform(next.runtime, next.effect);
    }
    this.#draining = false;
  }

  #decide(batch: readonly Queued[]): void {
    const before = new Map<JobRuntime, Job>();
    const events: NewEvent[] = [];
    const owners: JobRuntime[] = [];
    for (const { runtime, event, origin } of batch) {
      const was = runtime.job;
      const step = transition(was, event, this.#context(runtime));
      if (step.job !== was && !before.has(runtime)) before.set(runtime, was);
      runtime.job = step.job;
      for (const record of this.#records(was, step, event, origin, runtime)) {
        events.push(record);
        owners.push(runtime);
      }
      for (const effect of step.effects) {
        (effect.type === 'spawn' ? this.#spawns : this.#effects).push({ runtime, effect });
      }
    }
    if (before.size === 0 && events.length === 0) return;
    const jobs = [...before.keys()].map((runtime) => runtime.job);
    const records = this.#ports.commit(jobs, events);
    for (const [index, record] of records.entries()) {
      const owner = owners[index];
      if (owner !== undefined) owner.last_event = record.seq;
    }
    for (const [runtime, was] of before) {
      this.#watchDeadline(runtime);
      this.#ports.changed(runtime, was);
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
      this.#ports.agenda.set(key, deadline, () => this.dispatch(job.id, event));
    }
  }

  /** What a decision leaves in the timeline: each note, each change of phase or of what is wanted. */
  *#records(was: Job, step: Step, event: JobEvent, origin: Origin, runtime: JobRuntime): Iterable<NewEvent> {
    const { job } = step;
    const record = (from: Job, why: Reason, extra: object = {}): NewEvent => ({
      time: this.#ports.clock.wall(),
      service: job.service,
      action: job.action,
      job_id: job.id,
      incarnation: job.started_at === null ? null : job.restart_count,
      from: from.phase,
      to: job.phase,
      code: why.code,
      message: why.message,
      evidence: { ...why.evidence, ...extra },
      actor: origin.actor,
      cause: origin.cause ?? runtime.last_event,
    });
    if (step.verdict === 'impossible') {
      const message = `impossible event '${event.type}' in phase '${was.phase}'; nothing was done about it`;
      yield record(was, reason('INTERNAL_ERROR', message, { event: event.type }));
    }
    for (const note of step.notes) yield record(job, note);
    if (isAnotherLook(was, job)) return;
    if (job.phase !== was.phase) {
      const identity = identityOf(job);
      yield record(was, job.reason, identity === null ? {} : { identity });
    } else if (job.wanted !== was.wanted) {
      yield record(was, wantedReason(job));
    } else if (job.reason !== was.reason && job.phase === 'pending') {
      yield record(was, job.reason);
    }
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
