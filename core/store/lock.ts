/**
 * One upkeep a state folder: a lock that the kernel takes back at once, whatever way its holder ends.
 *
 * Node has no flock. An exclusive transaction of SQLite's is a POSIX lock on the file, which belongs to the process:
 * a child does not inherit it, and no stale one can be left behind. The other side of that: this process loses the
 * lock when it opens and closes the file by any way but SQLite, so nothing may ever read it.
 */
import type { Files } from '../host/host.ts';
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
 * Takes the lock, unless another process has it.
 *
 * @param path of the lock's file, made where there is none.
 * @param pid of this process, written to `<path>.pid` for whoever finds the lock taken.
 * @returns the lock, or in words who has it: the pid it has written down, which is for messages only.
 * @throws {@link DatabaseError} where the file cannot be opened or is no lock.
 *
 * @example
 * ```ts
 * const lock = acquireLock(`${stateDir}/upkeep.lock`, host.files, pid);
 * if ('held_by' in lock) throw new Error(`Cannot start as upkeep runs already: ${lock.held_by}`);
 * ```
 */
export function acquireLock(path: string, files: Files, pid: number): Lock | { readonly held_by: string } {
  const pidPath = `${path}.pid`;
  const database = Database.open(path, { files, busy_timeout: BUSY_TIMEOUT });
  try {
    // Nothing is ever written, so there is no journal to keep.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof DatabaseError && error.code === 'SQLITE_BUSY')
      return { held_by: holder(pidPath, files) };
    throw error;
  }
  files.writeFileSync(pidPath, `${pid}\n`, { mode: 0o600 });
  return { path, release: () => database.close() };
}

function holder(pidPath: string, files: Files): string {
  try {
    return `pid ${files.readFileSync(pidPath, 'utf8').trim()}`;
  } catch {
    return 'an unknown process';
  }
}
