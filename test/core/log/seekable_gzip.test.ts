import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { memberAt, memberSize } from '../../../core/log/members.ts';
import { decodeTable, encodeTable, MAX_TABLE_BYTES } from '../../../core/log/seekable_gzip.ts';

function make(pieces: readonly Buffer[]): Buffer {
  const members = pieces.map((piece) => gzipSync(piece));
  const table = encodeTable(
    pieces.map((piece, i) => ({ length: piece.length, bytes: members[i]?.length ?? 0 })),
  );
  return Buffer.concat([...members, table]);
}

describe('a gzip file with a table', () => {
  const pieces = [randomBytes(1000), Buffer.from('hello\n'.repeat(500)), randomBytes(1)];
  const content = Buffer.concat(pieces);
  const file = make(pieces);

  it('reads as gzip to everybody else', () => {
    expect(gunzipSync(file).equals(content)).toBe(true);
    expect(gunzipSync(make([])).length).toBe(0);
  });

  it('says where each member is', () => {
    const members = decodeTable(file) ?? [];
    expect(members.map(({ start, length }) => [start, length])).toEqual([
      [0, 1000],
      [1000, 3000],
      [4000, 1],
    ]);
    for (const { start, length, from, bytes } of members) {
      expect(
        gunzipSync(file.subarray(from, from + bytes)).equals(content.subarray(start, start + length)),
      ).toBe(true);
    }
    expect(decodeTable(make([]))).toEqual([]);
  });

  it('finds the member of a byte', () => {
    const members = decodeTable(file) ?? [];
    const starts = [0, 999, 1000, 3999, 4000, 4001].map((at) => memberAt(members, at)?.start ?? null);
    expect(starts).toEqual([0, 0, 1000, 1000, 4000, null]);
  });

  it.each([0, 1, 29, 30, file.length - 1])('takes nothing else for one: the first %i bytes', (length) => {
    expect(decodeTable(file.subarray(0, length))).toBeNull();
  });

  it('takes a gzip file without a table for none', () => {
    expect(decodeTable(gzipSync(randomBytes(5000)))).toBeNull();
  });

  it('holds the largest content there is room for in its end', () => {
    const full = encodeTable(Array.from({ length: 8_000 }, () => ({ length: 1, bytes: 1 })));
    expect(full.length).toBe(MAX_TABLE_BYTES);
    expect(decodeTable(full)?.length).toBe(8_000);
    expect(gunzipSync(full).length).toBe(0);
    expect(() => encodeTable(Array.from({ length: 8_001 }, () => ({ length: 1, bytes: 1 })))).toThrow(
      RangeError,
    );
  });

  it.each([0, 1, 131_072, 1e9, 1e10, 1e12])('never has more members than that: %d bytes', (bytes) => {
    expect(Math.ceil(bytes / memberSize(bytes))).toBeLessThanOrEqual(8_000);
    expect(memberSize(bytes)).toBeGreaterThanOrEqual(131_072);
  });
});
