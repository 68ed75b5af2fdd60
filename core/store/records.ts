/**
 * What the store keeps beside jobs. Field names are the column names and the names in every answer.
 */
import type { Phase, Wanted } from '../job/job.ts';
import type { Evidence, ReasonCode } from '../job/reason.ts';

/** Who caused a change. */
export type Actor = 'cli' | 'http' | 'core' | `mcp:${string}` | `plugin:${string}`;

/** A service as last applied. Times are ms since the epoch. */
export interface ServiceRow {
  readonly name: string;
  /** The checked spec, so that a service that left the file can still be stopped in order. */
  readonly spec: unknown;
  readonly wanted: Wanted;
  /** The run it is in, or was in last; null before the first start. */
  readonly run_id: string | null;
  readonly updated_at: number;
}

/** One run context of a service, from start to stop. */
export interface RunRow {
  readonly id: string;
  readonly service: string;
  readonly started_at: number;
  /** Null while the run lasts. */
  readonly finished_at: number | null;
}

/** Something that changed, and why. */
export interface EventRecord {
  /** Rises by one with each event; the cursor of lists and streams. */
  readonly seq: number;
  /** Ms since the epoch. */
  readonly time: number;
  readonly service: string | null;
  readonly action: string | null;
  readonly job_id: string | null;
  readonly incarnation: number | null;
  readonly from: Phase | null;
  readonly to: Phase | null;
  readonly code: ReasonCode;
  readonly message: string;
  readonly evidence: Evidence;
  readonly actor: Actor;
  /** The `seq` of the event that caused this one. */
  readonly cause: number | null;
}

/** An event that has not got its number yet. */
export type NewEvent = Omit<EventRecord, 'seq'>;
