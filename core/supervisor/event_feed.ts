/**
 * Hands events on to whoever listens.
 */
import type { EventRecord } from '../store/records.ts';

/** Told of every event once it is committed, in order. */
export class EventFeed {
  readonly #listeners = new Set<(event: EventRecord) => void>();

  /** Tells every listener; a listener that throws is its own problem only. */
  publish(events: readonly EventRecord[]): void {
    for (const listener of this.#listeners) {
      for (const event of events) {
        try {
          listener(event);
        } catch {
          // It is told within a commit of the job loop, which has more to do than to stop half-way for it.
        }
      }
    }
  }

  /** Calls back on each event from now on; returns what ends it. */
  subscribe(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
