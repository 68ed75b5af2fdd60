/**
 * The store's face: everything that the rest of upkeep needs of it.
 */
export type { Batch } from './batch.ts';
export { acquireLock, type Lock } from './lock.ts';
export { NewerDatabase } from './migrations.ts';
export type { StoreOpened, StoreOptions } from './options.ts';
export { DEFAULT_LIMITS, KEPT_RUNS, type StoreLimits } from './prune.ts';
export type { JobQuery, Live, RunQuery } from './queries.ts';
export type { Actor, EventRecord, NewEvent, RunRow, ServiceRow } from './records.ts';
export { Store } from './store.ts';
