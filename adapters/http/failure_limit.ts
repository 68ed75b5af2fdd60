/**
 * How often somebody may present a wrong token: a bucket that fills by itself.
 */

/** How many failures in a row are answered as such, and how many are again after each second. */
export const FAILURES = { burst: 10, per_second: 1 } as const;

/**
 * Counts failures. Callers of the loopback all have the same address, so there is one count for all of them, and it
 * must not be a way to lock others out: a token that is good is never held up by it. Holding it up would gain nothing,
 * as guessing one of 2^256 is hopeless at any rate. What the limit is for is to make a client that
 * tries a dead token again and again stop, and to keep that cheap.
 *
 * @example
 * ```ts
 * const limit = new FailureLimit();
 * const wait = limit.failed(clock.mono()); // 0, or ms until it is worth trying again
 * ```
 */
export class FailureLimit {
  #left: number = FAILURES.burst;
  #at = Number.NEGATIVE_INFINITY;

  /**
   * Counts one more failure.
   *
   * @param now monotonic ms.
   * @returns 0 where it is within the limit; else ms until one is again.
   */
  failed(now: number): number {
    const filled = ((now - this.#at) / 1000) * FAILURES.per_second;
    this.#left = Math.min(FAILURES.burst, this.#left + filled);
    this.#at = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / FAILURES.per_second) * 1000);
    this.#left -= 1;
    return 0;
  }
}
