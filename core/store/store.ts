/**
 * The store: services, runs, jobs and events on disk, and what happens where the disk says no.
 *
 * A commit never throws. What cannot be written is kept in memory, the latest of each row, and {@link Store.degraded}
 * says why; services go on meanwhile. `retry` writes it once that works again. Where the database itself is lost
 * (damaged, or its file taken away), what is kept may not be all, and `rebuild` is given everything that the caller
 * holds.
 *
 * The event loop is worth more than one write: somebody else's lock on the database is waited for only while upkeep
 * starts. Later a commit gives up after {@link BUSY_TIMEOUT}, and is kept like any other that failed.
 */
import type { Job } from '../job/job.ts';
import type { Reason } from '../job/reason.ts';
import type { EventQuery } from '../supervisor/control.ts';
import { Backlog } from './backlog.ts';
import { type Batch, type NumberedBatch, writeBatch } from './batch.ts';
import { BUSY_TIMEOUT, Connection, type Opened, START_BUSY_TIMEOUT } from './connection.ts';
import { type Database, DatabaseError } from './database.ts';
import { degradedReason, type Failure, failureOf, lossReason } from './failure.ts';
import { mergeEvents, mergeLive, mergeRows } from './merge.ts';
import { NewerDatabase } from './migrations.ts';
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
  /** What opening found. */
  readonly opened: StoreOpened;
  readonly #options: StoreOptions;
  readonly #connection: Connection;
  readonly #backlog = new Backlog();
  readonly #numbering: Numbering;
  /** Services with a run that has finished since their runs were last pruned. */
  readonly #finished = new Set<string>();
  #failure: Failure | null = null;
  #lost = false;
  #dropped = 0;
  /** Something was committed since the last checkpoint. */
  #dirty = false;

  private constructor(options: StoreOptions) {
    this.#options = options;
    this.#numbering = new Numbering(options.host.clock);
    this.#connection = new Connection(options.path, options.host, (rows) => this.#takeSaved(rows));
    try {
      const { created, replaced } = this.#open(START_BUSY_TIMEOUT);
      const lost = replaced && lossReason(replaced.set_aside, replaced.damage);
      this.opened = { created, set_aside: replaced?.set_aside ?? null, lost };
      if (replaced === null) return;
      this.#numbering.leap();
      this.#dropped += this.#backlog.writeTo(this.#connection.writable());
      this.#dirty = true;
      // Whatever could be had of the past is on disk, and the caller has nothing to add to it yet.
      this.#lost = false;
    } catch (error) {
      if (error instanceof NewerDatabase) throw error;
      this.#numbering.leap();
      this.#lost = true;
      this.#note(error);
      this.opened ??= { created: false, set_aside: null, lost: this.degraded };
    }
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

  /** Why not everything is on disk; null where it is. */
  get degraded(): Reason | null {
    if (this.#failure === null) return null;
    return degradedReason(this.#failure, {
      path: this.#options.path,
      kept_events: this.#backlog.event_count,
      dropped: this.#dropped,
    });
  }

  /** The database may lack more than what is kept here: it takes {@link rebuild}, not {@link retry}, to go on. */
  get lost(): boolean {
    return this.#lost;
  }

  /** How many events were given up as too many could not be written, and how many rows the database refused. */
  get dropped(): number {
    return this.#dropped;
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
    if (this.#failure !== null) {
      this.#keep(numbered);
    } else {
      try {
        writeBatch(this.#connection.writable(), numbered);
        this.#dirty = true;
      } catch (error) {
        this.#keep(numbered);
        this.#fail(error);
      }
    }
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
    if (this.#failure === null) return true;
    return this.#mend() && !this.#lost && this.#flush();
  }

  /**
   * Begins a new database where the old one is lost, and writes everything into it.
   *
   * @param all every service, run and job that the caller holds; of the events only new ones.
   * @returns true where everything is on disk now; else it is kept.
   */
  rebuild(all: Batch): boolean {
    this.#keep(this.#numbered(all));
    if (!this.#mend()) return false;
    this.#lost = false;
    return this.#flush();
  }

  /** Every service, and the run that each is in, or was in last, with its jobs. What cannot be read is left out. */
  load(): Live {
    const stored = this.ask(readLive, { services: [], runs: [], jobs: [] });
    return this.#failure === null ? stored : mergeLive(stored, this.#backlog.batch());
  }

  /** Jobs, those of finished runs too, oldest first. */
  jobs(query: JobQuery): Job[] {
    const stored = this.ask((database) => readJobs(database, query), []);
    if (this.#failure === null) return stored;
    const kept = this.#backlog.batch();
    return mergeRows(stored, kept.jobs, kept, query);
  }

  /** Runs, oldest first. */
  runs(query: RunQuery): RunRow[] {
    const stored = this.ask((database) => readRuns(database, query), []);
    if (this.#failure === null) return stored;
    const kept = this.#backlog.batch();
    return mergeRows(stored, kept.runs, kept, query);
  }

  /** Events in rising order; without a limit all that match. */
  events(query: EventQuery): EventRecord[] {
    const stored = this.ask((database) => readEvents(database, query), []);
    return this.#failure === null ? stored : mergeEvents(stored, this.#backlog.batch(), query);
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
    const { database } = this.#connection;
    if (database === null) return nothing;
    try {
      return question(database);
    } catch (error) {
      this.#fail(error);
      return nothing;
    }
  }

  /**
   * Writes what is stored beside jobs and events. Never throws. While the store is degraded nothing is written.
   *
   * @param work in one transaction of its own.
   * @returns false where it is not written: the caller says it again once the store works.
   */
  tell(work: (database: Database) => void): boolean {
    if (this.#failure !== null) return false;
    try {
      work(this.#connection.writable());
      this.#dirty = true;
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /**
   * Deletes what is beyond the limits, a slice at a time, and once that is done moves what was committed out of the
   * write-ahead log, so that no commit has to. For quiet moments; does nothing while degraded.
   *
   * @param now ms since the epoch.
   * @returns true where there is more to delete: call it again soon.
   */
  prune(now: number): boolean {
    const { database } = this.#connection;
    if (database === null || this.#failure !== null) return false;
    try {
      const more = pruneSlice(database, this.#finished, this.#options.limits ?? DEFAULT_LIMITS, now);
      if (!more && this.#dirty) {
        database.exec('PRAGMA wal_checkpoint(PASSIVE)');
        this.#dirty = false;
      }
      return more;
    } catch (error) {
      // Somebody holds a lock: nothing is amiss, and another time will do.
      if (!(error instanceof DatabaseError && error.code === 'SQLITE_BUSY')) this.#fail(error);
      return false;
    }
  }

  /** Writes what is kept, if that works by now, and lets go of the database. Nothing may be called afterwards. */
  close(): void {
    this.retry();
    try {
      this.#connection.database?.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // What is in the log is committed, and found by the next to open it.
    }
    this.#connection.close();
  }

  #numbered(batch: Batch): NumberedBatch & { readonly events: EventRecord[] } {
    for (const run of batch.runs ?? []) if (run.finished_at !== null) this.#finished.add(run.service);
    return this.#numbering.number(batch);
  }

  #open(busyTimeout: number): Opened {
    const opened = this.#connection.open(busyTimeout);
    this.#numbering.goOnFrom(this.#connection.database?.number('max(seq)', 'FROM events') ?? 0);
    return opened;
  }

  /** What is left of a database that was set aside is written into the one that takes its place. */
  #takeSaved(rows: NumberedBatch): void {
    this.#backlog.addOlder(rows);
    this.#lost = true;
  }

  /** Sees to it that there is a connection that may work. */
  #mend(): boolean {
    if (this.#failure === null) return true;
    try {
      const { inPlace, fresh } = this.#connection;
      if (inPlace && (this.#failure.sound || fresh)) return true;
      this.#connection.retire();
      // An empty one in its place has nothing of what was committed before.
      if (this.#open(BUSY_TIMEOUT).created) this.#lost = true;
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #keep(batch: NumberedBatch): void {
    this.#dropped += this.#backlog.add(batch);
  }

  #flush(): boolean {
    try {
      this.#dropped += this.#backlog.writeTo(this.#connection.writable());
      this.#dirty = true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
    if (this.#failure !== null) {
      this.#failure = null;
      this.#options.onDegraded(null);
    }
    return true;
  }

  #note(error: unknown): void {
    this.#failure = failureOf(error, this.#failure?.since ?? this.#options.host.clock.wall());
    this.#connection.note(error);
    if (this.#connection.condemned) this.#lost = true;
  }

  #fail(error: unknown): void {
    const first = this.#failure === null;
    this.#note(error);
    // Last, as the caller may well commit an event about it.
    if (first) this.#options.onDegraded(this.degraded);
  }
}
