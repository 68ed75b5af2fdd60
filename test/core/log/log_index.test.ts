import { describe, expect, it } from 'vitest';
import {
  baseRecord,
  compactIndex,
  cutRecord,
  entryRecord,
  formatIndex,
  headRecord,
  incarnationAt,
  type LogIndex,
  MAX_ENTRIES,
  newIndex,
  offsetBy,
  parseIndex,
  rangeOf,
  removalRecord,
  runRecord,
  sliceIndex,
  timeAt,
} from '../../../core/log/log_index.ts';

const LOST = newIndex('open', 99, 1);

const FULL: LogIndex = {
  kind: 'open',
  incarnation: 3,
  begun_at: 1000,
  base: 4096,
  head: 8192,
  runs: [{ incarnation: 4, offset: 9000, time: 5000 }],
  entries: [
    { offset: 8500, time: 2000 },
    { offset: 8900, time: 3000 },
    { offset: 9500, time: 6000 },
  ],
  cut: { name: { incarnation: 3, number: 1 }, end: 12_288 },
  removal: { end: 8192, nonce: '00ff' },
};

describe('an index', () => {
  it('is read as it was written', () => {
    expect(parseIndex(formatIndex(FULL), LOST)).toEqual(FULL);
    expect(parseIndex(formatIndex(newIndex('done', 7, 5)), LOST)).toEqual(newIndex('done', 7, 5));
  });

  it('is the fallback where there is none', () => {
    expect(parseIndex('', LOST)).toEqual(LOST);
  });

  it('does not count a record that a crash cut short, wherever it did', () => {
    const before = formatIndex({ ...FULL, cut: null, removal: null });
    const known = parseIndex(before, LOST);
    for (const record of [
      entryRecord({ offset: 10_000, time: 7000 }),
      runRecord({ incarnation: 5, offset: 10_000, time: 7000 }),
      cutRecord({ incarnation: 3, number: 2 }, 12_288),
      headRecord(12_288),
      removalRecord({ end: 8192, nonce: 'abcdef' }),
      baseRecord(8192),
    ]) {
      for (let length = 0; length < record.length; length++) {
        expect(parseIndex(before + record.slice(0, length), LOST)).toEqual(known);
      }
      expect(parseIndex(before + record, LOST)).not.toEqual(known);
    }
  });

  it('leaves out lines that make no sense', () => {
    const text = `${formatIndex(FULL)}\u0000\u0000\u0000\nat x y\nat 9600\nhello\n\nat -1 5\nrun 5\ncut a.b 5\nremove 5 zz\n`;
    expect(parseIndex(text, LOST)).toEqual(FULL);
  });

  it('forgets a removal once there is a base, and a cut once the head is past it', () => {
    const index = parseIndex(`${formatIndex(FULL)}${headRecord(12_288)}${baseRecord(8192)}`, LOST);
    expect(index).toMatchObject({ base: 8192, head: 12_288, cut: null, removal: null });
  });

  it('takes the base for the head where the head is before it', () => {
    expect(parseIndex('open 0 5\nbase 500\n', LOST)).toMatchObject({ base: 500, head: 500 });
  });

  it('does not count a cut that the head is past already', () => {
    expect(parseIndex('open 0 5\nhead 500\ncut 0.1 400\n', LOST).cut).toBeNull();
  });
});

describe('what an index tells', () => {
  it('which incarnation wrote a byte', () => {
    expect([8192, 8999, 9000, 9001].map((offset) => incarnationAt(FULL, offset))).toEqual([3, 3, 4, 4]);
  });

  it('when a byte was written at the earliest', () => {
    expect([8192, 8500, 8899, 8900, 9000, 9499, 9500].map((offset) => timeAt(FULL, offset))).toEqual([
      1000, 2000, 2000, 3000, 5000, 5000, 6000,
    ]);
  });

  it('goes by place, not by the larger time, when the clock was set back', () => {
    const index = { ...newIndex('open', 0, 9000), entries: [{ offset: 10, time: 500 }] };
    expect(timeAt(index, 20)).toBe(500);
  });

  it('up to where all was written by a time', () => {
    expect([0, 1999, 2000, 2999, 3000, 5999, 6000, 1e9].map((time) => offsetBy(FULL, time))).toEqual([
      8192, 8192, 8500, 8500, 8900, 8900, 9500, 9500,
    ]);
  });

  it('between which offsets an incarnation wrote', () => {
    expect(rangeOf(FULL, 3)).toEqual({ from: 8192, to: 9000 });
    expect(rangeOf(FULL, 4)).toEqual({ from: 9000, to: Number.POSITIVE_INFINITY });
    expect(rangeOf(FULL, 2)).toBeNull();
    expect(rangeOf(FULL, 5)).toBeNull();
  });

  it('one range for an incarnation that was opened twice', () => {
    const runs = [
      { incarnation: 1, offset: 10, time: 1 },
      { incarnation: 1, offset: 10, time: 2 },
      { incarnation: 2, offset: 30, time: 3 },
    ];
    expect(rangeOf({ ...newIndex('open', 0, 0), runs }, 1)).toEqual({ from: 10, to: 30 });
  });
});

describe('the index of a copy', () => {
  it('counts from its own first byte', () => {
    expect(sliceIndex(FULL, 8192, 9200)).toEqual({
      ...newIndex('done', 3, 1000),
      runs: [{ incarnation: 4, offset: 808, time: 5000 }],
      entries: [
        { offset: 308, time: 2000 },
        { offset: 708, time: 3000 },
        // All of it had been written by the first entry after its end.
        { offset: 1008, time: 6000 },
      ],
    });
  });

  it('begins with the incarnation and the time of its first byte', () => {
    expect(sliceIndex(FULL, 9100, 9300)).toMatchObject({ incarnation: 4, begun_at: 5000, runs: [] });
  });
});

describe('an index made compact', () => {
  it('says the same of every byte that is left', () => {
    const index = { ...FULL, head: 9100 };
    const compact = compactIndex(index);
    expect(compact).toMatchObject({ incarnation: 4, begun_at: 5000, runs: [], entries: [{ offset: 9500 }] });
    for (const offset of [9100, 9499, 9500, 9900]) {
      expect(incarnationAt(compact, offset)).toBe(incarnationAt(index, offset));
      expect(timeAt(compact, offset)).toBe(timeAt(index, offset));
    }
  });

  it('keeps what is recent exact where it has grown long', () => {
    const entries = Array.from({ length: MAX_ENTRIES }, (_, i) => ({ offset: i + 1, time: i }));
    const thinned = compactIndex({ ...newIndex('open', 0, 0), entries }).entries;
    expect(thinned.length).toBe(MAX_ENTRIES * 0.75);
    expect(thinned.slice(-MAX_ENTRIES / 2)).toEqual(entries.slice(-MAX_ENTRIES / 2));
  });
});
