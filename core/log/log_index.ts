/**
 * The index beside a log file: which incarnations wrote it, how much of its head has been taken out, how far it had
 * grown at which time, and what was being done to it. Lines of text, appended one record at a time and rewritten
 * as a whole once in a while:
 *
 * ```
 * open 3 1767225600000          kind, incarnation of the first byte that is left, and when it was written
 * base 4096                     the offset of the file's first byte; clears a `remove`
 * head 8192                     bytes before this offset are not to be read here any more
 * run 4 9000 1767225700000      incarnation 4 goes on in this file, from this offset on
 * at 9500 1767225705000         by this time the log had grown to this offset
 * cut 3.1 12288                 the bytes up to this offset are in segment 3.1, if there is such a segment
 * remove 12288 <nonce>          the bytes up to this offset are leaving the file: gone once the nonce is
 * ```
 *
 * Offsets are logical: they count every byte ever written to the file, whatever has been taken out since. A byte
 * is at `offset - base` in the file. Times are ms since the epoch.
 */
import { formatSegment, parseSegment, type SegmentName } from './segment_name.ts';

/** `open`: somebody may still write to the file. `done`: nobody will. */
export type LogKind = 'open' | 'done';

/** A head that is being taken out of a file; see `removal.ts`. */
export interface Removal {
  /** The offset that becomes the base. */
  readonly end: number;
  /** Stands at the file's start, over bytes nobody reads, until they are gone. Hexadecimal. */
  readonly nonce: string;
}

/** By `time` everything before `offset` had been written. */
export interface IndexEntry {
  readonly offset: number;
  readonly time: number;
}

/** Where an incarnation begins that goes on in the file of the one before. */
export interface RunStart {
  readonly incarnation: number;
  readonly offset: number;
  readonly time: number;
}

/** An index, read. `base ≤ head`; runs and entries rise. */
export interface LogIndex {
  readonly kind: LogKind;
  readonly incarnation: number;
  readonly begun_at: number;
  readonly base: number;
  readonly head: number;
  readonly runs: readonly RunStart[];
  readonly entries: readonly IndexEntry[];
  /** A segment that may have been made, without a `head` that says so. */
  readonly cut: { readonly name: SegmentName; readonly end: number } | null;
  readonly removal: Removal | null;
}

/** How many entries an index keeps before it is thinned out. */
export const MAX_ENTRIES = 8_192;

/** The index of a file that begins now, nothing taken out of it. */
export function newIndex(kind: LogKind, incarnation: number, begunAt: number): LogIndex {
  const nothing = { base: 0, head: 0, runs: [], entries: [], cut: null, removal: null };
  return { kind, incarnation, begun_at: begunAt, ...nothing };
}

/** `at`: how far the log has grown by now. */
export function entryRecord(entry: IndexEntry): string {
  return `at ${entry.offset} ${entry.time}\n`;
}

/** `run`: another incarnation goes on in the file. */
export function runRecord(run: RunStart): string {
  return `run ${run.incarnation} ${run.offset} ${run.time}\n`;
}

/** `cut`: a segment is about to get its name. */
export function cutRecord(name: SegmentName, end: number): string {
  return `cut ${formatSegment(name)} ${end}\n`;
}

/** `head`: what is before it is not to be read here. */
export function headRecord(head: number): string {
  return `head ${head}\n`;
}

/** `remove`: what is before `end` is leaving the file. */
export function removalRecord(removal: Removal): string {
  return `remove ${removal.end} ${removal.nonce}\n`;
}

/** `base`: the offset of the first byte; no removal is under way. */
export function baseRecord(base: number): string {
  return `base ${base}\n`;
}

/** The whole index as text. */
export function formatIndex(index: LogIndex): string {
  let text = `${index.kind} ${index.incarnation} ${index.begun_at}\n`;
  if (index.base !== 0) text += baseRecord(index.base);
  if (index.head !== index.base) text += headRecord(index.head);
  for (const run of index.runs) text += runRecord(run);
  for (const entry of index.entries) text += entryRecord(entry);
  if (index.cut !== null) text += cutRecord(index.cut.name, index.cut.end);
  if (index.removal !== null) text += removalRecord(index.removal);
  return text;
}

/**
 * Reads an index. A last line without its end is a record that a crash cut short and does not count; a line that
 * makes no sense is skipped.
 *
 * @param fallback What to assume where the first line is not there.
 */
export function parseIndex(text: string, fallback: LogIndex): LogIndex {
  const runs: RunStart[] = [];
  const entries: IndexEntry[] = [];
  let { kind, incarnation, begun_at, base, head, cut, removal } = fallback;
  for (const line of text.split('\n').slice(0, -1)) {
    const [key, ...fields] = line.split(' ');
    const [a, b, c] = fields.map(natural);
    if ((key === 'open' || key === 'done') && a !== null && isNumber(a) && isNumber(b)) {
      kind = key;
      incarnation = a;
      begun_at = b;
    } else if (key === 'base' && isNumber(a)) {
      base = a;
      head = Math.max(head, base);
      removal = null;
    } else if (key === 'head' && isNumber(a)) {
      head = Math.max(head, a);
      if (cut !== null && cut.end <= head) cut = null;
    } else if (key === 'run' && isNumber(a) && isNumber(b) && isNumber(c)) {
      runs.push({ incarnation: a, offset: b, time: c });
    } else if (key === 'at' && isNumber(a) && isNumber(b)) {
      entries.push({ offset: a, time: b });
    } else if (key === 'cut' && isNumber(b)) {
      const name = parseSegment(fields[0] ?? '');
      if (name !== null && b > head) cut = { name, end: b };
    } else if (key === 'remove' && isNumber(a) && /^[0-9a-f]+$/.test(fields[1] ?? '')) {
      removal = { end: a, nonce: fields[1] ?? '' };
    }
  }
  return { kind, incarnation, begun_at, base, head, runs, entries, cut, removal };
}

function natural(text: string): number | null {
  return /^\d{1,16}$/.test(text) ? Number(text) : null;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}

/** Which incarnation wrote the byte at an offset. */
export function incarnationAt(index: LogIndex, offset: number): number {
  return index.runs.findLast((run) => run.offset <= offset)?.incarnation ?? index.incarnation;
}

/** When the byte at an offset was written, at the earliest that is known, ms since the epoch. */
export function timeAt(index: LogIndex, offset: number): number {
  const run = index.runs.findLast((start) => start.offset <= offset);
  const entry = index.entries.findLast((grown) => grown.offset <= offset);
  // The nearer one counts, not the later: the clock may have been set back in between.
  if (entry !== undefined && entry.offset >= (run?.offset ?? 0)) return entry.time;
  return run?.time ?? index.begun_at;
}

/** The greatest offset of which it is certain that everything before it was written by `time`. */
export function offsetBy(index: LogIndex, time: number): number {
  return Math.max(index.head, index.entries.findLast((entry) => entry.time <= time)?.offset ?? 0);
}

/** The offsets between which an incarnation wrote, the end open where it is the last; null where it did not. */
export function rangeOf(index: LogIndex, incarnation: number): { from: number; to: number } | null {
  const starts = [{ incarnation: index.incarnation, offset: index.head }, ...index.runs];
  const first = starts.findIndex((start) => start.incarnation === incarnation);
  if (first < 0) return null;
  const next = starts.slice(first + 1).find((start) => start.incarnation !== incarnation);
  return {
    from: Math.max(starts[first]?.offset ?? 0, index.head),
    to: next?.offset ?? Number.POSITIVE_INFINITY,
  };
}

/** The index of a segment that is a copy of `[start, end)`, counting from its own first byte. */
export function sliceIndex(index: LogIndex, start: number, end: number): LogIndex {
  const entries = index.entries
    .filter((entry) => entry.offset > start && entry.offset < end)
    .map((entry) => ({ offset: entry.offset - start, time: entry.time }));
  const after = index.entries.find((entry) => entry.offset >= end);
  if (after !== undefined) entries.push({ offset: end - start, time: after.time });
  const runs = index.runs
    .filter((run) => run.offset > start && run.offset < end)
    .map((run) => ({ ...run, offset: run.offset - start }));
  return { ...newIndex('done', incarnationAt(index, start), timeAt(index, start)), runs, entries };
}

/** The same index without what is about bytes before its head, and thinned out where it has grown long. */
export function compactIndex(index: LogIndex): LogIndex {
  return {
    ...index,
    incarnation: incarnationAt(index, index.head),
    begun_at: timeAt(index, index.head),
    runs: index.runs.filter((run) => run.offset > index.head),
    entries: thin(index.entries.filter((entry) => entry.offset > index.head)),
  };
}

/** Keeps every second entry of the older half where there are too many: what is recent stays exact. */
function thin(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  if (entries.length < MAX_ENTRIES) return entries;
  return entries.filter((_, i) => i % 2 === 0 || i >= MAX_ENTRIES / 2);
}
