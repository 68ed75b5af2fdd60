/**
 * Reads server-sent events from bytes.
 */
import { AnswerTooLarge } from './errors.ts';

/** The longest message that is taken, characters: many times what an event can be. */
export const MESSAGE_LIMIT = 8 * 1024 * 1024;

/** A server-sent event as it arrived. */
export interface ReceivedMessage {
  readonly event: string;
  readonly data: string;
  readonly id: string | null;
}

/**
 * The messages in a stream of bytes; comments are skipped.
 *
 * @throws {@link AnswerTooLarge} for a message that is longer than {@link MESSAGE_LIMIT}.
 *
 * @example
 * ```ts
 * for await (const message of sseMessages(response)) console.log(message.data);
 * ```
 */
export async function* sseMessages(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReceivedMessage, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    // What was looked at has no end of a message, but may have half of one.
    let from = Math.max(0, rest.length - 1);
    rest += decoder.decode(chunk, { stream: true });
    let begin = 0;
    for (let end = rest.indexOf('\n\n', from); end >= 0; end = rest.indexOf('\n\n', from)) {
      const message = parseBlock(rest.slice(begin, end));
      begin = end + 2;
      from = begin;
      if (message !== null) yield message;
    }
    rest = rest.slice(begin);
    if (rest.length > MESSAGE_LIMIT) {
      throw new AnswerTooLarge(`a message of the stream has more than ${MESSAGE_LIMIT} characters`);
    }
  }
}

function parseBlock(block: string): ReceivedMessage | null {
  const data: string[] = [];
  let event = 'message';
  let id: string | null = null;
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/s.exec(line) ?? [];
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id') id = value;
  }
  return data.length === 0 ? null : { event, data: data.join('\n'), id };
}
