/**
 * What to do about a database that is damaged: take out what can still be trusted, and put the file aside. Nothing is
 * ever deleted.
 */
import type { Host } from '../host/host.ts';
import { AUDIT_COLUMNS } from './audit_rows.ts';
import { MAX_KEPT_EVENTS } from './backlog.ts';
import type { NumberedBatch } from './batch.ts';
import { type Database, DatabaseError } from './database.ts';
import { JOB_COLUMNS } from './job_rows.ts';
import { knownVersion, MIGRATIONS } from './migrations.ts';
import { CURSOR_COLUMNS } from './notify_cursors.ts';
import { readEvents, readJobs, readRuns, readServices } from './queries.ts';
import { EVENT_COLUMNS, RUN_COLUMNS, SERVICE_COLUMNS } from './record_rows.ts';
import { TOKEN_COLUMNS } from './token_rows.ts';

/** True where SQLite says that what is in the file is wrong, whatever was to be done with it. */
export function isDamage(error: unknown): boolean {
  return error instanceof DatabaseError && ['SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(error.code);
}

/** Throws where a database is not whole, or has not the tables that it says it has. @throws {@link DatabaseError} */
export function assertSound(database: Database): void {
  if (!isWhole(database, '1')) {
    throw new DatabaseError('SQLITE_CORRUPT', 'the database does not pass its integrity check');
  }
  try {
    database.select(SERVICE_COLUMNS, 'FROM services LIMIT 0');
    database.select(RUN_COLUMNS, 'FROM runs LIMIT 0');
    database.select(JOB_COLUMNS, 'FROM jobs LIMIT 0');
    database.select(EVENT_COLUMNS, 'FROM events LIMIT 0');
    database.select(CURSOR_COLUMNS, 'FROM notify_cursors LIMIT 0');
    database.select(TOKEN_COLUMNS, 'FROM tokens LIMIT 0');
    database.select(AUDIT_COLUMNS, 'FROM audit LIMIT 0');
  } catch (error) {
    throw new DatabaseError('SQLITE_CORRUPT', `the database has other tables than it should: ${error}`);
  }
}

/**
 * What can be trusted of a damaged database: its tables, as far as each is whole in itself. Mostly it is the events
 * that are hit, as they are most of the file; then this keeps what is wanted, and the jobs with their counts.
 */
export function salvage(database: Database): NumberedBatch {
  return {
    services: intact('services', () => readServices(database)),
    runs: intact('runs', () => readRuns(database, {})),
    jobs: intact('jobs', () => readJobs(database, {})),
    events: intact('events', () => readEvents(database, { limit: MAX_KEPT_EVENTS })),
  };

  function intact<T>(table: string, read: () => T[]): T[] {
    try {
      // Another version's tables are laid out otherwise; a database that is damaged is not migrated.
      return knownVersion(database) === MIGRATIONS.length && isWhole(database, `'${table}'`) ? read() : [];
    } catch {
      return [];
    }
  }
}

/**
 * Renames the database, and the files that belong to it, to `<path>.corrupt-<time>`.
 *
 * @returns the new path.
 * @throws an `ErrnoException` where that cannot be done.
 */
export function setAside(path: string, { files, clock }: Pick<Host, 'files' | 'clock'>): string {
  let time = clock.wall();
  while (files.existsSync(asidePath(path, time))) time += 1;
  const target = asidePath(path, time);
  // The database last: dying in between must not leave a write-ahead log beside a database it does not belong to.
  for (const suffix of ['-shm', '-wal', '']) {
    if (files.existsSync(path + suffix)) files.renameSync(path + suffix, target + suffix);
  }
  return target;
}

function asidePath(path: string, time: number): string {
  return `${path}.corrupt-${new Date(time).toISOString().replaceAll(':', '-')}`;
}

/** @param what a table's quoted name for that table alone, or how many faults to look for in all of them. */
function isWhole(database: Database, what: string): boolean {
  return database.number(`quick_check = 'ok'`, `FROM pragma_quick_check(${what})`) === 1;
}
