/**
 * One probe as upkeep asks it: within a deadline, its availability remembered, its faults counted.
 */
import type { Host } from '../host/host.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Probe, ProbeAnswer, ProbeQuery } from '../plugin/probe.ts';

/** An answer, and whose it is. */
export interface NamedAnswer extends ProbeAnswer {
  readonly probe: string;
}

/** How a probe has been doing since upkeep started. */
export interface ProbeStats {
  readonly name: string;
  /** Whether it can work here; null while nobody has asked. */
  readonly available: boolean | null;
  /** How often it was asked who holds something. */
  readonly calls: number;
  /** How often it failed, or did not answer in time. */
  readonly faults: number;
  readonly last_error: string | null;
  /** Ms since the epoch; null where it has never failed. */
  readonly last_faulted_at: number | null;
  /** Ms that the last answer took; null where it has never answered. */
  readonly last_duration: number | null;
}

/** How long one probe may take before the next is asked, in ms. */
export const PROBE_DEADLINE = 5_000;
/** How long a probe that is available counts as such, in ms. */
const AVAILABLE_FOR = 60_000;
/** How long one that is not is left alone, in ms: a plugin's process may be about to start. */
const UNAVAILABLE_FOR = 1_000;
/** So many faults in a row are reported. */
export const FAULTS = 3;
/** For so long a probe that keeps failing is left out, in ms: one that hangs costs its deadline each time. */
export const REST = 10_000;

/** See the top of this file. */
export class AskedProbe {
  readonly name: string;
  readonly probe: Probe;
  readonly #host: Host;
  readonly #report: (why: Reason) => void;
  #available: boolean | null = null;
  /** Monotonic ms until which {@link #available} holds. */
  #availableUntil = Number.NEGATIVE_INFINITY;
  /** Monotonic ms until which it is left out. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  #calls = 0;
  #faults = 0;
  #faultsInARow = 0;
  #lastError: string | null = null;
  #lastFaultedAt: number | null = null;
  #lastDuration: number | null = null;

  /** @param report is told once when it keeps failing, and again only after it has worked in between. */
  constructor(probe: Probe, host: Host, report: (why: Reason) => void) {
    this.name = probe.name;
    this.probe = probe;
    this.#host = host;
    this.#report = report;
  }

  /**
   * Asks. Null where it is not available, throws, or does not answer within {@link PROBE_DEADLINE}: a broken probe must
   * never be what keeps a service down.
   */
  async ask(query: ProbeQuery): Promise<NamedAnswer | null> {
    const { clock } = this.#host;
    if (clock.mono() < this.#restsUntil) return null;
    try {
      const answered = await this.#withinDeadline(this.#answer(query));
      if (answered === null) return null;
      this.#faultsInARow = 0;
      this.#lastDuration = answered.duration;
      return answered.answer;
    } catch (error) {
      this.#faulted(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  stats(): ProbeStats {
    return {
      name: this.name,
      available: this.#available,
      calls: this.#calls,
      faults: this.#faults,
      last_error: this.#lastError,
      last_faulted_at: this.#lastFaultedAt,
      last_duration: this.#lastDuration,
    };
  }

  async #answer(query: ProbeQuery): Promise<{ answer: NamedAnswer; duration: number } | null> {
    if (!(await this.#isAvailable())) return null;
    this.#calls += 1;
    const begun = this.#host.clock.mono();
    const { holders, complete } = await this.probe.holders(query, this.#host);
    return {
      answer: { holders, complete, probe: this.name },
      duration: this.#host.clock.mono() - begun,
    };
  }

  async #isAvailable(): Promise<boolean> {
    const { clock } = this.#host;
    if (this.#available === null || clock.mono() >= this.#availableUntil) {
      this.#available = await this.probe.available(this.#host);
      this.#availableUntil = clock.mono() + (this.#available ? AVAILABLE_FOR : UNAVAILABLE_FOR);
    }
    return this.#available;
  }

  #faulted(error: string): void {
    const { clock } = this.#host;
    this.#faults += 1;
    this.#faultsInARow += 1;
    this.#lastError = error;
    this.#lastFaultedAt = clock.wall();
    // What it runs may have been removed since.
    this.#availableUntil = Number.NEGATIVE_INFINITY;
    if (this.#faultsInARow >= FAULTS) this.#restsUntil = clock.mono() + REST;
    if (this.#faultsInARow !== FAULTS) return;
    const message = `the probe ${this.name} has failed ${FAULTS} times in a row: ${error}`;
    this.#report(reason('PROBE_UNAVAILABLE', message, { probe: this.name, error, faults: this.#faults }));
  }

  #withinDeadline<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#host.clock.timer(PROBE_DEADLINE, () => {
        reject(new Error(`did not answer within ${PROBE_DEADLINE / 1000} s`));
      });
      work.then(resolve, reject).finally(cancel);
    });
  }
}
