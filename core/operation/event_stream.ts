/**
 * A stream of events for one listener, which may be slow: what it has not taken yet is kept only to a bound, and
 * read from the store again beyond that.
 */
import type { EventRecord } from '../store/records.ts';
import type { Control, EventQuery } from '../supervisor/control.ts';

/** How many events wait in memory for one listener; they are shared with every other listener. */
const QUEUE_LIMIT = 256;

/** How many events are read from the store at once. */
const BATCH = 200;

/**
 * Events in order, each once: those after `query.after` where it is given, then those to come.
 *
 * @param signal ends the stream.
 */
export async function* eventStream(
  control: Pick<Control, 'events' | 'onEvent'>,
  query: Omit<EventQuery, 'limit'>,
  signal: AbortSignal,
): AsyncGenerator<EventRecord, void, undefined> {
  const queue: EventRecord[] = [];
  let seen = query.after ?? -1;
  // While behind, the store is read and news is not queued: the store has it too.
  let behind = query.after !== undefined;
  let wake = (): void => {};

  const end = control.onEvent((event) => {
    if (behind || !matches(event, query)) return;
    if (queue.length === QUEUE_LIMIT) {
      seen = Math.max(seen, (queue[0] ?? event).seq - 1);
      queue.length = 0;
      behind = true;
    } else {
      queue.push(event);
    }
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);

  try {
    while (!signal.aborted) {
      if (behind) {
        const batch = control.events({ ...query, after: seen, limit: BATCH });
        // In the same tick as the read: whatever comes from now on is queued.
        behind = batch.length === BATCH;
        for (const event of batch) {
          if (signal.aborted) return;
          seen = Math.max(seen, event.seq);
          yield event;
        }
        continue;
      }
      const event = queue.shift();
      if (event === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (event.seq > seen) {
        seen = event.seq;
        yield event;
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    end();
  }
}

function matches(event: EventRecord, query: EventQuery): boolean {
  return (
    (query.service === undefined || event.service === query.service) &&
    (query.job_id === undefined || event.job_id === query.job_id)
  );
}
