/**
 * What lies in a job's log folder, read from the names alone:
 *
 * ```
 * current.log  current.idx        the active log and its index
 * 3.log        3.idx              a segment that is not compressed (yet)
 * 3.1.log.gz   3.1.idx            one that is
 * *.tmp                           something unfinished: never read, removed at the next start
 * ```
 */
import { compareSegments, parseSegment, type SegmentName } from './segment_name.ts';

/** The stem of the active log's files. */
export const CURRENT = 'current';

/** What there is of one segment. */
export interface SegmentFiles {
  readonly name: SegmentName;
  readonly plain: boolean;
  /** Complete whenever it is there: it gets this name when it is. */
  readonly gzip: boolean;
  readonly index: boolean;
}

/** A log folder. */
export interface Layout {
  /** In the order in which they were written. */
  readonly segments: readonly SegmentFiles[];
  readonly current: { readonly log: boolean; readonly index: boolean };
  /** The names of unfinished files. */
  readonly temporary: readonly string[];
}

/** Sorts the names of a log folder out. Names that are not upkeep's are left out. */
export function readLayout(names: readonly string[]): Layout {
  const segments = new Map<string, SegmentFiles>();
  const current = { log: false, index: false };
  const temporary: string[] = [];
  for (const file of names) {
    if (file.endsWith('.tmp')) temporary.push(file);
    const match = /^(.+?)\.(log|log\.gz|idx)$/.exec(file);
    const stem = match?.[1];
    if (stem === undefined) continue;
    if (stem === CURRENT) {
      if (match?.[2] === 'log') current.log = true;
      if (match?.[2] === 'idx') current.index = true;
      continue;
    }
    const name = parseSegment(stem);
    if (name === null) continue;
    const known = segments.get(stem) ?? { name, plain: false, gzip: false, index: false };
    segments.set(stem, {
      name,
      plain: known.plain || match?.[2] === 'log',
      gzip: known.gzip || match?.[2] === 'log.gz',
      index: known.index || match?.[2] === 'idx',
    });
  }
  const sorted = [...segments.values()].sort((a, b) => compareSegments(a.name, b.name));
  return { segments: sorted, current, temporary };
}
