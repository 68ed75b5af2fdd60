/**
 * What can be asked of the database, in SQL.
 */
import type { Job } from '../job/job.ts';
import type { EventQuery } from '../supervisor/control.ts';
import type { Database, SqlValue } from './database.ts';
import { JOB_COLUMNS, jobFromRow } from './job_rows.ts';
import {
  EVENT_COLUMNS,
  eventFromRow,
  RUN_COLUMNS,
  runFromRow,
  SERVICE_COLUMNS,
  serviceFromRow,
} from './record_rows.ts';
import type { EventRecord, RunRow, ServiceRow } from './records.ts';
import { readable } from './row_reader.ts';

/** Which jobs; all of them where nothing is given. */
export interface JobQuery {
  readonly id?: string;
  readonly run_id?: string;
  readonly service?: string;
}

/** Which runs; all of them where nothing is given. */
export interface RunQuery {
  readonly id?: string;
  readonly service?: string;
}

/** What a supervisor goes on from. */
export interface Live {
  readonly services: readonly ServiceRow[];
  readonly runs: readonly RunRow[];
  readonly jobs: readonly Job[];
}

/** Every service, by name, and the run that each is in with its jobs. @throws {@link DatabaseError} */
export function readLive(database: Database): Live {
  const live = 'IN (SELECT run_id FROM services)';
  return {
    services: readServices(database),
    runs: readable(
      database.select(RUN_COLUMNS, `FROM runs WHERE id ${live} ORDER BY started_at, id`),
      runFromRow,
    ),
    jobs: readable(
      database.select(JOB_COLUMNS, `FROM jobs WHERE run_id ${live} ORDER BY created_at, id`),
      jobFromRow,
    ),
  };
}

/** Every service, by name. @throws {@link DatabaseError} */
export function readServices(database: Database): ServiceRow[] {
  return readable(database.select(SERVICE_COLUMNS, 'FROM services ORDER BY name'), serviceFromRow);
}

/** Oldest first. @throws {@link DatabaseError} */
export function readJobs(database: Database, query: JobQuery): Job[] {
  const { sql, values } = where({ 'id =': query.id, 'run_id =': query.run_id, 'service =': query.service });
  return readable(
    database.select(JOB_COLUMNS, `FROM jobs ${sql} ORDER BY created_at, id`, values),
    jobFromRow,
  );
}

/** Oldest first. @throws {@link DatabaseError} */
export function readRuns(database: Database, query: RunQuery): RunRow[] {
  const { sql, values } = where({ 'id =': query.id, 'service =': query.service });
  return readable(
    database.select(RUN_COLUMNS, `FROM runs ${sql} ORDER BY started_at, id`, values),
    runFromRow,
  );
}

/** In rising order. Without a limit: all that match. @throws {@link DatabaseError} */
export function readEvents(database: Database, query: EventQuery): EventRecord[] {
  const { sql, values } = where({
    // There is an index on services alone: a job's events are looked for among those of its service.
    'service =': query.service ?? serviceOf(database, query.job_id),
    'job_id =': query.job_id,
    'seq >': query.after,
    'seq <': query.before,
  });
  const newest = query.after === undefined;
  const rest = `FROM events ${sql} ORDER BY seq ${newest ? 'DESC' : 'ASC'} LIMIT ?`;
  const events = readable(database.select(EVENT_COLUMNS, rest, [...values, query.limit ?? -1]), eventFromRow);
  return newest ? events.reverse() : events;
}

function serviceOf(database: Database, jobId: string | undefined): string | undefined {
  if (jobId === undefined) return undefined;
  return readJobs(database, { id: jobId })[0]?.service;
}

function where(conditions: Readonly<Record<string, SqlValue>>): { sql: string; values: SqlValue[] } {
  const given = Object.entries(conditions).filter(([, value]) => value !== undefined);
  return {
    sql: given.length === 0 ? '' : `WHERE ${given.map(([condition]) => `${condition} ?`).join(' AND ')}`,
    values: given.map(([, value]) => value),
  };
}
