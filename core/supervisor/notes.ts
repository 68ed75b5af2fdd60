/**
 * Notes: what was recorded about a job, or about upkeep itself, and changed no phase. They do not say why a job is where
 * it is, and are worth knowing all the same.
 */
import type { Job } from '../job/job.ts';
import { type Evidence, type ReasonCode, reason } from '../job/reason.ts';
import type { EventRecord } from '../store/records.ts';
import { type NextCall, nextCall, nextStep, type Subject } from './next_step.ts';

/** A note, explained. `time` is ms since the epoch. */
export interface WhyNote {
  readonly code: ReasonCode;
  readonly message: string;
  readonly evidence: Evidence;
  readonly time: number;
  /** The event that it is. */
  readonly seq: number;
  readonly next_step: string;
  readonly next: NextCall | null;
}

/** What is told of a command, or of waiting, is no news. */
const NO_NOTES: ReadonlySet<ReasonCode> = new Set([
  'REQUESTED',
  'WANTED_DOWN',
  'DEPENDENCY_WAIT',
  'DEPENDENCY_FAILED',
]);

/**
 * The notes on a job's present incarnation and on the one before: the newest of each code, newest first.
 *
 * @param events of the job, oldest first.
 * @param told the code that the explanation itself is about.
 */
export function jobNotes(
  job: Job,
  events: readonly EventRecord[],
  told: ReasonCode,
  subject: Subject,
): WhyNote[] {
  const recent = events.filter(
    ({ code, from, to, incarnation }) =>
      from === to &&
      code !== told &&
      !NO_NOTES.has(code) &&
      (incarnation === null || incarnation >= job.restart_count - 1),
  );
  return [...newestOfEach(recent).values()].reverse().map((event) => note(event, subject));
}

/** What is to be known of upkeep itself, whatever service is asked about: the newest of each code since it started. */
export class StandingNotes {
  readonly #newest = new Map<ReasonCode, EventRecord>();

  /** Takes notice of an event that is about no service of the user's. */
  hear(event: EventRecord): void {
    const { code, service } = event;
    if (code === 'REQUESTED' || (service !== null && !code.startsWith('PLUGIN_'))) return;
    // Anew at the end: newest last.
    this.#newest.delete(code);
    this.#newest.set(code, event);
  }

  /** The notes, newest first. */
  notes(service: string): WhyNote[] {
    const subject = { service, action: null, process: false };
    return [...this.#newest.values()].reverse().map((event) => note(event, subject));
  }
}

function newestOfEach(events: readonly EventRecord[]): Map<ReasonCode, EventRecord> {
  const newest = new Map<ReasonCode, EventRecord>();
  for (const event of events) {
    newest.delete(event.code);
    newest.set(event.code, event);
  }
  return newest;
}

function note({ code, message, evidence, time, seq }: EventRecord, subject: Subject): WhyNote {
  const why = reason(code, message, evidence);
  return {
    ...why,
    time,
    seq,
    next_step: nextStep(why, subject),
    next: nextCall(why, subject.service),
  };
}
