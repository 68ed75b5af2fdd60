/**
 * Where in a log to begin reading.
 */
import type { Host } from '../host/host.ts';
import type { JobLog } from './job_log.ts';
import { offsetBy } from './log_index.ts';
import { lastPlace, nextPlace, type Place, previousPlace, sameFile } from './pieces.ts';
import { CHUNK } from './source.ts';
import { Reader, wantedRange } from './walk.ts';

const NEWLINE = 0x0a;

/**
 * Puts a reader at the first line of which it is not certain that it was written by a time, ms since the epoch.
 */
export async function seekTime(log: JobLog, reader: Reader, since: number): Promise<void> {
  const { cursor } = reader;
  for (;;) {
    const next = nextPlace(log, cursor);
    const source = await reader.source();
    if (source !== null && !source.holds(cursor)) continue;
    const end = source?.end() ?? 0;
    const old = source === null || source.written_at <= since ? end : offsetBy(source.index(), since);
    if (old >= end && next !== null) {
      reader.moveTo(next);
      continue;
    }
    cursor.offset = Math.min(old, end);
    // A line may have begun in the file before.
    const previous = source !== null && cursor.offset <= source.start() ? previousPlace(log, cursor) : null;
    if (previous !== null) reader.moveTo(previous);
    return toLineStart(reader);
  }
}

/** Goes back to where a line begins, if that is near: writers flush whole buffers, not whole lines. */
async function toLineStart(reader: Reader): Promise<void> {
  const { cursor } = reader;
  for (;;) {
    const source = await reader.source();
    if (source === null) return;
    if (!source.holds(cursor)) continue;
    cursor.offset = Math.min(cursor.offset, source.end());
    const { offset } = cursor;
    const from = Math.min(offset, Math.max(source.start(), offset - CHUNK));
    const land = (bytes: Buffer) => {
      const newline = bytes.lastIndexOf(NEWLINE);
      return newline < 0 ? offset : from + newline + 1;
    };
    if ((await source.read(cursor, from, offset - from, land)) !== null) return;
  }
}

/**
 * Moves a reader to where the last lines begin; not before where it is.
 *
 * @param incarnation Lines of this one only; null for all.
 * @param lines How many.
 */
export async function seekTail(
  host: Host,
  log: JobLog,
  reader: Reader,
  incarnation: number | null,
  lines: number,
): Promise<void> {
  const end = lastPlace(log);
  if (end === null) return;
  const back = new Reader(host, log, end);
  try {
    if (lines > 0) await walkBack(log, back, reader.cursor, incarnation, lines);
    else back.cursor.offset = (await back.source())?.end() ?? 0;
    reader.moveTo(back.cursor);
  } finally {
    await back.close();
  }
}

/** Leaves the cursor where the last lines begin. `floor` is a cursor of its own: rotations move it along. */
async function walkBack(
  log: JobLog,
  back: Reader,
  floor: Place,
  incarnation: number | null,
  lines: number,
): Promise<void> {
  const { cursor } = back;
  let wanted = lines;
  // The end of the last line is no line's beginning.
  let atEnd = true;
  for (;;) {
    const source = await back.source();
    if (source !== null && !source.holds(cursor)) continue;
    const range = source === null ? null : wantedRange(source, incarnation);
    if (source !== null && range !== null) {
      const bottom = sameFile(cursor, floor) ? Math.max(range.from, floor.offset) : range.from;
      cursor.offset = Math.min(cursor.offset, range.to, source.end());
      const top = cursor.offset;
      const from = Math.max(bottom, top - CHUNK);
      if (top > from) {
        const found = { wanted, line: -1 };
        const land = (bytes: Buffer) => {
          const skip = atEnd && bytes.at(-1) === NEWLINE ? 1 : 0;
          Object.assign(found, countBack(bytes, bytes.length - skip, wanted));
          return from + Math.max(found.line, 0);
        };
        if ((await source.read(cursor, from, top - from, land)) === null) continue;
        if (found.line >= 0) return;
        wanted = found.wanted;
        atEnd = false;
        continue;
      }
    }
    if (sameFile(cursor, floor)) return;
    const previous = previousPlace(log, cursor);
    if (previous === null) return;
    back.moveTo(previous);
  }
}

/** Counts line ends backward. `line`: where in the bytes the wanted line begins, or -1; `wanted`: how many are left. */
function countBack(bytes: Buffer, end: number, lines: number): { wanted: number; line: number } {
  let wanted = lines;
  let at = end;
  while (at > 0) {
    at = bytes.lastIndexOf(NEWLINE, at - 1);
    if (at < 0) break;
    wanted--;
    if (wanted === 0) return { wanted, line: at + 1 };
  }
  return { wanted, line: -1 };
}
