/**
 * A log's bytes as server-sent events of whole lines.
 */
import { formatSse } from './sse.ts';

/** A line longer than this, in characters, is passed on in parts. */
const LINE_LIMIT = 65_536;

const NEWLINE = 0x0a;

/** The message that a chunk of whole lines is, for every follower who is given that very chunk. */
const messageOf = new WeakMap<Uint8Array, Uint8Array>();

const encoder = new TextEncoder();

/** For chunks of whole lines, which may be anywhere in the log: a byte order mark is one at the begin only. */
const wholeLines = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * One message for the whole lines of each batch of chunks; a line that is not finished waits for its end. Nobody may change
 * the bytes: they may be on their way to others too.
 *
 * @param now ms since the epoch. It becomes the message's id, so that a reader that comes back can ask for what was
 *   written since: byte positions do not outlive a rotation. Lines of the same instant may come twice, none is lost.
 */
export async function* logTexts(
  batches: AsyncIterable<readonly Uint8Array[]>,
  now: () => number,
): AsyncGenerator<Uint8Array | string, void, undefined> {
  // Keeps a character that was cut in two at a chunk's edge; what is no UTF-8 becomes U+FFFD.
  const decoder = new TextDecoder();
  let rest = '';
  let begun = false;
  for await (const chunks of batches) {
    const [chunk] = chunks;
    const ended = chunks.at(-1)?.at(-1) === NEWLINE;
    if (!begun && ended && chunks.length === 1 && chunk !== undefined) {
      let message = messageOf.get(chunk);
      if (message === undefined) {
        message = encoder.encode(lineMessage(wholeLines.decode(chunk), now()));
        messageOf.set(chunk, message);
      }
      yield message;
      continue;
    }
    begun = !ended;
    for (const piece of chunks) rest += decoder.decode(piece, { stream: true });
    const end = rest.length > LINE_LIMIT ? rest.length : rest.lastIndexOf('\n') + 1;
    if (end === 0) continue;
    const message = lineMessage(rest.slice(0, end), now());
    rest = rest.slice(end);
    yield message;
  }
  rest += decoder.decode();
  if (rest !== '') yield formatSse({ id: String(now()), data: rest });
}

function lineMessage(lines: string, time: number): string {
  return formatSse({ id: String(time), data: lines.replace(/\r?\n$/, '') });
}
