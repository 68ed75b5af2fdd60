/**
 * Reads server-sent events from bytes.
 */

/** A server-sent event as it arrived. */
export interface ReceivedMessage {
  readonly event: string;
  readonly data: string;
  readonly id: string | null;
}

/**
 * The messages in a stream of bytes; comments are skipped.
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
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = parseBlock(block);
      if (message !== null) yield message;
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
