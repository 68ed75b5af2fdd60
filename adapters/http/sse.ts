/**
 * Server-sent events: how a message is written down, and what keeps a silent stream alive.
 */
import type { Clock } from '../../core/host/host.ts';

/** One server-sent event. */
export interface SseMessage {
  readonly data: string;
  /** What a client that connects again says it has seen. */
  readonly id?: string;
  /** The event's name; without one it is a plain `message`. */
  readonly event?: string;
}

/** What a stream begins with, so that its reader knows at once that it listens. */
export const SSE_OPENING = ': listening\n\n';

/** What is written where there is nothing to say, so that nobody on the way hangs up. */
export const SSE_KEEP_ALIVE = ': keep-alive\n\n';

/**
 * Writes a message down. A carriage return ends a line in this format, so it is told as a line's end.
 *
 * @example
 * ```ts
 * formatSse({ id: '7', data: 'a\nb' }); // 'id: 7\ndata: a\ndata: b\n\n'
 * ```
 */
export function formatSse(message: SseMessage): string {
  const fields: string[] = [];
  if (message.event !== undefined) fields.push(`event: ${message.event}`);
  if (message.id !== undefined) fields.push(`id: ${message.id}`);
  for (const line of message.data.split(/\r\n|\r|\n/)) fields.push(`data: ${line}`);
  return `${fields.join('\n')}\n\n`;
}

/**
 * Messages as they were written down, an opening before them, and a comment wherever there was none for `interval` ms.
 * What comes next is asked for only when this has been taken, so a slow reader holds one.
 */
export async function* sseText<T>(
  messages: AsyncIterable<T>,
  clock: Pick<Clock, 'timer'>,
  interval: number,
): AsyncGenerator<T | string, void, undefined> {
  const iterator = messages[Symbol.asyncIterator]();
  let answer: { result: IteratorResult<T> } | { error: unknown } | null = null;
  // One reaction on each promise, however often the wait for it times out: Promise.race would add one each time.
  let arrived = (): void => {};
  const ask = (): void => {
    answer = null;
    iterator.next().then(
      (result) => {
        answer = { result };
        arrived();
      },
      (error: unknown) => {
        answer = { error };
        arrived();
      },
    );
  };
  const wait = async (): Promise<typeof answer> => {
    if (answer === null) {
      let cancel = (): void => {};
      await new Promise<void>((resolve) => {
        arrived = resolve;
        cancel = clock.timer(interval, resolve);
      });
      cancel();
    }
    return answer;
  };

  try {
    yield SSE_OPENING;
    ask();
    for (;;) {
      const got = await wait();
      if (got === null) {
        yield SSE_KEEP_ALIVE;
      } else if ('error' in got) {
        throw got.error;
      } else if (got.result.done === true) {
        return;
      } else {
        yield got.result.value;
        ask();
      }
    }
  } finally {
    await iterator.return?.();
  }
}
