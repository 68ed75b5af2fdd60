/**
 * Answers from what is stored and what is only kept in memory, taken together: the newer row counts.
 */
import type { EventQuery } from '../supervisor/control.ts';
import type { NumberedBatch } from './batch.ts';
import type { JobQuery, Live } from './queries.ts';
import type { EventRecord } from './records.ts';

type Kept = Required<NumberedBatch>;

/** The services, and the run of each with its jobs. */
export function mergeLive(stored: Live, kept: Kept): Live {
  const deleted = new Set(kept.deleted_services);
  const old = stored.services.filter(({ name }) => !deleted.has(name));
  const services = overlay(old, kept.services, ({ name }) => name).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const live = new Set(services.map(({ run_id }) => run_id));
  return {
    services,
    runs: overlay(stored.runs, kept.runs, idOf).filter(({ id }) => live.has(id)),
    jobs: overlay(stored.jobs, kept.jobs, idOf).filter(({ run_id }) => live.has(run_id)),
  };
}

/** Jobs or runs: `stored` is what matches the query already, `newer` whatever is kept of their kind. */
export function mergeRows<
  T extends { readonly id: string; readonly run_id?: string; readonly service: string },
>(stored: readonly T[], newer: readonly T[], kept: Kept, { id, run_id, service }: JobQuery): T[] {
  const deleted = new Set(kept.deleted_services);
  const old = stored.filter((row) => !deleted.has(row.service));
  const wanted = newer.filter(
    (row) =>
      (id === undefined || row.id === id) &&
      (run_id === undefined || row.run_id === run_id) &&
      (service === undefined || row.service === service),
  );
  return overlay(old, wanted, idOf);
}

/** Events in rising order: `stored` is what matches the query already, within its limit. */
export function mergeEvents(stored: readonly EventRecord[], kept: Kept, query: EventQuery): EventRecord[] {
  const { service, job_id, after, before, limit } = query;
  const wanted = kept.events.filter(
    (event) =>
      (service === undefined || event.service === service) &&
      (job_id === undefined || event.job_id === job_id) &&
      (after === undefined || event.seq > after) &&
      (before === undefined || event.seq < before),
  );
  const events = overlay(stored, wanted, ({ seq }) => seq).toSorted((a, b) => a.seq - b.seq);
  if (limit === undefined) return events;
  return after === undefined ? events.slice(Math.max(0, events.length - limit)) : events.slice(0, limit);
}

function overlay<T>(stored: readonly T[], newer: readonly T[], key: (row: T) => string | number): T[] {
  return [...new Map([...stored, ...newer].map((row) => [key(row), row])).values()];
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}
