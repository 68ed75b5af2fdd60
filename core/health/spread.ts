/**
 * When a check looks for the first time, so that a thousand of them do not look at once.
 */

/** The golden ratio's fraction: its multiples fall as evenly into a circle as can be, however many there are. */
const GOLDEN = 0.618_033_988_749_895;

/** Deals out the share of its interval that each check waits before its first look. */
export class Spread {
  #last: number;

  /** @param seed in [0, 1): where it begins, so that two upkeeps on one host do not agree. */
  constructor(seed: number) {
    this.#last = seed;
  }

  /** In [0, 1). */
  next(): number {
    this.#last = (this.#last + GOLDEN) % 1;
    return this.#last;
  }
}
