/**
 * Keeps the store to its bounds, a little at a time: a call deletes at most a slice, so that it never holds the event
 * loop for long.
 */
import type { Database } from './database.ts';

/** How much is kept. */
export interface StoreLimits {
  /** Events. */
  readonly max_events: number;
  /** Of an event, in ms. */
  readonly max_age: number;
}

/** 50,000 events (about 15 MB), none older than 30 days. */
export const DEFAULT_LIMITS: StoreLimits = { max_events: 50_000, max_age: 30 * 24 * 3_600_000 };

/** 10,000 records of the audit (about 2 MB), none older than 90 days. */
export const AUDIT_LIMITS = { max_records: 10_000, max_age: 90 * 24 * 3_600_000 };

/** How many finished runs of a service are kept, each with its jobs. */
export const KEPT_RUNS = 20;

/** How many services' runs are pruned in one call. */
const PRUNED_SERVICES = 10;

/** At most so many events in one call. */
const SLICE = 500;

// The newest event always stays: the numbers go on from it when the store is opened again.
const DELETE_OLDEST = `
  DELETE FROM events
  WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?) AND seq < (SELECT max(seq) FROM events)`;

/**
 * Deletes the oldest events, as far as there are too many or they are too old.
 *
 * @param now ms since the epoch.
 * @returns true where there is more to delete.
 * @throws {@link DatabaseError}
 */
export function pruneEvents(database: Database, limits: StoreLimits, now: number): boolean {
  const excess = (database.number('count(*)', 'FROM events') ?? 0) - limits.max_events;
  const oldest = database.number('time', 'FROM events ORDER BY seq LIMIT 1');
  const horizon = now - limits.max_age;
  let deleted = 0;
  if (excess > 0) deleted += database.run(DELETE_OLDEST, [Math.min(excess, SLICE)]);
  if (oldest !== null && oldest < horizon)
    deleted += database.run(`${DELETE_OLDEST} AND time < ?`, [SLICE, horizon]);
  return deleted >= SLICE;
}

/**
 * Deletes the oldest records of the audit, as {@link pruneEvents} does events; the newest stays for its number.
 *
 * @param now ms since the epoch.
 * @returns true where there is more to delete.
 * @throws {@link DatabaseError}
 */
export function pruneAudit(database: Database, limits: typeof AUDIT_LIMITS, now: number): boolean {
  const excess = (database.number('count(*)', 'FROM audit') ?? 0) - limits.max_records;
  const oldest = database.number('time', 'FROM audit ORDER BY seq LIMIT 1');
  const horizon = now - limits.max_age;
  if (excess <= 0 && (oldest === null || oldest >= horizon)) return false;
  const deleted = database.run(
    `DELETE FROM audit WHERE seq < (SELECT max(seq) FROM audit) AND (
       seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ?)
       OR seq IN (SELECT seq FROM audit WHERE time < ? ORDER BY seq LIMIT ?))`,
    [Math.min(Math.max(0, excess), SLICE), horizon, SLICE],
  );
  return deleted >= SLICE;
}

/**
 * Deletes a service's oldest finished runs, and their jobs, beyond {@link KEPT_RUNS}.
 *
 * @throws {@link DatabaseError}
 */
export function pruneRuns(database: Database, service: string): void {
  database.run(
    `DELETE FROM runs WHERE id IN (
       SELECT id FROM runs WHERE service = ? AND finished_at IS NOT NULL
       AND id NOT IN (SELECT run_id FROM services WHERE run_id IS NOT NULL)
       ORDER BY started_at DESC, id DESC LIMIT -1 OFFSET ?)`,
    [service, KEPT_RUNS],
  );
}

/**
 * Deletes a slice of everything that is beyond its limits.
 *
 * @param finished services with a run that has finished since their runs were last pruned; those that are pruned here
 *   are taken out of it.
 * @param now ms since the epoch.
 * @returns true where there is more to delete.
 * @throws {@link DatabaseError}
 */
export function pruneSlice(
  database: Database,
  finished: Set<string>,
  limits: StoreLimits,
  now: number,
): boolean {
  for (const service of [...finished].slice(0, PRUNED_SERVICES)) {
    pruneRuns(database, service);
    finished.delete(service);
  }
  const events = pruneEvents(database, limits, now);
  const audit = pruneAudit(database, AUDIT_LIMITS, now);
  return events || audit || finished.size > 0;
}
