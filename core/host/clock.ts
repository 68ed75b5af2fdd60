/**
 * The clocks of the machine.
 */
import type { Clock } from './host.ts';

/** The longest delay that the runtime's timers keep, in ms; a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1;

/** The real clocks. A delay above 24.8 days fires early, so whoever waits longer than that looks again. */
export function systemClock(): Clock {
  return {
    mono: () => performance.now(),
    wall: () => Date.now(),
    timer(delay, callback) {
      if (delay <= 0) {
        // The next turn of the event loop; a timer would make it a millisecond.
        const immediate = setImmediate(callback);
        return () => clearImmediate(immediate);
      }
      const timeout = setTimeout(callback, Math.min(delay, LONGEST));
      return () => clearTimeout(timeout);
    },
  };
}
