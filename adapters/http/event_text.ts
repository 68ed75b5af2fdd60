/**
 * Events as server-sent events: written down once, however many follow them.
 */
import type { EventRecord } from '../../core/store/records.ts';
import { formatSse } from './sse.ts';

/** The bytes of each array that was given to one follower, for those who are given the same. */
const bytesOf = new WeakMap<readonly EventRecord[], Uint8Array>();

/** Of each event, for followers who were given it among others. */
const textOf = new WeakMap<EventRecord, string>();

const encoder = new TextEncoder();

/** Each batch written down. Nobody may change the bytes: they are on their way to others too. */
export async function* eventTexts(
  batches: AsyncIterable<readonly EventRecord[]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const events of batches) {
    let bytes = bytesOf.get(events);
    if (bytes === undefined) {
      bytes = encoder.encode(events.map(eventText).join(''));
      bytesOf.set(events, bytes);
    }
    yield bytes;
  }
}

/** Records are never changed, so the text stays right. */
function eventText(event: EventRecord): string {
  let text = textOf.get(event);
  if (text === undefined) {
    text = formatSse({ id: String(event.seq), data: JSON.stringify(event) });
    textOf.set(event, text);
  }
  return text;
}
