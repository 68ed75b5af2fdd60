/**
 * A log's bytes as server-sent events of whole lines.
 */
import { formatSse } from './sse.ts';

/** A line longer than this, in characters, is passed on in parts. */
const LINE_LIMIT = 65_536;

/**
 * One message for the whole lines of each batch of chunks; a line that is not finished waits for its end.
 *
 * @param now ms since the epoch. It becomes the message's id, so that a reader that comes back can ask for what was
 *   written since: byte positions do not outlive a rotation. Lines of the same instant may come twice, none is lost.
 */
export async function* logTexts(
  batches: AsyncIterable<readonly Uint8Array[]>,
  now: () => number,
): AsyncGenerator<string, void, undefined> {
  // Keeps a character that was cut in two at a chunk's edge; what is no UTF-8 becomes U+FFFD.
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunks of batches) {
    for (const chunk of chunks) rest += decoder.decode(chunk, { stream: true });
    const end = rest.length > LINE_LIMIT ? rest.length : rest.lastIndexOf('\n') + 1;
    if (end === 0) continue;
    const data = rest.slice(0, end).replace(/\r?\n$/, '');
    rest = rest.slice(end);
    yield formatSse({ id: String(now()), data });
  }
  rest += decoder.decode();
  if (rest !== '') yield formatSse({ id: String(now()), data: rest });
}
