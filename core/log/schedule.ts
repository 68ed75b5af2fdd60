/**
 * When an open log is looked at next: seldom while nothing is written, and the sooner the faster it grows, so that
 * a flood cannot fill the disk between two looks.
 */

/** The longest time between two looks, ms. */
export const IDLE_DELAY = 2_000;

/** The first look at a log that was just opened, ms: crash loops and floods show early. */
export const FIRST_DELAY = 250;

/** The longest time between two looks while somebody follows, ms. */
export const FOLLOWED_DELAY = 100;

/** The shortest is `IDLE_DELAY / 2^7`, about 16 ms. */
const HALVINGS = 7;

/** The shortest time between two looks, ms. */
export const SHORTEST_DELAY = IDLE_DELAY / 2 ** HALVINGS;

/** What the next look depends on. */
export interface Growth {
  /** Bytes written a millisecond, since the last look. */
  readonly rate: number;
  /** Bytes that may be written until the next look. */
  readonly allowance: number;
  /** The delay before this look, ms. */
  readonly delay: number;
  /** Whether somebody waits for new lines. */
  readonly followed: boolean;
}

/**
 * How long to wait before the next look.
 *
 * @returns ms; always {@link IDLE_DELAY} halved a whole number of times, so that the looks at a thousand logs fall
 * on the same instants instead of waking the process for each.
 */
export function lookDelay(growth: Growth): number {
  const calm = Math.min(growth.delay * 2, IDLE_DELAY);
  const bound = growth.followed ? Math.min(calm, FOLLOWED_DELAY) : calm;
  const wanted = growth.rate > 0 ? Math.min(bound, growth.allowance / growth.rate) : bound;
  let delay = IDLE_DELAY;
  for (let halved = 0; halved < HALVINGS && delay > wanted; halved++) delay /= 2;
  return delay;
}

/** The next instant on the grid of `delay`, monotonic ms; after `now` and not more than `delay` away. */
export function nextLook(now: number, delay: number): number {
  return (Math.floor(now / delay) + 1) * delay;
}

/**
 * A look that must not come later than something is due: a rule that goes by the clock, say.
 *
 * @param next When it would come, monotonic ms.
 * @param wait In how many ms it is due; infinite where nothing is.
 */
export function notLaterThan(next: number, now: number, wait: number): number {
  return Math.min(next, now + Math.max(wait, SHORTEST_DELAY));
}
