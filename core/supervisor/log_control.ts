/**
 * What the faces may ask about the lines of logs.
 */
import type { LogLine } from '../log/mod.ts';

/** A line of a job's log. */
export interface LineView extends LogLine {
  readonly job_id: string;
}

/** A line that a search has found. */
export interface FoundLineView extends LineView {
  readonly service: string;
  readonly action: string;
}

/** Which lines of a job. */
export interface LinesQuery {
  /** The `next_cursor` of the page before. */
  readonly cursor?: string;
  readonly incarnation?: number;
  /** Only what was written after this time (ms since the epoch), as finely as the index knows. */
  readonly since?: number;
  /** Only the last so many lines. */
  readonly tail?: number;
  /** How many lines the page has at most. */
  readonly limit?: number;
}

/** A page of lines. */
export interface LinesPage {
  readonly items: readonly LineView[];
  /** Null where nothing follows, for now. */
  readonly next_cursor: string | null;
}

/** What to look for, and where. */
export interface LineSearch {
  /** Text, or `/regex/` with the flags i, m, s, u. */
  readonly query: string;
  readonly service?: string;
  readonly action?: string;
  readonly job_id?: string;
  readonly incarnation?: number;
  /** Ms since the epoch, both as finely as the index knows. */
  readonly since?: number;
  readonly until?: number;
  /** How many lines at most. */
  readonly limit?: number;
  /** The `next_cursor` of the search that went before. */
  readonly cursor?: string;
}

/** What a search has found. */
export interface SearchPage {
  /** Job by job in the order in which they were made, the oldest line first. */
  readonly items: readonly FoundLineView[];
  /** False where a bound ended the search before the logs did: then `next_cursor` goes on with it. */
  readonly complete: boolean;
  readonly next_cursor: string | null;
}

/** The lines of logs, as the faces see them. */
export interface LogControl {
  /** @throws {@link NotFound} */
  read(jobId: string, query: LinesQuery): Promise<LinesPage>;
  /**
   * Looks through logs within bounds of lines, bytes and time.
   *
   * @param signal Ends it early; what was found by then is given.
   * @throws {@link NotFound} for a job that is not there, {@link Unavailable} where too many search already,
   * `PatternTooSlow`.
   */
  search(query: LineSearch, signal: AbortSignal): Promise<SearchPage>;
}
