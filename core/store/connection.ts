/**
 * The store's connection to its file: whether that is still the right file, and how to get away from a wrong one.
 */
import type { Host } from '../host/host.ts';
import type { NumberedBatch } from './batch.ts';
import { assertSound, isDamage, salvage, setAside } from './damage.ts';
import { Database, DatabaseError } from './database.ts';
import { knownVersion, migrate } from './migrations.ts';

/**
 * How many pages the write-ahead log may grow to (16 MB) before a commit has to copy them into the database, which
 * takes several ms. Mostly that is done in a quiet moment instead, by `prune`.
 */
const CHECKPOINT_PAGES = 4_000;

/** How often it is looked whether the file is still where it was, in ms. SQLite writes on into a deleted one. */
const LOOK_INTERVAL = 1_000;

/**
 * For how long a connection is not replaced because it fails, in ms: the old one's descriptors and cache stay until
 * they are garbage collected, so that one a minute is enough.
 */
const FRESH = 60_000;

/** For how long opening at start may wait for somebody else's lock, in ms. */
export const START_BUSY_TIMEOUT = 5_000;

/** The same for everything later, which blocks the event loop. */
export const BUSY_TIMEOUT = 50;

/** What opening found. */
export interface Opened {
  /** There was nothing before. */
  readonly created: boolean;
  /** The damaged database that was in its place, and where it is now. */
  readonly replaced: { readonly damage: string; readonly set_aside: string } | null;
}

/** At most one open database, and always the same path. */
export class Connection {
  readonly #path: string;
  readonly #host: Pick<Host, 'files' | 'clock'>;
  readonly #onSaved: (rows: NumberedBatch) => void;
  #database: Database | null = null;
  /** The file that the database had when it was opened. */
  #fileId: string | null = null;
  #condemned = false;
  #openedAt = 0;
  #lookedAt = 0;

  /** @param onSaved gets what could be read of a database that was set aside; it is nowhere else then. */
  constructor(path: string, host: Pick<Host, 'files' | 'clock'>, onSaved: (rows: NumberedBatch) => void) {
    this.#path = path;
    this.#host = host;
    this.#onSaved = onSaved;
  }

  /** What is open, right file or wrong; null where nothing is. */
  get database(): Database | null {
    return this.#database;
  }

  /** The file is damaged or not in its place any more, and so {@link retire} will set it aside. */
  get condemned(): boolean {
    return this.#condemned;
  }

  /**
   * Opens the database, makes or migrates it, and checks that it is whole. A damaged one is set aside.
   *
   * @param busyTimeout for how long to wait for somebody else's lock while opening, in ms.
   * @throws {@link NewerDatabase}, with the file untouched.
   * @throws {@link DatabaseError} where it cannot be opened or written, or an `ErrnoException` where a damaged one
   * cannot be set aside.
   */
  open(busyTimeout: number): Opened {
    try {
      return { created: this.#openSound(busyTimeout), replaced: null };
    } catch (error) {
      const set_aside = this.retire();
      if (set_aside === null) throw error;
      this.#openSound(busyTimeout);
      return { created: false, replaced: { damage: String(error), set_aside } };
    }
  }

  /**
   * The database to write into.
   *
   * @throws {@link DatabaseError} where there is none, or its file was taken away: then it is condemned.
   */
  writable(): Database {
    if (this.#database === null) throw new DatabaseError('SQLITE_CANTOPEN', 'it is not open');
    const now = this.#host.clock.mono();
    if (now - this.#lookedAt >= LOOK_INTERVAL) {
      this.#look();
      if (this.#condemned) throw new DatabaseError('SQLITE_CANTOPEN', 'its file was removed or replaced');
      this.#lookedAt = now;
    }
    return this.#database;
  }

  /** Takes note of a failure that may say that the file is damaged. */
  note(error: unknown): void {
    if (isDamage(error)) this.#condemned = true;
  }

  /** There is a database, and its file is where it was. */
  get inPlace(): boolean {
    if (this.#database === null) return false;
    this.#look();
    return !this.#condemned;
  }

  /** It is so new that another one would do no better. */
  get fresh(): boolean {
    return this.#host.clock.mono() - this.#openedAt < FRESH;
  }

  /**
   * Lets go of the database. A condemned one is set aside, and with it whatever has taken its place.
   *
   * @returns where it is now; null where it was only closed.
   * @throws an `ErrnoException` where it cannot be set aside: then it stays.
   */
  retire(): string | null {
    if (this.#database === null || !this.#condemned) {
      this.close();
      return null;
    }
    const saved = salvage(this.#database);
    // libsql may keep the old files open for a while. They have new names by then, from which SQLite sees that the
    // log at the old name is not its own to remove.
    const target = setAside(this.#path, this.#host);
    this.close();
    this.#onSaved(saved);
    return target;
  }

  /** Lets go of the database. */
  close(): void {
    this.#database?.close();
    this.#database = null;
    this.#condemned = false;
  }

  /** @returns true where it was empty. */
  #openSound(busyTimeout: number): boolean {
    const database = Database.open(this.#path, { files: this.#host.files, busy_timeout: busyTimeout });
    this.#database = database;
    try {
      this.#fileId = this.#currentFileId();
      this.#openedAt = this.#host.clock.mono();
      // Before anything that could write: a newer upkeep's database is left as it is.
      const empty = knownVersion(database) === 0;
      database.exec('PRAGMA journal_mode = WAL');
      // No fsync in a commit: only a crash of the machine can take the last of them back, and then all jobs are dead.
      database.exec('PRAGMA synchronous = NORMAL');
      database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      migrate(database);
      assertSound(database);
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
      return empty;
    } catch (error) {
      this.note(error);
      if (!this.#condemned) this.close();
      throw error;
    }
  }

  #look(): void {
    if (this.#currentFileId() !== this.#fileId) this.#condemned = true;
  }

  /** `dev:inode`, which nothing else can have while the database is open. */
  #currentFileId(): string | null {
    const stat = this.#host.files.statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
  }
}
