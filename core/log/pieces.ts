/**
 * The files of a log in the order in which they were written: segments by name, then the active log.
 *
 * Which file comes next is read from the folder each time, so that what was rotated, compressed or removed since
 * does not matter: names keep their order.
 */
import type { Cursor } from './audience.ts';
import type { JobLog } from './job_log.ts';
import { compareSegments, formatSegment, type SegmentName } from './segment_name.ts';

/** A place in a log: {@link Cursor} at the time it was asked for. */
export type Place = Readonly<Cursor>;

/** The very first byte; null where there is no log at all. */
export function firstPlace(log: JobLog): Place | null {
  const name = names(log)[0];
  return name === undefined ? activePlace(log) : segmentPlace(log, name, 0);
}

/** The very end. */
export function lastPlace(log: JobLog): Place | null {
  const active = activePlace(log);
  if (active !== null) return { ...active, offset: Number.POSITIVE_INFINITY };
  const name = names(log).at(-1);
  return name === undefined ? null : segmentPlace(log, name, Number.POSITIVE_INFINITY);
}

/** The start of the file after the one that a cursor is in; null where there is none yet. */
export function nextPlace(log: JobLog, cursor: Place): Place | null {
  const at = nameAt(cursor);
  if (at === null) return cursor.file === log.active ? null : activePlace(log);
  const name = names(log).find((other) => compareSegments(other, at) > 0);
  return name === undefined ? activePlace(log) : segmentPlace(log, name, 0);
}

/** The end of the file before the one that a cursor is in; null where there is none. */
export function previousPlace(log: JobLog, cursor: Place): Place | null {
  const at = nameAt(cursor);
  const name = names(log).findLast((other) => at === null || compareSegments(other, at) < 0);
  return name === undefined ? null : segmentPlace(log, name, Number.POSITIVE_INFINITY);
}

/** A place in a segment; null where there is no such segment any more. */
export function placeIn(log: JobLog, name: SegmentName, offset: number): Place | null {
  const there = names(log).some((other) => compareSegments(other, name) === 0);
  return there ? segmentPlace(log, name, offset) : null;
}

/** The name of the newest segment; null where there is none. */
export function lastSegment(log: JobLog): SegmentName | null {
  return names(log).at(-1) ?? null;
}

/** True where both are in the same file. */
export function sameFile(a: Place, b: Place): boolean {
  const [one, other] = [nameAt(a), nameAt(b)];
  if (one === null || other === null) return one === other && a.file === b.file;
  return compareSegments(one, other) === 0;
}

function nameAt(place: Place): SegmentName | null {
  return place.file === null ? place.name : place.file.name;
}

function names(log: JobLog): readonly SegmentName[] {
  return log
    .layout()
    .segments.filter(({ plain, packed }) => plain || packed !== null)
    .map(({ name }) => name);
}

function activePlace(log: JobLog): Place | null {
  return log.active === null ? null : { file: log.active, name: null, offset: log.active.head };
}

function segmentPlace(log: JobLog, name: SegmentName, offset: number): Place {
  const stem = formatSegment(name);
  const file =
    log.sealed.find((sealed) => sealed.name !== null && formatSegment(sealed.name) === stem) ?? null;
  return { file, name, offset };
}
