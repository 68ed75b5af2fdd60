/**
 * A clock that stands still until it is told.
 */
import type { Clock } from '../../core/host/host.ts';

export class FakeClock implements Clock {
  now = 0;
  wallOffset = 1_700_000_000_000;
  #timers: { at: number; callback: () => void }[] = [];

  mono(): number {
    return this.now;
  }

  wall(): number {
    return this.wallOffset + this.now;
  }

  timer(delay: number, callback: () => void): () => void {
    const timer = { at: this.now + delay, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Goes on by `ms`, and runs what falls due, in its order. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.now = Math.max(this.now, next.at);
      next.callback();
    }
    this.now = end;
  }
}
