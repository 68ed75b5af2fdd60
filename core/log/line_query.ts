/**
 * Pages of lines, and searching for lines: both bounded in what they read and in what they give, and gone on with by a
 * cursor.
 */
import type { Clock, Host } from '../host/host.ts';
import { matchingTexts, PatternTooSlow } from '../plugin/text_pattern.ts';
import type { JobLog } from './job_log.ts';
import { type ScannedLine, scanLines, textOf, timeOf } from './line_scan.ts';
import { firstPlace } from './pieces.ts';
import { seekTail, seekTime } from './seek.ts';
import { formatSpot, type Spot, seekSpot } from './spot.ts';
import { Reader } from './walk.ts';

/** A line of a log. Times are ms since the epoch. */
export interface LogLine {
  readonly incarnation: number;
  /** When it was written, at the earliest that is known; null where the index does not know. */
  readonly time: number | null;
  /** The logical offset of its first byte in the file that it was read from. */
  readonly offset: number;
  /** Without the line's end; control characters are left as they are. */
  readonly text: string;
  /** The line is longer; only its beginning is here. */
  readonly truncated: boolean;
}

/** Which lines. */
export interface LineQuery {
  /** Where to begin; null for the beginning. */
  readonly from: Spot | null;
  readonly incarnation: number | null;
  /** Only what was written after this time, as finely as the index knows. */
  readonly since: number | null;
  /** Only the last so many lines. */
  readonly tail: number | null;
}

/** What a search may still use up, counted down as it goes on. */
export interface SearchBudget {
  lines: number;
  /** Bytes read from the log. */
  bytes: number;
  /** Bytes of lines found. */
  found: number;
  /** Monotonic ms. */
  readonly until: number;
}

/** What a search looks for. */
export interface SearchQuery {
  readonly pattern: string;
  readonly from: Spot | null;
  readonly incarnation: number | null;
  readonly since: number | null;
  /** Only what was written by then, as finely as the index knows. */
  readonly until: number | null;
}

/** Bytes of text in one page, about. */
export const PAGE_BYTES = 262_144;

/** Ms that a regex may hold everything up for one chunk. */
const PATTERN_LIMIT = 100;

/** A page of lines. `next` is null where nothing follows. */
export async function pageOfLines(
  host: Host,
  log: JobLog,
  { from, incarnation, since, tail }: LineQuery,
  limit: number,
): Promise<{ lines: LogLine[]; next: string | null }> {
  return withReader(host, log, { lines: [], next: null }, async (reader) => {
    if (from !== null) await seekSpot(log, reader, from);
    else if (since !== null) await seekTime(log, reader, since);
    if (from === null && tail !== null) await seekTail(host, log, reader, incarnation, tail);
    const lines: LogLine[] = [];
    let bytes = 0;
    let next: Spot | null = null;
    for await (const batch of scanLines(log, reader, incarnation, from?.within_line === true)) {
      for (const line of batch.lines) {
        // There is another one: the page ends before it.
        if (next !== null && (lines.length >= limit || bytes >= PAGE_BYTES)) {
          return { lines, next: formatSpot(next) };
        }
        lines.push(logLine(line));
        bytes += line.bytes.length;
        next = line.next;
      }
    }
    return { lines, next: null };
  });
}

/**
 * Looks for lines until the log ends or the budget is used up.
 *
 * @param signal Ends it early.
 * @returns `next` null where the log was searched to its end.
 * @throws {@link PatternTooSlow} where a regex takes too long, twice in a row.
 */
export async function searchLines(
  host: Host,
  log: JobLog,
  { pattern, from, incarnation, since, until }: SearchQuery,
  budget: SearchBudget,
  signal: AbortSignal,
): Promise<{ lines: LogLine[]; next: string | null }> {
  return withReader(host, log, { lines: [], next: null }, async (reader) => {
    if (from !== null) await seekSpot(log, reader, from);
    else if (since !== null) await seekTime(log, reader, since);
    const lines: LogLine[] = [];
    let moved = false;
    for await (const batch of scanLines(log, reader, incarnation, from?.within_line === true)) {
      const [first] = batch.lines;
      if (until !== null && first !== undefined && (timeOf(first) ?? 0) > until) break;
      budget.bytes -= batch.read;
      const texts = batch.lines.map(textOf);
      for (const index of await matching(pattern, texts, host.clock)) {
        const line = batch.lines[index];
        if (line === undefined || (until !== null && (timeOf(line) ?? 0) > until)) continue;
        lines.push(logLine(line));
        budget.lines--;
        budget.found -= line.bytes.length;
        if (budget.lines <= 0 || budget.found <= 0) return { lines, next: formatSpot(line.next) };
      }
      // A piece of a line at a file's end, where it alone was read, would be where the next search begins, for ever.
      moved ||= batch.lines.length > 0 || batch.next.within_line;
      const over = signal.aborted || budget.bytes <= 0 || host.clock.mono() >= budget.until;
      if (over && moved) {
        return { lines, next: formatSpot(batch.next) };
      }
    }
    return { lines, next: null };
  });
}

/** A busy machine makes any regex slow: one that was is given another try, once everything else has had its turn. */
async function matching(
  pattern: string,
  texts: readonly string[],
  clock: Pick<Clock, 'timer'>,
): Promise<number[]> {
  try {
    return matchingTexts(pattern, texts, PATTERN_LIMIT);
  } catch (error) {
    if (!(error instanceof PatternTooSlow)) throw error;
    await new Promise<void>((resolve) => clock.timer(PATTERN_LIMIT, resolve));
    return matchingTexts(pattern, texts, PATTERN_LIMIT);
  }
}

async function withReader<T>(
  host: Host,
  log: JobLog,
  nothing: T,
  read: (reader: Reader) => Promise<T>,
): Promise<T> {
  const place = firstPlace(log);
  if (place === null) return nothing;
  const reader = new Reader(host, log, place);
  try {
    return await read(reader);
  } finally {
    await reader.close();
  }
}

function logLine(line: ScannedLine): LogLine {
  const { incarnation, offset, truncated } = line;
  return { incarnation, time: timeOf(line), offset, text: textOf(line), truncated };
}
