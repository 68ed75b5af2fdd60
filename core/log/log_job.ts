/**
 * What the log module needs to know of a job.
 */

/** The `logs` part of a checked spec. Sizes are bytes. */
export interface LogPolicy {
  readonly rotate: readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[];
  /** How many segments are kept. */
  readonly keep: number;
  /** Bytes on disk for the job as a whole. */
  readonly max_total: number;
  /** How long a segment is kept after it was last written to, ms; null: for ever. */
  readonly max_age: number | null;
  readonly compress: 'gzip' | 'zstd' | 'none';
}

/** A job, as far as its log goes. */
export interface LogJob {
  readonly service: string;
  readonly action: string;
  readonly job_id: string;
  readonly policy: LogPolicy;
}
