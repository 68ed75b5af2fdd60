/**
 * Notices the exit of processes that are not our children: those that an earlier upkeep started.
 *
 * The kernel tells a stranger nothing about a process's end without a pidfd, which Node has not. So they are looked
 * at, four times a second, through a descriptor that stays bound to the process and not to its number.
 *
 * Most of them live in one cgroup, that of the upkeep which started them, and one read of its list tells who is alive
 * in it, whether anybody reaps the others or not. Whoever is in such a list has only to be looked at in its turn,
 * against another process that got its number between two readings, for which all numbers would have to be handed out
 * in a quarter of a second.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Host, Liveness } from '../host/host.ts';
import type { Identity } from './identity.ts';

/** Between two looks, in ms. */
const LOOK = 250;
/** Each is looked at in one of so many looks, whatever the lists say: every 15 s. */
const TURNS = 60;
/** A list of fewer that are watched takes longer to read than to look at them. */
const FEWEST = 16;
/** The same holds of one that names so many times as many as are watched. */
const STRANGERS = 4;

interface Watched {
  readonly pid: number;
  readonly liveness: Liveness;
  readonly gone: () => void;
  readonly turn: number;
}

/** Watches adopted processes. Costs nothing while there are none. */
export class AdoptedWatch {
  readonly #host: Host;
  readonly #agenda: Agenda;
  readonly #watched = new Map<string, Watched>();
  #count = 0;
  #looks = 0;
  /** What each list said at the latest look; null for one that is not worth reading. */
  readonly #lists = new Map<string, string | null>();
  /** Who was asked for its list. */
  readonly #asked = new Set<Watched>();
  /** Who is in any of the lists. */
  readonly #living = new Set<number>();

  constructor(host: Host, agenda: Agenda) {
    this.#host = host;
    this.#agenda = agenda;
  }

  /** Calls `gone` once, when the process has ended (at once where it has already). */
  add(key: string, identity: Identity, gone: () => void): void {
    const { pid } = identity;
    const liveness = this.#host.processes.watch(identity);
    if (liveness === null) {
      gone();
      return;
    }
    this.#count += 1;
    this.#watched.set(key, { pid, liveness, gone, turn: this.#count % TURNS });
    // Another list may be worth reading now.
    this.#forgetLists();
    if (this.#watched.size === 1) this.#schedule();
  }

  /** Lets go of all descriptors. */
  close(): void {
    for (const { liveness } of this.#watched.values()) liveness.close();
    this.#watched.clear();
    this.#forgetLists();
    this.#agenda.delete('adopted');
  }

  #schedule(): void {
    this.#agenda.set('adopted', this.#host.clock.mono() + LOOK, () => this.#look());
  }

  #look(): void {
    this.#readLists();
    this.#looks = (this.#looks + 1) % TURNS;
    for (const [key, watched] of this.#watched) {
      if (watched.turn !== this.#looks && this.#living.has(watched.pid)) continue;
      if (watched.liveness.alive()) {
        if (!this.#living.has(watched.pid)) this.#findList(watched);
        continue;
      }
      watched.liveness.close();
      this.#watched.delete(key);
      this.#asked.delete(watched);
      watched.gone();
    }
    if (this.#watched.size > 0) this.#schedule();
  }

  #readLists(): void {
    let isSame = true;
    for (const [list, before] of this.#lists) {
      if (before === null) continue;
      const now = this.#host.processes.living(list);
      if (now === before) continue;
      this.#lists.set(list, now);
      isSame = false;
    }
    if (!isSame) this.#goThrough();
  }

  #findList(watched: Watched): void {
    if (this.#asked.has(watched)) return;
    this.#asked.add(watched);
    const { processes } = this.#host;
    const list = processes.cohort(watched.pid);
    if (list === null || this.#lists.has(list)) return;
    this.#lists.set(list, processes.living(list));
    this.#goThrough();
  }

  #goThrough(): void {
    this.#living.clear();
    const pids = new Set<number>();
    for (const { pid } of this.#watched.values()) pids.add(pid);
    for (const [list, text] of this.#lists) {
      const listed = (text ?? '').split('\n').map(Number);
      const ours = listed.filter((pid) => pids.has(pid));
      if (ours.length < FEWEST || listed.length > STRANGERS * ours.length) this.#lists.set(list, null);
      else for (const pid of ours) this.#living.add(pid);
    }
  }

  #forgetLists(): void {
    this.#lists.clear();
    this.#asked.clear();
    this.#living.clear();
  }
}
