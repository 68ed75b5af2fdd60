/**
 * Notices the exit of processes that are not our children: those that an earlier upkeep started.
 *
 * The kernel tells a stranger nothing about a process's end without a pidfd, which Node has not. So they are looked
 * at, four times a second, through a descriptor that stays bound to the process and not to its number. No counter of the
 * kernel's could spare that look: an end that nobody reaps changes none.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Host, Liveness } from '../host/host.ts';
import type { Identity } from './identity.ts';

/** Between two looks, in ms. */
const LOOK = 250;

interface Watched {
  readonly liveness: Liveness;
  readonly gone: () => void;
}

/** Watches adopted processes. Costs nothing while there are none. */
export class AdoptedWatch {
  readonly #host: Host;
  readonly #agenda: Agenda;
  readonly #watched = new Map<string, Watched>();

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
    for (const [key, { liveness, gone }] of this.#watched) {
      if (liveness.alive()) continue;
      liveness.close();
      this.#watched.delete(key);
      gone();
    }
    if (this.#watched.size > 0) this.#schedule();
  }
}
