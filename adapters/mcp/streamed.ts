/**
 * Answers of the SDK's transport, entered among the streams that are open, and their end noticed.
 */
import type { OpenStreams } from '../http/stream_body.ts';

/**
 * The same response; `ended` is called once, when its body has been read to its end or its reader has gone.
 *
 * @param taken told of each piece that was read.
 */
export function streamed(
  response: Response,
  streams: OpenStreams,
  ended: () => void,
  taken: () => void = () => {},
): Response {
  if (response.body === null) {
    ended();
    return response;
  }
  const controller = new AbortController();
  controller.signal.addEventListener('abort', ended, { once: true });
  const body = streams.body(pieces(response.body, controller.signal, taken), controller);
  return new Response(body, { status: response.status, headers: response.headers });
}

async function* pieces(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  taken: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  // A generator cannot be ended while it waits: the read is, and tells the transport that nobody listens any more.
  const cancel = (): void => {
    reader.cancel().catch(() => {});
  };
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
    taken();
  }
}
