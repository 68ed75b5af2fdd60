/**
 * How far a log has grown by when, as its index is told: often enough for queries by time, seldom enough to cost nothing.
 */
import { type IndexEntry, type LogIndex, MAX_ENTRIES } from './log_index.ts';

/** An entry is due after so many ms, */
export const ENTRY_INTERVAL = 5_000;
/** or after so many where at least so many bytes have come. */
const BUSY_ENTRY_INTERVAL = 1_000;
const BUSY_ENTRY_BYTES = 65_536;

/** The entries of one index: the latest, and how many there are. */
export class Growth {
  #latest: IndexEntry;
  #count: number;

  constructor({ entries, head, begun_at }: LogIndex) {
    this.#latest = entries.at(-1) ?? { offset: head, time: begun_at };
    this.#count = entries.length;
  }

  /** The latest entry; the head and when it was written, where there is none. */
  get latest(): IndexEntry {
    return this.#latest;
  }

  /** There is an entry. */
  get noted(): boolean {
    return this.#count > 0;
  }

  /** There are so many that the index is to be written anew. */
  get full(): boolean {
    return this.#count >= MAX_ENTRIES;
  }

  /** Whether an entry is due for a log that ends at `end` now. `wall` is ms since the epoch. */
  isDue(end: number, wall: number): boolean {
    const bytes = end - this.#latest.offset;
    const elapsed = wall - this.#latest.time;
    const busy = bytes >= BUSY_ENTRY_BYTES && elapsed >= BUSY_ENTRY_INTERVAL;
    // A clock that was set back gives a negative time: an entry, or there would be none until it has caught up.
    return bytes !== 0 && (busy || elapsed >= ENTRY_INTERVAL || elapsed < 0);
  }

  /** An entry is written to the index. */
  add(entry: IndexEntry): void {
    this.#latest = entry;
    this.#count++;
  }

  /** The index was written anew, with so many entries. */
  rewritten(count: number): void {
    this.#count = count;
  }
}
