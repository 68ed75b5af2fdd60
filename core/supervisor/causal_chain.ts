/**
 * What led to an event. Pure, but for where earlier events are looked up.
 */
import type { EventRecord } from '../store/records.ts';

/**
 * The chain of causes that ends with `head`, oldest first: back to what somebody asked for, to the first event of all,
 * or to `limit` events.
 *
 * @param before the event of the same job that came before: what an upkeep that has died since has left unsaid.
 *
 * @example
 * ```ts
 * causalChain(exited, { lookUp, before, limit: 12 }); // [start requested, is ready, exited with code 3]
 * ```
 */
export function causalChain(
  head: EventRecord,
  {
    lookUp,
    before,
    limit,
  }: {
    lookUp(seq: number): EventRecord | null;
    before(event: EventRecord): EventRecord | null;
    readonly limit: number;
  },
): EventRecord[] {
  const chain = [head];
  for (let event = head; chain.length < limit; ) {
    const cause: EventRecord | null = event.cause === null ? before(event) : lookUp(event.cause);
    // A cause is older, whatever a damaged store may say: no ring is walked twice.
    if (cause === null || cause.seq >= event.seq) break;
    // What somebody asked for has no cause here, but for the command that it is a part of.
    if (event.actor !== 'core' && cause.actor !== event.actor) break;
    chain.unshift(cause);
    event = cause;
  }
  return chain;
}
