/**
 * Whoever waits for jobs to become something.
 */
import type { Clock } from '../host/host.ts';

/** Waits end as soon as what they are for is so, not at a next look. */
export class JobWaiters {
  readonly #clock: Clock;
  readonly #looks = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A job, or its health, has changed: whoever waits looks again. */
  changed(): void {
    for (const look of [...this.#looks]) look();
  }

  /**
   * Resolves with true as soon as `done` is, which is asked whenever a job or its health has changed; with false after
   * `timeout` ms, which may be infinite.
   */
  until(done: () => boolean, timeout: number): Promise<boolean> {
    if (done()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (outcome: boolean): void => {
        this.#looks.delete(look);
        cancel();
        resolve(outcome);
      };
      const look = (): void => {
        if (done()) finish(true);
      };
      const cancel = Number.isFinite(timeout) ? this.#clock.timer(timeout, () => finish(false)) : () => {};
      this.#looks.add(look);
    });
  }
}
