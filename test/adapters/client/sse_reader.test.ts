import { expect, it } from 'vitest';
import { type ReceivedMessage, sseMessages } from '../../../adapters/client/sse_reader.ts';

const TEXT =
  ': listening\n\nid: 1\ndata: one\n\nevent: problem\ndata: a\ndata: ü\n\n\n\n: keep-alive\n\nid: 2\ndata: two\n\nid: 3\ndata: not over';

const MESSAGES: ReceivedMessage[] = [
  { event: 'message', data: 'one', id: '1' },
  { event: 'problem', data: 'a\nü', id: null },
  { event: 'message', data: 'two', id: '2' },
];

async function read(chunks: readonly Uint8Array[]): Promise<ReceivedMessage[]> {
  const messages: ReceivedMessage[] = [];
  const stream = (async function* () {
    yield* chunks;
  })();
  for await (const message of sseMessages(stream)) messages.push(message);
  return messages;
}

it('reads the same messages wherever the bytes are cut', async () => {
  const bytes = Buffer.from(TEXT);
  expect(await read([bytes])).toEqual(MESSAGES);
  expect(await read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(MESSAGES);
  for (let at = 1; at < bytes.length; at += 1) {
    expect(await read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(MESSAGES);
  }
});
