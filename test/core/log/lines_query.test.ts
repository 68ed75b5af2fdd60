import { rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { LINE_BYTES } from '../../../core/log/line_scan.ts';
import { formatSpot, parseSpot } from '../../../core/log/spot.ts';
import { PatternTooSlow } from '../../../core/plugin/text_pattern.ts';
import {
  type Fixture,
  folderOf,
  inScratch,
  jobWith,
  logsIn,
  numbered,
  range,
  segmentsOf,
  threeIncarnations,
} from './support.ts';

let dir: string;
let fixture: Fixture;
inScratch((made) => {
  dir = made;
  fixture = logsIn(dir);
});
afterEach(() => fixture.logs.closeAll());

const ALL = { from: null, incarnation: null, since: null, tail: null };
const numberOf = ({ text }: { readonly text: string }): number => Number(text.slice(0, 10));

/** Pages of so many lines, until nothing follows; `between` is done after each page. */
async function pages(
  job: ReturnType<typeof jobWith>,
  limit: number,
  between: () => Promise<void> = async () => {},
) {
  const found: { text: string; incarnation: number; offset: number; time: number | null }[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const from = next === '' ? null : parseSpot(next);
    const page = await fixture.logs.lines(job, { ...ALL, from }, limit);
    found.push(...page.lines);
    next = page.next;
    if (next !== null) await between();
  }
  return found;
}

describe.each(['gzip', 'none'] as const)('pages of a log in segments, compress %s', (compress) => {
  it.each([1000, 777])('give every line once, in order, %i at a time', async (limit) => {
    const job = await threeIncarnations(fixture, compress);
    const lines = await pages(job, limit);
    expect(lines.map(numberOf)).toEqual(range(0, 9000));
    expect(lines.map(({ incarnation }) => incarnation)).toEqual(
      range(0, 9000).map((n) => Math.floor(n / 3000)),
    );
    expect(lines.every(({ time }) => time !== null && time > 1_600_000_000_000)).toBe(true);
  });

  it('give one incarnation, the last lines, and nothing where there is no log', async () => {
    const job = await threeIncarnations(fixture, compress);
    const { logs } = fixture;
    const one = await logs.lines(job, { ...ALL, incarnation: 1 }, 10_000);
    expect(one.lines.map(numberOf).slice(0, 2)).toEqual([3000, 3001]);
    const tail = await logs.lines(job, { ...ALL, tail: 3 }, 10);
    expect(tail).toMatchObject({ next: null });
    expect(tail.lines.map(numberOf)).toEqual([8997, 8998, 8999]);
    expect(await logs.lines(jobWith({}, 'other'), ALL, 10)).toEqual({ lines: [], next: null });
  });
});

describe('a cursor', () => {
  it('holds while the log is written to, rotated and restarted between any two pages', async () => {
    const job = jobWith({ compress: 'gzip' });
    const { logs, lookAndWait } = fixture;
    let incarnation = 0;
    let written = 0;
    let { fd } = logs.open(job, incarnation);
    const write = (): void => {
      writeSync(fd, numbered(400, written));
      written += 400;
    };
    write();
    let turn = 0;
    const lines = await pages(job, 90, async () => {
      turn += 1;
      if (turn > 40) return;
      write();
      if (turn % 3 === 0) await lookAndWait();
      if (turn % 7 === 0) {
        incarnation += 1;
        const opened = logs.open(job, incarnation);
        fd = opened.fd;
        if (opened.rotated !== null) logs.release(job, opened.rotated);
      }
    });
    expect(segmentsOf(dir, job).length).toBeGreaterThan(5);
    expect(lines.map(numberOf)).toEqual(range(0, written));
  });

  it('goes on with what there is where its segment was removed', async () => {
    const job = await threeIncarnations(fixture, 'none');
    const first = await fixture.logs.lines(job, ALL, 10);
    for (const { name } of segmentsOf(dir, job).slice(0, 2)) rmSync(join(folderOf(dir, job), name));
    const rest = await fixture.logs.lines(job, { ...ALL, from: parseSpot(first.next ?? '') }, 10);
    // The first one may have begun in what is gone.
    expect(numberOf(rest.lines[1] ?? { text: '' })).toBeGreaterThan(10);
  });

  it.each([
    { name: null, in_segment: false, offset: 0, within_line: false },
    { name: { incarnation: 3, number: 0 }, in_segment: true, offset: 12, within_line: false },
    { name: { incarnation: 3, number: 21 }, in_segment: false, offset: 12_345, within_line: true },
  ])('is written down and read: %j', (spot) => {
    expect(parseSpot(formatSpot(spot))).toEqual(spot);
  });

  it.each(['', 's', 's:1', 'x3:1', 's3:-1', 's3.0:1', 'a3:1 ', 's../3:1', 'a:1234567890123456'])(
    '%j is none',
    (text) => {
      expect(parseSpot(text)).toBeNull();
    },
  );
});

describe('lines', () => {
  async function linesOf(...writes: (string | Buffer)[]) {
    const job = jobWith();
    const { fd } = fixture.logs.open(job, 0);
    for (const bytes of writes) writeSync(fd, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    return (await fixture.logs.lines(job, ALL, 1000)).lines;
  }

  it('keep control characters, blanks and empty lines; the last may lack its end', async () => {
    const lines = await linesOf('\u001b[31mred\u001b[0m\r\n\n \t\n\0end');
    expect(lines.map(({ text }) => text)).toEqual(['\u001b[31mred\u001b[0m\r', '', ' \t', '\0end']);
    expect(lines.map(({ offset }) => offset)).toEqual([0, 14, 15, 18]);
  });

  it('replace what is no UTF-8', async () => {
    const [line] = await linesOf(Buffer.from([0x61, 0xff, 0x62, 0x0a]));
    expect(line?.text).toBe('a\ufffdb');
  });

  it.each(['x', 'ä', '€', '😀'])(
    'are cut between two characters where they are too long (%s)',
    async (letter) => {
      const long = letter.repeat(200_000);
      const lines = await linesOf(`a${long}\nnext\n`);
      expect(lines.map(({ truncated }) => truncated)).toEqual([true, false]);
      const [first] = lines;
      expect(long.startsWith(first?.text.slice(1) ?? '-')).toBe(true);
      expect(Buffer.byteLength(first?.text ?? '')).toBeGreaterThan(LINE_BYTES - 4);
      expect(lines[1]?.text).toBe('next');
    },
  );

  it('go on behind a line that was cut, also where the page ends with it', async () => {
    const job = jobWith();
    const { fd } = fixture.logs.open(job, 0);
    writeSync(fd, `${'x'.repeat(300_000)}\nnext\n`);
    const first = await fixture.logs.lines(job, ALL, 1);
    expect(first.lines).toMatchObject([{ truncated: true }]);
    const rest = await fixture.logs.lines(job, { ...ALL, from: parseSpot(first.next ?? '') }, 10);
    expect(rest.lines.map(({ text }) => text)).toEqual(['next']);
  });

  it('of another incarnation do not go on with what one has left without an end', async () => {
    const job = jobWith({ rotate: [] });
    const { logs } = fixture;
    writeSync(logs.open(job, 0).fd, 'one\nhalf');
    writeSync(logs.open(job, 1).fd, 'two\n');
    const { lines } = await logs.lines(job, ALL, 10);
    expect(lines.map(({ text, incarnation }) => [text, incarnation])).toEqual([
      ['one', 0],
      ['half', 0],
      ['two', 1],
    ]);
  });
});

describe('searching', () => {
  const never = new AbortController().signal;
  const SEARCH = { from: null, incarnation: null, since: null, until: null };
  const budget = (changes: object = {}) => ({
    lines: 1000,
    bytes: Number.MAX_SAFE_INTEGER,
    found: Number.MAX_SAFE_INTEGER,
    until: Number.POSITIVE_INFINITY,
    ...changes,
  });

  it('finds text and regular expressions, over all segments', async () => {
    const job = await threeIncarnations(fixture, 'gzip');
    const search = async (pattern: string) =>
      (await fixture.logs.search(job, { ...SEARCH, pattern }, budget(), never)).lines.map(numberOf);
    expect(await search('0000001234')).toEqual([1234]);
    expect(await search('/^000000[0-9]999X/i')).toEqual(range(0, 9).map((n) => n * 1000 + 999));
    expect(await search('nothing')).toEqual([]);
  });

  it.each([{ lines: 7 }, { bytes: 1 }, { found: 250 }, { until: 0 }])(
    'goes on where a bound (%j) has ended it, and leaves nothing out',
    async (bound) => {
      const job = await threeIncarnations(fixture, 'none');
      const found: number[] = [];
      let turns = 0;
      for (let next: string | null = ''; next !== null; turns++) {
        const from = next === '' ? null : parseSpot(next);
        const query = { ...SEARCH, from, pattern: '00x' };
        const page = await fixture.logs.search(job, query, budget(bound), never);
        found.push(...page.lines.map(numberOf));
        next = page.next;
      }
      expect(turns).toBeGreaterThan(3);
      expect(found).toEqual(range(0, 90).map((n) => n * 100));
    },
  );

  it('comes to an end where a line is longer than what may be read at once', async () => {
    const job = jobWith();
    const { fd } = fixture.logs.open(job, 0);
    writeSync(fd, `${'x'.repeat(1_000_000)}\nfound\n`);
    let found = 0;
    for (let next: string | null = ''; next !== null; ) {
      const from = next === '' ? null : parseSpot(next);
      const page = await fixture.logs.search(
        job,
        { ...SEARCH, from, pattern: 'found' },
        budget({ bytes: 1 }),
        never,
      );
      found += page.lines.length;
      next = page.next;
    }
    expect(found).toBe(1);
  });

  it('ends with a regular expression that takes too long, and holds nothing up for long', async () => {
    const job = jobWith();
    const { fd } = fixture.logs.open(job, 0);
    writeSync(fd, `${'a'.repeat(40)}!\n`);
    const query = { ...SEARCH, pattern: '/^(a+)+$/' };
    await expect(fixture.logs.search(job, query, budget(), never)).rejects.toBeInstanceOf(PatternTooSlow);
  });
});
