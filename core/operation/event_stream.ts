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

/** How many of those are given at once. */
const TOGETHER = 64;

/**
 * Events in order, each once, those together that are there together: those after `query.after` where it is given, then
 * those to come. Listeners who ask for the same, and keep up, are given the same arrays.
 *
 * @param signal ends the stream.
 */
export async function* eventStream(
  control: Pick<Control, 'events' | 'followEvents'>,
  query: Omit<EventQuery, 'limit'>,
  signal: AbortSignal,
): AsyncGenerator<readonly EventRecord[], void, undefined> {
  const queue: (readonly EventRecord[])[] = [];
  let queued = 0;
  let seen = query.after ?? -1;
  // While behind, the store is read and news is not queued: the store has it too.
  let behind = query.after !== undefined;
  let wake = (): void => {};

  const end = control.followEvents((events) => {
    const news = behind ? [] : selected(events, query);
    const [first] = news;
    if (first === undefined) return;
    if (queued > 0 && queued + news.length > QUEUE_LIMIT) {
      seen = Math.max(seen, (queue[0]?.[0] ?? first).seq - 1);
      queue.length = 0;
      queued = 0;
      behind = true;
    } else {
      queue.push(news);
      queued += news.length;
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
        for (let at = 0; at < batch.length; at += TOGETHER) {
          if (signal.aborted) return;
          const some = batch.slice(at, at + TOGETHER);
          seen = some.at(-1)?.seq ?? seen;
          yield some;
        }
        continue;
      }
      const events = queue.shift();
      if (events === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      queued -= events.length;
      // What was committed before the store was read may be told only afterwards.
      const news = (events[0]?.seq ?? 0) > seen ? events : events.filter(({ seq }) => seq > seen);
      seen = Math.max(seen, events.at(-1)?.seq ?? seen);
      if (news.length > 0) yield news;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    end();
  }
}

/** The very array where nothing in particular is asked for. */
function selected(events: readonly EventRecord[], { service, job_id }: EventQuery): readonly EventRecord[] {
  if (service === undefined && job_id === undefined) return events;
  return events.filter(
    (event) =>
      (service === undefined || event.service === service) &&
      (job_id === undefined || event.job_id === job_id),
  );
}
