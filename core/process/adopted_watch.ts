/**
 * Notices the exit of processes that are not our children: those that an earlier upkeep started.
 *
 * The kernel tells a stranger nothing about a process's end without a pidfd, which Node has not. So they are looked
 * at, four times a second, through a descriptor that stays bound to the process and not to its number.
 *
 * Whom they were left to (init, or a subreaper) has one list of all of them, and one read of it tells that none has
 * been reaped since. Then only a share of them is looked at in its turn, as an end that nobody reaps changes no list.
 * Where that is seen to happen, which some programs that are pid 1 of a container let happen, all are looked at each
 * time.
 */
import type { Agenda } from '../host/agenda.ts';
import type { Host, Liveness } from '../host/host.ts';
import type { Identity } from './identity.ts';

/** Between two looks, in ms. */
const LOOK = 250;
/** Each is looked at in one of so many looks, whatever the list says. */
const TURNS = 4;

interface Watched {
  readonly pid: number;
  readonly liveness: Liveness;
  readonly gone: () => void;
  readonly turn: number;
  /** It is in the list. */
  listed: boolean;
}

/** Watches adopted processes. Costs nothing while there are none. */
export class AdoptedWatch {
  readonly #host: Host;
  readonly #agenda: Agenda;
  readonly #watched = new Map<string, Watched>();
  #count = 0;
  #looks = 0;
  /** Whom the first of them was left to; null while nobody is known. */
  #reaper: number | null = null;
  /** Its children at the latest look. */
  #list: string | null = null;
  /** The list has to be gone through, though it is the same. */
  #isNew = false;
  /** Children of the reaper that have ended: if they are in its next list, it does not reap. */
  #ended: number[] = [];
  #reaps = true;

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
    this.#watched.set(key, { pid, liveness, gone, turn: this.#count % TURNS, listed: false });
    this.#isNew = true;
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
    const isSame = this.#readList();
    this.#looks += 1;
    for (const [key, watched] of this.#watched) {
      const hasTurn = watched.turn === this.#looks % TURNS;
      if (isSame && this.#reaps && watched.listed && !hasTurn) continue;
      if (watched.liveness.alive()) continue;
      if (watched.listed) this.#ended.push(watched.pid);
      watched.liveness.close();
      this.#watched.delete(key);
      watched.gone();
    }
    if (this.#watched.size > 0) this.#schedule();
  }

  /** True where the reaper's children are the same as at the look before, so that none of them was reaped since. */
  #readList(): boolean {
    const { processes } = this.#host;
    const [first] = this.#watched.values();
    const isFirst = this.#reaper === null;
    if (isFirst && first !== undefined) this.#reaper = processes.stat(first.pid)?.ppid ?? null;
    const list = this.#reaper === null ? null : processes.children(this.#reaper);
    const isSame = list !== null && list === this.#list && !this.#isNew && this.#ended.length === 0;
    this.#list = list;
    this.#isNew = false;
    if (isSame) return true;
    const children = new Set((list ?? '').split(' ').map(Number));
    if (this.#ended.some((pid) => children.has(pid))) this.#reaps = false;
    this.#ended = [];
    const pids = new Set<number>();
    for (const watched of this.#watched.values()) {
      watched.listed = children.has(watched.pid);
      pids.add(watched.pid);
    }
    // What lies there unreaped from before (often the upkeep that has died) tells what to expect.
    if (isFirst) this.#ended = [...children].filter((pid) => !pids.has(pid) && processes.stat(pid) === null);
    return false;
  }
}
