/**
 * Notices the exit of processes that are not our children: those that an earlier upkeep started.
 *
 * The kernel tells a stranger nothing about a process's end without a pidfd, which Node has not. So they are looked
 * at, four times a second, by a descriptor on /proc/PID/stat that stays bound to the process and not to its number.
 * While /proc/loadavg shows that no thread has come or gone, nobody has been reaped and even that look is spared.
 * A zombie that nobody reaps changes nothing there: a full look every {@link FULL_LOOK} ms finds it.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Host, Liveness } from '../host/host.ts';
import type { Identity } from './identity.ts';

/** Between two looks, in ms. */
const LOOK = 250;
/** At the latest so often every process is looked at, whatever the kernel's counters say, in ms. */
const FULL_LOOK = 5_000;

interface Watched {
  readonly liveness: Liveness;
  readonly gone: () => void;
}

/** Watches adopted processes. Costs nothing while there are none. */
export class AdoptedWatch {
  readonly #host: Host;
  readonly #agenda: Agenda;
  readonly #watched = new Map<string, Watched>();
  #generation: string | null = null;
  #fullLookAt = 0;

  constructor(host: Host, agenda: Agenda) {
    this.#host = host;
    this.#agenda = agenda;
  }

  /** Calls `gone` once, when the process has ended (at once where it has already). */
  add(key: string, identity: Identity, gone: () => void): void {
    const liveness = this.#host.processes.watch(identity);
    if (liveness === null) {
      gone();
      return;
    }
    this.#watched.set(key, { liveness, gone });
    this.#generation = null;
    if (this.#watched.size === 1) this.#schedule();
  }

  /** Lets go of all descriptors. */
  close(): void {
    for (const { liveness } of this.#watched.values()) liveness.close();
    this.#watched.clear();
    this.#agenda.delete('adopted');
  }

  #schedule(): void {
    this.#agenda.set('adopted', this.#host.clock.mono() + LOOK, () => this.#look());
  }

  #look(): void {
    const now = this.#host.clock.mono();
    // Read before the processes: one that ends in between changes the next reading.
    const generation = this.#host.processes.generation();
    const unchanged = generation !== null && generation === this.#generation && now < this.#fullLookAt;
    if (!unchanged) {
      this.#generation = generation;
      this.#fullLookAt = now + FULL_LOOK;
      for (const [key, { liveness, gone }] of this.#watched) {
        if (liveness.alive()) continue;
        liveness.close();
        this.#watched.delete(key);
        gone();
      }
    }
    if (this.#watched.size > 0) this.#schedule();
  }
}
