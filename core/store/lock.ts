/**
 * One upkeep a state folder: a lock that the kernel takes back at once, whatever way its holder ends.
 *
 * Node has no flock. An exclusive transaction of SQLite's is a POSIX lock on the file, which belongs to the process:
 * a child does not inherit it, and no stale one can be left behind. The other side of that: this process loses the
 * lock when it opens and closes the file by any way but SQLite, so nothing may ever read it.
 */
import { constants } from 'node:fs';
import type { Files } from '../host/host.ts';
import { isDamage } from './damage.ts';
import { Database, DatabaseError } from './database.ts';

/**
 * For how long to wait for the lock, in ms. Two that start at once can each keep the other from it for an instant;
 * this is for them, not for waiting until a holder leaves.
 */
const BUSY_TIMEOUT = 100;

/** A lock that is held. Keep it: once it is garbage collected, so is the lock. */
export interface Lock {
  readonly path: string;
  /** Gives it up; the end of the process does the same. */
  release(): void;
}

/**
 * Takes the lock, unless another process has it. A file that is no database any more is emptied, and what was in it
 * kept beside it as `<path>.corrupt-<number>`.
 *
 * @param path of the lock's file, made where there is none.
 * @param pid of this process, written to `<path>.pid` for whoever finds the lock taken.
 * @returns the lock, or in words who has it: the pid it has written down, which is for messages only.
 * @throws {@link DatabaseError} where the file cannot be opened or is no lock, with the path and what to do.
 *
 * @example
 * ```ts
 * const lock = acquireLock(`${stateDir}/upkeep.lock`, host.files, pid);
 * if ('held_by' in lock) throw new Error(`Cannot start as upkeep runs already: ${lock.held_by}`);
 * ```
 */
export function acquireLock(path: string, files: Files, pid: number): Lock | { readonly held_by: string } {
  const pidPath = `${path}.pid`;
  const database = exclusive(path, files);
  if (database === null) return { held_by: holder(pidPath, files) };
  files.writeFileSync(pidPath, `${pid}\n`, { mode: 0o600 });
  return { path, release: () => database.close() };
}

/** The database, locked; null where another process has it. */
function exclusive(path: string, files: Files): Database | null {
  try {
    return tryExclusive(path, files);
  } catch (error) {
    if (!isDamage(error)) throw unusable(path, error);
  }
  try {
    empty(path, files);
    return tryExclusive(path, files);
  } catch (error) {
    throw unusable(path, error);
  }
}

function tryExclusive(path: string, files: Files): Database | null {
  const database = Database.open(path, { files, busy_timeout: BUSY_TIMEOUT });
  try {
    // Nothing is ever written, so there is no journal to keep.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (error instanceof DatabaseError && error.code === 'SQLITE_BUSY') return null;
    throw error;
  }
}

/**
 * Makes an empty lock of a damaged one, in place. Another upkeep may find the damage at the same moment, mend it and
 * take the lock before we get here: the lock is on the inode, so a rename would part the two, each with a lock of its
 * own, while emptying what is empty does nothing to the other's.
 *
 * It was not locked when the damage was seen, as only who gets past the lock reads the file; so this process has no
 * lock on it either that opening and closing the file could cost.
 */
function empty(path: string, files: Files): void {
  const { O_WRONLY, O_TRUNC, O_NOFOLLOW } = constants;
  keepCopy(path, files);
  // Through a symbolic link it might be anything that is emptied.
  files.closeSync(files.openSync(path, O_WRONLY | O_TRUNC | O_NOFOLLOW));
}

function keepCopy(path: string, files: Files): void {
  if (files.statSync(path).size === 0) return;
  for (let number = 1; ; number += 1) {
    try {
      files.copyFileSync(path, `${path}.corrupt-${number}`, constants.COPYFILE_EXCL);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function unusable(path: string, error: unknown): DatabaseError {
  const { code = 'SQLITE_ERROR', message } = error as { code?: string; message: string };
  return new DatabaseError(
    code,
    `Cannot lock ${path} as it must be a file that upkeep may read and write: ${message}; ` +
      'if no upkeep runs on this state folder, remove it',
    { cause: error },
  );
}

function holder(pidPath: string, files: Files): string {
  try {
    return `pid ${files.readFileSync(pidPath, 'utf8').trim()}`;
  } catch {
    return 'an unknown process';
  }
}
