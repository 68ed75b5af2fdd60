/**
 * A place in a log that can be written down and found again later, whatever was rotated, compressed or renamed since.
 *
 * In a segment that is its name and a logical offset, as neither changes. The active log has no name of its own, and
 * its head leaves it for segments that count from 0: there it is how many bytes lie between the place and the last
 * segment that there is. Every later segment gets a later name, so that those bytes are found behind that one, in the
 * order of the names, wherever they are by then.
 */
import type { JobLog } from './job_log.ts';
import { firstPlace, lastSegment, nextPlace, type Place, placeIn } from './pieces.ts';
import { formatSegment, parseSegment, type SegmentName } from './segment_name.ts';
import type { Reader } from './walk.ts';

/** See the top of this file. */
export interface Spot {
  /** The segment that it is in; or the last one before it, where it was in the active log. */
  readonly name: SegmentName | null;
  readonly in_segment: boolean;
  /** The logical offset in a segment; else bytes behind it. */
  readonly offset: number;
  /** Within a line whose beginning has been told: what is left of it is not told again. */
  readonly within_line: boolean;
}

/**
 * Writes a spot down.
 *
 * @example
 * ```ts
 * formatSpot({ name: { incarnation: 3, number: 1 }, in_segment: true, offset: 12, within_line: false }); // 's3.1:12'
 * ```
 */
export function formatSpot({ name, in_segment, offset, within_line }: Spot): string {
  const stem = name === null ? '' : formatSegment(name);
  return `${in_segment ? 's' : 'a'}${stem}:${offset}${within_line ? '~' : ''}`;
}

/** Reads what {@link formatSpot} wrote; null for every other text. */
export function parseSpot(text: string): Spot | null {
  const [, kind, stem, offset, within] = /^([sa])([\d.]*):(\d{1,15})(~?)$/.exec(text) ?? [];
  if (stem === undefined) return null;
  const name = stem === '' ? null : parseSegment(stem);
  const in_segment = kind === 's';
  if (name === null && (in_segment || stem !== '')) return null;
  return { name, in_segment, offset: Number(offset), within_line: within === '~' };
}

/** Where a place is, to be written down. The place is in a file whose readable part begins at `head`. */
export function spotOf(log: JobLog, place: Place, head: number): Omit<Spot, 'within_line'> {
  const name = place.file === null ? place.name : place.file.name;
  if (name !== null) return { name, in_segment: true, offset: place.offset };
  return { name: lastSegment(log), in_segment: false, offset: place.offset - head };
}

/** Puts a reader at a spot; at what follows it, where it is gone. */
export async function seekSpot(
  log: JobLog,
  reader: Reader,
  { name, in_segment, offset }: Spot,
): Promise<void> {
  if (in_segment && name !== null) {
    const place = placeIn(log, name, offset) ?? nextPlace(log, { file: null, name, offset });
    if (place !== null) reader.moveTo(place);
    return;
  }
  const first = name === null ? firstPlace(log) : nextPlace(log, { file: null, name, offset: 0 });
  if (first === null) return;
  reader.moveTo(first);
  // Segments between are gone, nobody knows how long they were: rather a line twice than one left out.
  if (!follows(name, first)) return;
  for (let left = offset; ; ) {
    const next = nextPlace(log, reader.cursor);
    const source = await reader.source();
    if (source !== null && !source.holds(reader.cursor)) continue;
    const length = source === null ? 0 : source.end() - source.start();
    if (source !== null && (left <= length || next === null)) {
      reader.cursor.offset = source.start() + Math.min(left, length);
      return;
    }
    if (next === null) return;
    left -= length;
    reader.moveTo(next);
  }
}

/** Whether a file can be the next one after a segment, as names are handed out. */
function follows(name: SegmentName | null, { file, name: segment }: Place): boolean {
  const next = file === null ? segment : file.name;
  if (next === null) return true;
  if (name !== null && next.incarnation === name.incarnation) return next.number === name.number + 1;
  return next.number === 0;
}
