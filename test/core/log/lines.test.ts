import { describe, expect, it } from 'vitest';
import { endOf, lastLines, matchingLines } from '../../../core/log/lines.ts';

async function* inChunks(...chunks: (string | null)[]): AsyncGenerator<Buffer | null> {
  for (const chunk of chunks) yield chunk === null ? null : Buffer.from(chunk);
}

/** What comes out, a null as `|`. */
async function out(chunks: AsyncIterable<Buffer | null>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk === null ? '|' : chunk.toString();
  return text;
}

const LINES = 'one\ntwo\n\nthree two\nfour';

describe('matching lines', () => {
  it('are the same however the bytes are cut into chunks', async () => {
    for (let size = 1; size <= LINES.length; size++) {
      const chunks: string[] = [];
      for (let at = 0; at < LINES.length; at += size) chunks.push(LINES.slice(at, at + size));
      expect(await out(matchingLines(inChunks(...chunks), 'two'))).toBe('two\nthree two\n');
      expect(await out(matchingLines(inChunks(...chunks), 'o'))).toBe('one\ntwo\nthree two\nfour');
    }
  });

  it('come once each, however often the text is in them', async () => {
    expect(await out(matchingLines(inChunks('aaa\nbab\n'), 'a'))).toBe('aaa\nbab\n');
  });

  it('wait for their end, and pass on that the end was reached', async () => {
    expect(await out(matchingLines(inChunks('an er', null, 'ror\nfine\n', null), 'error'))).toBe(
      '|an error\n|',
    );
  });

  it('are judged in parts where a line is longer than memory is to be', async () => {
    const long = 'x'.repeat(100_000);
    const found = await out(matchingLines(inChunks(`${long}`, 'needle', long, '\nno\nneedle\n'), 'needle'));
    expect(found.endsWith('needle\n')).toBe(true);
    expect(found).not.toContain('no');
  });
});

describe('the last lines', () => {
  it('come when the end is reached, and then all that follow', async () => {
    expect(await out(lastLines(inChunks('1\n2\n', '3\n4\n', null, '5\n6\n7\n'), 2))).toBe('3\n4\n|5\n6\n7\n');
    expect(await out(lastLines(inChunks('1\n2\n3\n'), 2))).toBe('2\n3\n');
    expect(await out(lastLines(inChunks('1\n2\n3'), 2))).toBe('2\n3');
    expect(await out(lastLines(inChunks('1\n'), 5))).toBe('1\n');
    expect(await out(lastLines(inChunks(), 5))).toBe('');
  });

  it('are right where far more comes than is kept', async () => {
    async function* flood(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 300; i++) yield Buffer.from(`${String(i).padStart(9, '0')}\n`.repeat(6_000));
    }
    expect(await out(lastLines(flood(), 3))).toBe('000000299\n'.repeat(3));
    // More lines than are kept: the newest of them.
    const all = await out(lastLines(flood(), 1_000_000_000));
    expect(all.length).toBeLessThan(9 * 1024 * 1024);
    expect(all.endsWith('000000299\n')).toBe(true);
  });
});

describe('the end of some bytes', () => {
  it.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\nc\n', 3, 'a\nb\nc\n'],
    ['a\nb\nc\n', 9, 'a\nb\nc\n'],
    ['a\nb\nc\n', 0, ''],
    ['\n\n\n', 2, '\n\n'],
    ['\na\n', 2, '\na\n'],
    ['\na\n', 1, 'a\n'],
    ['\n', 1, '\n'],
    ['', 3, ''],
  ])('%j, %i lines', (text, lines, expected) => {
    expect(endOf(Buffer.from(text), lines).toString()).toBe(expected);
  });
});
