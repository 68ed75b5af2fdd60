/**
 * What a store is opened with, and what opening finds.
 */
import type { Host } from '../host/host.ts';
import type { Reason } from '../job/reason.ts';
import type { StoreLimits } from './prune.ts';

/** What a store needs to be opened. */
export interface StoreOptions {
  readonly path: string;
  readonly host: Pick<Host, 'files' | 'clock'>;
  readonly limits?: StoreLimits;
  /** Called when the store becomes degraded, with why, and with null when it is not any more. Not while opening. */
  readonly onDegraded: (reason: Reason | null) => void;
  /** The fault seam: called with `store.commit` before each commit, and with `store.commit:done` after it. */
  readonly at?: (call: string) => void;
}

/** What opening found. */
export interface StoreOpened {
  /** There was no database before. */
  readonly created: boolean;
  /** Where a damaged database was moved to. */
  readonly set_aside: string | null;
  /** Why something of the past may be missing; null where nothing is. */
  readonly lost: Reason | null;
}
