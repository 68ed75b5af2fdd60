/**
 * The agenda: everything that is to be done at some time, behind the one timer of the whole core.
 */
import type { Clock } from './host.ts';

interface Entry {
  readonly key: string;
  readonly at: number;
  readonly run: () => void;
}

/**
 * Keyed appointments on monotonic time. Setting a key again moves it; one timer waits for the earliest.
 *
 * @example
 * ```ts
 * agenda.set('job:j1', clock.mono() + 500, () => wake('j1'));
 * ```
 */
export class Agenda {
  readonly #clock: Clock;
  /** Binary heap by `at`. An entry that is not the current one of its key was moved or deleted: it is skipped. */
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, Entry>();
  #cancelTimer: (() => void) | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `run` once, at monotonic ms `at` or as soon after as the event loop allows. */
  set(key: string, at: number, run: () => void): void {
    this.#current.set(key, this.#push({ key, at, run }));
    this.#arm();
  }

  /** Forgets an appointment. */
  delete(key: string): void {
    this.#current.delete(key);
  }

  /** Forgets all of them and lets the timer go. */
  clear(): void {
    this.#current.clear();
    this.#heap.length = 0;
    this.#arm();
  }

  #arm(): void {
    while (this.#heap[0] !== undefined && this.#current.get(this.#heap[0].key) !== this.#heap[0]) this.#pop();
    const at = this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
    if (at === this.#timerAt) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#clock.timer(Math.max(0, at - this.#clock.mono()), () => this.#run());
  }

  #run(): void {
    this.#cancelTimer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    // What is set while this runs waits for the next turn, so that a task that sets itself anew cannot starve others.
    const now = this.#clock.mono();
    const due: Entry[] = [];
    while (this.#heap[0] !== undefined && this.#heap[0].at <= now) {
      const entry = this.#pop();
      if (this.#current.get(entry.key) === entry) due.push(entry);
    }
    for (const entry of due) {
      // An earlier one of the same turn may have moved or deleted it.
      if (this.#current.get(entry.key) !== entry) continue;
      this.#current.delete(entry.key);
      entry.run();
    }
    this.#arm();
  }

  #push(entry: Entry): Entry {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (above.at <= entry.at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
    return entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const top = heap[0] as Entry;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Entry).at < (heap[child] as Entry).at) child += 1;
      if ((heap[child] as Entry).at >= last.at) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}
