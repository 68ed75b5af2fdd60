/**
 * What is committed at once, and the one function that says in which SQL.
 */
import type { Job } from '../job/job.ts';
import { type Database, DatabaseError, type SqlValue } from './database.ts';
import { JOB_COLUMNS, jobValues } from './job_rows.ts';
import {
  EVENT_COLUMNS,
  eventValues,
  RUN_COLUMNS,
  runValues,
  SERVICE_COLUMNS,
  serviceValues,
} from './record_rows.ts';
import type { EventRecord, NewEvent, RunRow, ServiceRow } from './records.ts';

/** Rows to be written in one transaction, each replacing what there was under its key. */
export interface Batch {
  readonly services?: readonly ServiceRow[];
  /** Names; their runs and jobs go with them, their events stay. Deleted before the rest is written. */
  readonly deleted_services?: readonly string[];
  readonly runs?: readonly RunRow[];
  /** The run of each must be stored, or be in this batch. */
  readonly jobs?: readonly Job[];
  readonly events?: readonly NewEvent[];
}

/** A {@link Batch} whose events have their numbers. */
export interface NumberedBatch extends Omit<Batch, 'events'> {
  readonly events?: readonly EventRecord[];
}

/** A job's origin never changes, and leaving an indexed column alone leaves its index alone. */
const JOB_ORIGIN: readonly string[] = ['run_id', 'service', 'action', 'created_at'];

const UPSERT_SERVICE = upsert('services', SERVICE_COLUMNS);
const UPSERT_RUN = upsert('runs', RUN_COLUMNS);
const UPSERT_JOB = upsert('jobs', JOB_COLUMNS, JOB_ORIGIN);
const DELETE_RUNS_OF_SERVICE = 'DELETE FROM runs WHERE service = ?';
const DELETE_SERVICE = 'DELETE FROM services WHERE name = ?';
// A commit whose outcome was in doubt is written once more: an event that is there already is that same event.
const INSERT_EVENT = `${insert('events', EVENT_COLUMNS)} ON CONFLICT DO NOTHING`;

/**
 * Writes a batch: all of it or nothing.
 *
 * @throws {@link DatabaseError}
 * @throws {TypeError} where a row holds what cannot be stored.
 */
export function writeBatch(database: Database, batch: NumberedBatch): void {
  database.transaction(() => putAll(batch, (sql, values) => database.run(sql, values())));
}

/**
 * Writes what the database takes of a batch. One row that it refuses, which only a bug can make, must not keep all
 * others from the disk for good.
 *
 * @returns how many rows were refused.
 * @throws {@link DatabaseError} for everything that is no fault of a row.
 */
export function writeAcceptable(database: Database, batch: NumberedBatch): number {
  let refused = 0;
  database.transaction(() =>
    putAll(batch, (sql, values) => {
      try {
        database.run(sql, values());
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused += 1;
      }
    }),
  );
  return refused;
}

/** True where it is the row that is wrong, not the database. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  return error instanceof DatabaseError && ['SQLITE_CONSTRAINT', 'SQLITE_MISMATCH'].includes(error.code);
}

function putAll(batch: NumberedBatch, put: (sql: string, values: () => SqlValue[]) => void): void {
  for (const name of batch.deleted_services ?? []) {
    put(DELETE_RUNS_OF_SERVICE, () => [name]);
    put(DELETE_SERVICE, () => [name]);
  }
  for (const row of batch.services ?? []) put(UPSERT_SERVICE, () => serviceValues(row));
  for (const row of batch.runs ?? []) put(UPSERT_RUN, () => runValues(row));
  for (const job of batch.jobs ?? []) put(UPSERT_JOB, () => jobValues(job));
  for (const event of batch.events ?? []) put(INSERT_EVENT, () => eventValues(event));
}

function insert(table: string, columns: readonly string[]): string {
  const names = columns.map((column) => `"${column}"`).join(', ');
  return `INSERT INTO ${table} (${names}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** The first column is the key. */
function upsert(table: string, columns: readonly string[], fixed: readonly string[] = []): string {
  const [key, ...others] = columns;
  const changes = others
    .filter((column) => !fixed.includes(column))
    .map((column) => `${column} = excluded.${column}`);
  return `${insert(table, columns)} ON CONFLICT (${key}) DO UPDATE SET ${changes.join(', ')}`;
}
