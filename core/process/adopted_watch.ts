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
  /** The number of the look in which a list last had it. */
  listed: number;
  /** It was asked for its list. */
  asked: boolean;
}

/** Watches adopted processes. Costs nothing while there are none. */
export class AdoptedWatch {
  readonly #host: Host;
  readonly #agenda: Agenda;
  readonly #watched = new Map<string, Watched>();
  readonly #byPid = new Map<number, Watched>();
  #count = 0;
  #looks = 0;
  /** The lists that are known, and whether each is worth reading. */
  readonly #lists = new Map<string, boolean>();
  /** Somebody was added: what was not worth reading may be now. */
  #isNew = false;

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
    const watched = { pid, liveness, gone, turn: this.#count % TURNS, listed: -1, asked: false };
    this.#watched.set(key, watched);
    this.#byPid.set(pid, watched);
    this.#isNew = true;
    if (this.#watched.size === 1) this.#schedule();
  }

  /** Lets go of all descriptors. */
  close(): void {
    for (const { liveness } of this.#watched.values()) liveness.close();
    this.#watched.clear();
    this.#byPid.clear();
    this.#agenda.delete('adopted');
  }

  #schedule(): void {
    this.#agenda.set('adopted', this.#host.clock.mono() + LOOK, () => this.#look());
  }

  #look(): void {
    if (this.#isNew) this.#begin();
    this.#looks += 1;
    for (const [list, isWorthIt] of this.#lists) if (isWorthIt) this.#read(list);
    for (const [key, watched] of this.#watched) {
      const hasTurn = watched.turn === this.#looks % TURNS;
      if (watched.listed === this.#looks && !hasTurn) continue;
      if (watched.liveness.alive()) {
        if (watched.listed !== this.#looks) this.#findList(watched);
        continue;
      }
      watched.liveness.close();
      this.#watched.delete(key);
      if (this.#byPid.get(watched.pid) === watched) this.#byPid.delete(watched.pid);
      watched.gone();
    }
    if (this.#watched.size > 0) this.#schedule();
  }

  #begin(): void {
    this.#isNew = false;
    this.#lists.clear();
    for (const watched of this.#watched.values()) watched.asked = false;
  }

  #read(list: string): void {
    let all = 0;
    let ours = 0;
    this.#host.processes.living(list, (pid) => {
      all += 1;
      const watched = this.#byPid.get(pid);
      if (watched === undefined) return;
      ours += 1;
      watched.listed = this.#looks;
    });
    this.#lists.set(list, ours >= FEWEST && all <= STRANGERS * ours);
  }

  #findList(watched: Watched): void {
    if (watched.asked) return;
    watched.asked = true;
    const list = this.#host.processes.cohort(watched.pid);
    if (list !== null && !this.#lists.has(list)) this.#read(list);
  }
}
