/**
 * The database on disk, and what happens where the disk says no: what cannot be written is kept in memory until that works
 * again, or until another database takes the place of one that is lost.
 */
import type { Reason } from '../job/reason.ts';
import { Backlog } from './backlog.ts';
import { type NumberedBatch, writeBatch } from './batch.ts';
import { BUSY_TIMEOUT, Connection, type Opened, START_BUSY_TIMEOUT } from './connection.ts';
import { type Database, DatabaseError } from './database.ts';
import { degradedReason, type Failure, failureOf, lossReason } from './failure.ts';
import { NewerDatabase } from './migrations.ts';
import type { Numbering } from './numbering.ts';
import type { StoreOpened, StoreOptions } from './options.ts';

/** See the top of this file. Only opening throws. */
export class Disk {
  /** What opening found. */
  readonly opened: StoreOpened;
  readonly #options: StoreOptions;
  readonly #connection: Connection;
  readonly #backlog = new Backlog();
  readonly #numbering: Numbering;
  #failure: Failure | null = null;
  #lost = false;
  #dropped = 0;
  /** Something was written since the last checkpoint. */
  #dirty = false;

  /**
   * Opens the database.
   *
   * @param numbering goes on from what is there.
   * @throws {@link NewerDatabase} where a newer upkeep has written the database, which stays as it is.
   */
  constructor(options: StoreOptions, numbering: Numbering) {
    this.#options = options;
    this.#numbering = numbering;
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

  /** Why not everything is on disk; null where it is. */
  get degraded(): Reason | null {
    if (this.#failure === null) return null;
    return degradedReason(this.#failure, {
      path: this.#options.path,
      kept_events: this.#backlog.event_count,
      dropped: this.#dropped,
    });
  }

  /** The database may lack more than what is kept here. */
  get lost(): boolean {
    return this.#lost;
  }

  /** How many events were given up as too many could not be written, and how many rows the database refused. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What is newer than what is on disk; null where that is nothing. */
  get kept(): Required<NumberedBatch> | null {
    return this.#failure === null ? null : this.#backlog.batch();
  }

  /** Writes a batch in one transaction, or keeps it where that fails. */
  write(batch: NumberedBatch): void {
    if (this.#failure !== null) {
      this.#keep(batch);
      return;
    }
    try {
      writeBatch(this.#connection.writable(), batch);
      this.#dirty = true;
    } catch (error) {
      this.#keep(batch);
      this.#fail(error);
    }
  }

  /** Tries to write what is kept, through a new connection where the old one may be at fault. */
  retry(): boolean {
    if (this.#failure === null) return true;
    return this.#mend() && !this.#lost && this.#flush();
  }

  /** Begins a new database where the old one is lost, and writes everything into it. */
  rebuild(all: NumberedBatch): boolean {
    this.#keep(all);
    if (!this.#mend()) return false;
    this.#lost = false;
    return this.#flush();
  }

  /** Reads; `nothing` where that cannot be done. */
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

  /** Writes what is not kept. While degraded nothing is written. @returns false where it is not written. */
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
   * Does what can be put off, and once nothing is left of it moves what was written out of the write-ahead log, so that no
   * commit has to. Nothing is done while degraded.
   *
   * @param work returns true where there is more to do.
   * @returns true where there is more to do.
   */
  tidy(work: (database: Database) => boolean): boolean {
    const { database } = this.#connection;
    if (database === null || this.#failure !== null) return false;
    try {
      const more = work(database);
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

  /** Writes what is kept, if that works by now, and lets go of the database. */
  close(): void {
    this.retry();
    try {
      this.#connection.database?.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // What is in the log is committed, and found by the next to open it.
    }
    this.#connection.close();
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
