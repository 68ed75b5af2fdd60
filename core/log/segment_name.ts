/**
 * The names of segments, the parts of a job's log that are no longer the active file: `<incarnation>[.<number>]`.
 *
 * Sorted by incarnation and then by number they are in the order in which their bytes were written, and all of
 * them come before the active log. Every name that is handed out is greater than all before it, so this stays
 * true whatever is renamed, copied, compressed or removed in between.
 */

/** A segment: the incarnation that wrote its first byte, and its place among those of that incarnation. */
export interface SegmentName {
  readonly incarnation: number;
  /** 0 is the first and is left out in the name. */
  readonly number: number;
}

/** The stem of the segment's files. `{incarnation: 3, number: 0}` is `3`, with number 2 it is `3.2`. */
export function formatSegment(name: SegmentName): string {
  return name.number === 0 ? `${name.incarnation}` : `${name.incarnation}.${name.number}`;
}

/** Reads what {@link formatSegment} wrote; null for every other text. */
export function parseSegment(stem: string): SegmentName | null {
  const match = /^(0|[1-9]\d{0,14})(?:\.([1-9]\d{0,14}))?$/.exec(stem);
  if (match === null) return null;
  return { incarnation: Number(match[1]), number: match[2] === undefined ? 0 : Number(match[2]) };
}

/** Negative where `a` was written before `b`. */
export function compareSegments(a: SegmentName, b: SegmentName): number {
  return a.incarnation - b.incarnation || a.number - b.number;
}

/**
 * The next free name for bytes of an incarnation.
 *
 * @param last The greatest name handed out so far; null where there is none.
 * @param incarnation One that is older than `last` (its number was lost) gets a name after `last` all the same,
 * because order counts for more than the number.
 */
export function segmentAfter(last: SegmentName | null, incarnation: number): SegmentName {
  if (last === null || incarnation > last.incarnation) return { incarnation, number: 0 };
  return { incarnation: last.incarnation, number: last.number + 1 };
}
