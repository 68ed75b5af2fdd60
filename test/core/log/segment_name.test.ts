import { describe, expect, it } from 'vitest';
import {
  compareSegments,
  formatSegment,
  parseSegment,
  type SegmentName,
  segmentAfter,
} from '../../../core/log/segment_name.ts';

describe('a segment name', () => {
  it.each([
    ['0', { incarnation: 0, number: 0 }],
    ['3', { incarnation: 3, number: 0 }],
    ['3.1', { incarnation: 3, number: 1 }],
    ['12.345', { incarnation: 12, number: 345 }],
  ])('%s is read and written the same', (stem, name) => {
    expect(parseSegment(stem)).toEqual(name);
    expect(formatSegment(name)).toBe(stem);
  });

  it.each(['', 'current', '3.0', '03', '3.', '.3', '-1', '3.1.2', '3a', '1e3', ' 3'])(
    '"%s" is none: two names for one segment would break the order',
    (stem) => {
      expect(parseSegment(stem)).toBeNull();
    },
  );

  it('sorts by numbers, not by letters', () => {
    const sorted = ['0', '0.1', '0.2', '0.10', '1', '2.3', '10', '10.1'];
    const shuffled = ['10.1', '0.10', '2.3', '0', '10', '1', '0.2', '0.1'];
    const names = shuffled.map(parseSegment).filter((name) => name !== null);
    expect(names.sort(compareSegments).map(formatSegment)).toEqual(sorted);
  });

  it('is always after all that were handed out before', () => {
    let last: SegmentName | null = null;
    for (const [incarnation, stem] of [
      [0, '0'],
      [0, '0.1'],
      [2, '2'],
      [2, '2.1'],
      // Its number was lost: order counts for more.
      [1, '2.2'],
      [3, '3'],
    ] as const) {
      const next = segmentAfter(last, incarnation);
      expect(formatSegment(next)).toBe(stem);
      if (last !== null) expect(compareSegments(next, last)).toBeGreaterThan(0);
      last = next;
    }
  });
});
