/**
 * What could not be written yet: the latest of each row, and the events up to a bound.
 */
import type { Job } from '../job/job.ts';
import { isRefusal, type NumberedBatch, writeAcceptable, writeBatch } from './batch.ts';
import type { Database } from './database.ts';
import type { EventRecord, RunRow, ServiceRow } from './records.ts';

/** How many events are kept in memory; beyond that the oldest are given up. */
export const MAX_KEPT_EVENTS = 10_000;

/** Batches folded into one, which takes no more memory than there are rows. */
export class Backlog {
  readonly #deleted = new Set<string>();
  readonly #services = new Map<string, ServiceRow>();
  readonly #runs = new Map<string, RunRow>();
  readonly #jobs = new Map<string, Job>();
  #events: EventRecord[] = [];

  /** Adds rows that are newer than any here. @returns how many events were given up for it. */
  add(batch: NumberedBatch): number {
    for (const name of batch.deleted_services ?? []) this.#delete(name);
    for (const row of batch.services ?? []) this.#services.set(row.name, row);
    for (const row of batch.runs ?? []) this.#runs.set(row.id, row);
    for (const job of batch.jobs ?? []) this.#jobs.set(job.id, job);
    for (const event of batch.events ?? []) this.#events.push(event);
    const excess = this.#events.length - MAX_KEPT_EVENTS;
    // With a margin, so that a full backlog is not moved for each event.
    if (excess <= MAX_KEPT_EVENTS / 10) return 0;
    this.#events = this.#events.slice(excess);
    return excess;
  }

  /** Adds rows that are older than any here. */
  addOlder(batch: NumberedBatch): void {
    const newer = this.batch();
    this.clear();
    this.add(batch);
    this.add(newer);
  }

  /** All of it, to be written at once. */
  batch(): Required<NumberedBatch> {
    return {
      deleted_services: [...this.#deleted],
      services: [...this.#services.values()],
      runs: [...this.#runs.values()],
      jobs: [...this.#jobs.values()],
      events: this.#events,
    };
  }

  /**
   * Writes all of it, and keeps nothing then.
   *
   * @returns how many rows the database has refused, which are given up.
   * @throws {@link DatabaseError}; then everything is kept.
   */
  writeTo(database: Database): number {
    const batch = this.batch();
    let refused = 0;
    try {
      writeBatch(database, batch);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused = writeAcceptable(database, batch);
    }
    this.clear();
    return refused;
  }

  /** How many events are kept. */
  get event_count(): number {
    return this.#events.length;
  }

  clear(): void {
    this.#deleted.clear();
    this.#services.clear();
    this.#runs.clear();
    this.#jobs.clear();
    this.#events = [];
  }

  #delete(name: string): void {
    this.#deleted.add(name);
    this.#services.delete(name);
    for (const run of this.#runs.values()) if (run.service === name) this.#runs.delete(run.id);
    for (const job of this.#jobs.values()) if (job.service === name) this.#jobs.delete(job.id);
  }
}
