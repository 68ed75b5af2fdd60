/**
 * Long walks in short slices.
 */
import type { Clock } from './host.ts';

/** How long a walk may hold the event loop, in ms. */
const SLICE = 4;

/**
 * Visits every item, letting the event loop turn after every few milliseconds.
 *
 * @param signal ends the walk early, without an error.
 */
export async function inSlices<T>(
  clock: Clock,
  items: Iterable<T>,
  visit: (item: T) => void,
  signal?: AbortSignal,
): Promise<void> {
  let until = clock.mono() + SLICE;
  for (const item of items) {
    if (signal?.aborted) return;
    visit(item);
    if (clock.mono() < until) continue;
    await turn(clock);
    until = clock.mono() + SLICE;
  }
}

/** Resolves after the event loop has turned once. */
export function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.timer(0, resolve));
}
