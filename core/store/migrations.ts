/**
 * The schema's history as data, and the step from any version of it to the newest.
 *
 * Migrations only ever add. A text of this list that has been released is never edited: a change is a new entry.
 */
import type { Database } from './database.ts';

/** The SQL that leads to version 1, 2, 3 … from the one before. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE services (
     name TEXT PRIMARY KEY,
     spec TEXT NOT NULL,
     wanted TEXT NOT NULL,
     run_id TEXT,
     updated_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE runs (
     id TEXT PRIMARY KEY,
     service TEXT NOT NULL,
     started_at INTEGER NOT NULL,
     finished_at INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE jobs (
     id TEXT PRIMARY KEY,
     run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
     service TEXT NOT NULL,
     action TEXT NOT NULL,
     wanted TEXT NOT NULL,
     phase TEXT NOT NULL,
     phase_state TEXT NOT NULL,
     epoch INTEGER NOT NULL,
     attempt INTEGER NOT NULL,
     reason TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     started_at INTEGER,
     ready_at INTEGER,
     finished_at INTEGER,
     exit_code INTEGER,
     exit_signal TEXT,
     last_boot_id TEXT,
     last_pid INTEGER,
     last_start_time INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE events (
     seq INTEGER PRIMARY KEY,
     time INTEGER NOT NULL,
     service TEXT,
     action TEXT,
     job_id TEXT,
     incarnation INTEGER,
     "from" TEXT,
     "to" TEXT,
     code TEXT NOT NULL,
     message TEXT NOT NULL,
     evidence TEXT NOT NULL,
     actor TEXT NOT NULL
   ) STRICT;`,

  `ALTER TABLE jobs ADD COLUMN restart_count INTEGER NOT NULL DEFAULT 0;`,

  // events_of_service carries seq as well, as every index carries the rowid. There is none on events.job_id: each
  // index is one more page to write in every commit, and commits are on the restart path. A job's events are found
  // among those of its service.
  `ALTER TABLE events ADD COLUMN cause INTEGER;
   CREATE INDEX events_of_service ON events (service);
   CREATE INDEX jobs_of_run ON jobs (run_id);
   CREATE INDEX jobs_of_service ON jobs (service);
   CREATE INDEX runs_of_service ON runs (service, started_at);`,

  `ALTER TABLE jobs ADD COLUMN spec_digest TEXT;`,

  `CREATE TABLE notify_cursors (
     rule TEXT PRIMARY KEY,
     seq INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,

  `CREATE TABLE tokens (
     name TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     scope TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     last_used_at INTEGER,
     revoked_at INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE audit (
     seq INTEGER PRIMARY KEY,
     time INTEGER NOT NULL,
     operation TEXT NOT NULL,
     target TEXT,
     actor TEXT NOT NULL,
     principal TEXT NOT NULL,
     outcome TEXT NOT NULL,
     code TEXT,
     duration REAL
   ) STRICT;`,
];

/** The database was written by a newer upkeep; this one leaves it alone. */
export class NewerDatabase extends Error {
  override readonly name = 'NewerDatabase';

  constructor(path: string, version: number, known: number) {
    super(
      `Cannot open ${path} as its version must be ${known} or less: current value is ${version}. ` +
        'It was written by a newer upkeep',
    );
  }
}

/**
 * The version of the database's schema; 0 where it is empty.
 *
 * @throws {@link NewerDatabase} where it is above what is known here.
 * @throws {@link DatabaseError}
 */
export function knownVersion(database: Database): number {
  const version = database.number('user_version', 'FROM pragma_user_version') ?? 0;
  if (version > MIGRATIONS.length) throw new NewerDatabase(database.path, version, MIGRATIONS.length);
  return version;
}

/**
 * Brings the schema to version `target`, all of it or nothing.
 *
 * @param target the newest by default; a test makes an older database with less.
 * @throws {@link NewerDatabase}
 * @throws {@link DatabaseError}
 */
export function migrate(database: Database, target: number = MIGRATIONS.length): void {
  if (knownVersion(database) >= target) return;
  database.transaction(() => {
    for (const script of MIGRATIONS.slice(knownVersion(database), target)) database.exec(script);
    database.exec(`PRAGMA user_version = ${target}`);
  });
}
