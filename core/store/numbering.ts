/**
 * The numbers of events.
 */
import type { Clock } from '../host/host.ts';
import type { Batch, NumberedBatch } from './batch.ts';
import type { EventRecord } from './records.ts';

/** Hands out numbers that only ever rise, also for who has read them from a database that is lost. */
export class Numbering {
  readonly #clock: Pick<Clock, 'wall'>;
  #last = 0;

  constructor(clock: Pick<Clock, 'wall'>) {
    this.#clock = clock;
  }

  /** A database has events up to this number. */
  goOnFrom(seq: number): void {
    this.#last = Math.max(this.#last, seq);
  }

  /** The events of a database cannot be read: time is above all their numbers, as there is far less than one a ms. */
  leap(): void {
    this.goOnFrom(Math.floor(this.#clock.wall()));
  }

  /** The batch, its events numbered. */
  number(batch: Batch): NumberedBatch & { readonly events: EventRecord[] } {
    return { ...batch, events: (batch.events ?? []).map((event) => ({ seq: ++this.#last, ...event })) };
  }
}
