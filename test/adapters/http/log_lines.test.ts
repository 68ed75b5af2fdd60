import { describe, expect, it } from 'vitest';
import { logTexts } from '../../../adapters/http/log_lines.ts';

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<readonly Uint8Array[]> {
  for (const chunk of chunks) yield [chunk];
}

async function messages(chunks: readonly (Uint8Array | string)[], now = () => 7): Promise<string[]> {
  const texts: string[] = [];
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  for await (const message of logTexts(each(bytes), now)) texts.push(Buffer.from(message).toString());
  return texts;
}

const message = (...lines: string[]): string => `id: 7\n${lines.map((line) => `data: ${line}\n`).join('')}\n`;

describe('a log as messages', () => {
  it.each<[string, (Uint8Array | string)[], string[]]>([
    ['whole lines are one message', ['one\ntwo\n'], [message('one', 'two')]],
    ['an empty line is a line', ['\n', 'a\n\n'], [message(''), message('a', '')]],
    ['a line waits for its end', ['on', 'e\ntw', 'o\n'], [message('one'), message('two')]],
    ['what has no end is told at the end', ['one\ntwo'], [message('one'), message('two')]],
    ['whole lines follow ones in parts', ['o', 'ne\n', 'two\n'], [message('one'), message('two')]],
    [
      'a character in two chunks is one',
      [Buffer.from('aü\n').subarray(0, 2), Buffer.from('ü\n').subarray(1)],
      [message('aü')],
    ],
    ['what is no UTF-8 is told as that', [Buffer.from([0x61, 0xc3, 0x0a])], [message('a\ufffd')]],
    ['a carriage return at the end is none of the line', ['one\r\n'], [message('one')]],
    ['a mark within a log is not taken away', ['a\n', '\ufeffb\n'], [message('a'), message('\ufeffb')]],
  ])('%s', async (_, chunks, expected) => {
    expect(await messages(chunks)).toEqual(expected);
  });

  it('is written down once for all who are given the same bytes, with the earliest time', async () => {
    const chunk = Buffer.from('one\ntwo\n');
    const read = async (time: number): Promise<Uint8Array | string | undefined> => {
      const { value } = await logTexts(each([chunk]), () => time).next();
      return value ?? undefined;
    };
    const first = await read(7);
    expect(Buffer.from(first ?? '').toString()).toBe(message('one', 'two'));
    expect(await read(8)).toBe(first);
  });
});
