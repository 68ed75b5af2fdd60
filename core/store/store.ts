/**
 * The store: services, runs, jobs and events on disk, and what happens where the disk says no.
 *
 * A commit never throws. What cannot be written is kept in memory, the latest of each row, and {@link Store.degraded}
 * says why; services go on meanwhile. `retry` writes it once that works again. Where the database itself is lost
 * (damaged, or its file taken away), what is kept may not be all, and `rebuild` is given everything that the caller
 * holds.
 *
 * The event loop is worth more than one write: somebody else's lock on the database is waited for only while upkeep
 * starts. Later a commit gives up after 50 ms, and is kept like any other that failed.
 */
import type { Job } from '../job/job.ts';
import type { Reason } from '../job/reason.ts';
import type { EventQuery } from '../supervisor/control.ts';
import type { Batch, NumberedBatch } from './batch.ts';
import type { Database } from './database.ts';
import { Disk } from './disk.ts';
import { mergeEvents, mergeLive, mergeRows } from './merge.ts';
import { type NotifyCursors, readCursors, writeCursors } from './notify_cursors.ts';
import { Numbering } from './numbering.ts';
import type { StoreOpened, StoreOptions } from './options.ts';
import { DEFAULT_LIMITS, pruneSlice } from './prune.ts';
import {
  type JobQuery,
  type Live,
  type RunQuery,
  readEvents,
  readJobs,
  readLive,
  readRuns,
} from './queries.ts';
import type { EventRecord, RunRow } from './records.ts';

/** The one writer of the database. */
export class Store {
  readonly #options: StoreOptions;
  readonly #numbering: Numbering;
  readonly #disk: Disk;
  /** Services with a run that has finished since their runs were last pruned. */
  readonly #finished = new Set<string>();

  private constructor(options: StoreOptions) {
    this.#options = options;
    this.#numbering = new Numbering(options.host.clock);
    this.#disk = new Disk(options, this.#numbering);
  }

  /**
   * Opens the store. A damaged database is set aside; one that cannot be opened or written leaves the store degraded,
   * until {@link rebuild} works.
   *
   * @throws {@link NewerDatabase} where a newer upkeep has written the database, which stays as it is.
   *
   * @example
   * ```ts
   * const store = Store.open({ path: `${stateDir}/upkeep.db`, host, onDegraded: (why) => report(why) });
   * const [event] = store.commit({ jobs: [job], events: [started] });
   * ```
   */
  static open(options: StoreOptions): Store {
    return new Store(options);
  }

  /** What opening found. */
  get opened(): StoreOpened {
    return this.#disk.opened;
  }

  /** Why not everything is on disk; null where it is. */
  get degraded(): Reason | null {
    return this.#disk.degraded;
  }

  /** The database may lack more than what is kept here: it takes {@link rebuild}, not {@link retry}, to go on. */
  get lost(): boolean {
    return this.#disk.lost;
  }

  /** How many events were given up as too many could not be written, and how many rows the database refused. */
  get dropped(): number {
    return this.#disk.dropped;
  }

  /**
   * Writes a batch in one transaction, or keeps it where that fails. Never throws.
   *
   * @returns its events, with their numbers.
   */
  commit(batch: Batch): EventRecord[] {
    const { at } = this.#options;
    const numbered = this.#numbered(batch);
    at?.('store.commit');
    this.#disk.write(numbered);
    at?.('store.commit:done');
    return numbered.events;
  }

  /**
   * Tries to write what is kept, through a new connection where the old one may be at fault. It may block for as long
   * as a failing write does: to be called every few seconds, not more often.
   *
   * @returns true where everything is on disk now; false also where the store is {@link lost}.
   */
  retry(): boolean {
    return this.#disk.retry();
  }

  /**
   * Begins a new database where the old one is lost, and writes everything into it.
   *
   * @param all every service, run and job that the caller holds; of the events only new ones.
   * @returns true where everything is on disk now; else it is kept.
   */
  rebuild(all: Batch): boolean {
    return this.#disk.rebuild(this.#numbered(all));
  }

  /** Every service, and the run that each is in, or was in last, with its jobs. What cannot be read is left out. */
  load(): Live {
    const stored = this.ask(readLive, { services: [], runs: [], jobs: [] });
    const { kept } = this.#disk;
    return kept === null ? stored : mergeLive(stored, kept);
  }

  /** Jobs, those of finished runs too, oldest first. */
  jobs(query: JobQuery): Job[] {
    const stored = this.ask((database) => readJobs(database, query), []);
    const { kept } = this.#disk;
    return kept === null ? stored : mergeRows(stored, kept.jobs, kept, query);
  }

  /** Runs, oldest first. */
  runs(query: RunQuery): RunRow[] {
    const stored = this.ask((database) => readRuns(database, query), []);
    const { kept } = this.#disk;
    return kept === null ? stored : mergeRows(stored, kept.runs, kept, query);
  }

  /** Events in rising order; without a limit all that match. */
  events(query: EventQuery): EventRecord[] {
    const stored = this.ask((database) => readEvents(database, query), []);
    const { kept } = this.#disk;
    return kept === null ? stored : mergeEvents(stored, kept, query);
  }

  /** How far each rule of `notify` has come; empty where that cannot be read. */
  notifyCursors(): NotifyCursors {
    return this.ask(readCursors, new Map());
  }

  /**
   * Writes down how far each rule of `notify` has come, and forgets the rules that are not among them. Never throws.
   * While the store is degraded nothing is written: the caller says it all again the next time.
   */
  keepNotifyCursors(cursors: NotifyCursors): void {
    this.tell((database) => writeCursors(database, cursors));
  }

  /** Reads what is stored beside jobs and events; `nothing` where that cannot be read. Never throws. */
  ask<T>(question: (database: Database) => T, nothing: T): T {
    return this.#disk.ask(question, nothing);
  }

  /**
   * Writes what is stored beside jobs and events. Never throws. While the store is degraded nothing is written.
   *
   * @param work in one transaction of its own.
   * @returns false where it is not written: the caller says it again once the store works.
   */
  tell(work: (database: Database) => void): boolean {
    return this.#disk.tell(work);
  }

  /**
   * Deletes what is beyond the limits, a slice at a time, and once that is done moves what was committed out of the
   * write-ahead log, so that no commit has to. For quiet moments; does nothing while degraded.
   *
   * @param now ms since the epoch.
   * @returns true where there is more to delete: call it again soon.
   */
  prune(now: number): boolean {
    const limits = this.#options.limits ?? DEFAULT_LIMITS;
    return this.#disk.tidy((database) => pruneSlice(database, this.#finished, limits, now));
  }

  /** Writes what is kept, if that works by now, and lets go of the database. Nothing may be called afterwards. */
  close(): void {
    this.#disk.close();
  }

  #numbered(batch: Batch): NumberedBatch & { readonly events: EventRecord[] } {
    for (const run of batch.runs ?? []) if (run.finished_at !== null) this.#finished.add(run.service);
    return this.#numbering.number(batch);
  }
}
