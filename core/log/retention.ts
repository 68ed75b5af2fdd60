/**
 * What is taken out of an active log, and which segments go: pure, all sizes in bytes.
 */

/** The bounds that hold for a job's log as a whole. */
export interface RetentionBounds {
  /** How many segments are kept. */
  readonly keep: number;
  /** Bytes on disk, segments and active log together. */
  readonly max_total: number;
}

/** An active log, as far as taking its head out needs it. */
export interface ActiveSize {
  /** Bytes of it that can be read. */
  readonly live: number;
  /** Bytes before those that are out already, but still take up offsets in the file. */
  readonly taken: number;
  /** What ranges are cut to: the file system's block size. */
  readonly block: number;
  /** At most so many bytes go into one segment; null where no rotator wants to rotate. */
  readonly segment: number | null;
  /** A rotator wants all that is there in one segment, to the last byte. */
  readonly whole: boolean;
}

/** What to do with the head of an active log next. */
export type HeadStep =
  | { readonly action: 'keep' }
  /** Move so many bytes into a segment. */
  | { readonly action: 'copy'; readonly bytes: number }
  /** Take so many bytes out: retention would delete the segment as soon as it was made. */
  | { readonly action: 'drop'; readonly bytes: number };

const KEEP: HeadStep = { action: 'keep' };

/**
 * Decides the next step for the head of an active log, one segment at a time: under a flood each step starts from
 * fresh numbers, so that what is written meanwhile counts.
 *
 * A log that alone exceeds `max_total` loses its oldest bytes down to three quarters of it: trimmed to the byte, it
 * would have to be trimmed again at every look. Steps are whole blocks, which the file system can take out, and
 * leave the last byte, as a range that reaches the end of the file cannot be collapsed. Only where all that is there
 * is to go into one segment the step ends where the log does, and what is left of its last block stays in the file,
 * unread.
 */
export function planHead(active: ActiveSize, bounds: RetentionBounds): HeadStep {
  const { live, taken, block } = active;
  /** The greatest whole number of blocks, counted in the file, that takes no more than `bytes`. */
  const blocks = (bytes: number) => Math.floor((taken + Math.min(bytes, live - 1)) / block) * block - taken;
  const size = active.segment === null ? null : Math.max(blocks(active.segment), block);
  const tooMuch = live > bounds.max_total ? live - Math.floor(bounds.max_total * 0.75) : 0;
  const tooMany = size === null ? 0 : (Math.max(Math.ceil(live / size) - 1, 1) - bounds.keep) * size;
  const drop = blocks(Math.max(tooMuch, tooMany));
  if (drop > 0) return { action: 'drop', bytes: drop };
  if (active.whole && live > 0) return { action: 'copy', bytes: live };
  const copy = size === null ? 0 : blocks(size);
  return copy > 0 ? { action: 'copy', bytes: copy } : KEEP;
}

/**
 * How many of the oldest segments go.
 *
 * @param segments Bytes on disk, oldest first.
 * @param active Bytes on disk of the active log.
 */
export function planRetention(segments: readonly number[], active: number, bounds: RetentionBounds): number {
  let total = segments.reduce((sum, bytes) => sum + bytes, active);
  let gone = 0;
  while (gone < segments.length && (segments.length - gone > bounds.keep || total > bounds.max_total)) {
    total -= segments[gone] ?? 0;
    gone++;
  }
  return gone;
}
