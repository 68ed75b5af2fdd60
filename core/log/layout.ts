/**
 * What lies in a job's log folder, read from the names alone:
 *
 * ```
 * current.log  current.idx        the active log and its index
 * 3.log        3.idx              a segment that is not compressed (yet)
 * 3.1.log.gz   3.1.idx            one that is
 * 3.2.log.zst  3.2.idx          another one
 * *.tmp                           something unfinished: never read, removed at the next start
 * ```
 */
import { CODECS, type CodecSuffix } from './codec.ts';
import { compareSegments, parseSegment, type SegmentName } from './segment_name.ts';

/** The stem of the active log's files. */
export const CURRENT = 'current';

/** What there is of one segment. */
export interface SegmentFiles {
  readonly name: SegmentName;
  readonly plain: boolean;
  /**
   * What stands after `.log` in the name of its compressed form; null where there is none. It is complete whenever it
   * is there: it gets this name when it is.
   */
  readonly packed: CodecSuffix | null;
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

const SUFFIXES = CODECS.map(({ suffix }) => suffix);
const FILE = new RegExp(`^(.+?)\\.(?:(log|idx)|log\\.(${SUFFIXES.join('|')}))$`);

/** Sorts the names of a log folder out. Names that are not upkeep's are left out. */
export function readLayout(names: readonly string[]): Layout {
  const segments = new Map<string, SegmentFiles>();
  const current = { log: false, index: false };
  const temporary: string[] = [];
  for (const file of names) {
    if (file.endsWith('.tmp')) temporary.push(file);
    const [, stem, kind, suffix] = FILE.exec(file) ?? [];
    if (stem === undefined) continue;
    if (stem === CURRENT) {
      if (kind === 'log') current.log = true;
      if (kind === 'idx') current.index = true;
      continue;
    }
    const name = parseSegment(stem);
    if (name === null) continue;
    const known = segments.get(stem) ?? { name, plain: false, packed: null, index: false };
    segments.set(stem, {
      name,
      plain: known.plain || kind === 'log',
      packed: SUFFIXES.find((one) => one === suffix || one === known.packed) ?? null,
      index: known.index || kind === 'idx',
    });
  }
  const sorted = [...segments.values()].sort((a, b) => compareSegments(a.name, b.name));
  return { segments: sorted, current, temporary };
}
