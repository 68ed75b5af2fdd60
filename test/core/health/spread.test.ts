import { describe, expect, it } from 'vitest';
import { Spread } from '../../../core/health/spread.ts';

describe('the first looks of many checks', () => {
  it.each([10, 100, 1000])('of %i, none falls into a crowd', (count) => {
    const spread = new Spread(0.123);
    const places = Array.from({ length: count }, () => spread.next());
    const crowd = new Map<number, number>();
    for (const place of places) {
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThan(1);
      const slot = Math.floor(place * 100);
      crowd.set(slot, (crowd.get(slot) ?? 0) + 1);
    }
    // A hundredth of the interval, which is 100 ms of ten seconds, holds a hundredth of them and one or two more.
    expect(Math.max(...crowd.values())).toBeLessThanOrEqual(Math.ceil(count / 100) + 2);
  });
});
