import { describe, expect, test } from 'vitest';
import { backoff } from '../../../core/job/policy.ts';
import { aPolicy } from './builders.ts';

function restart(changes: Parameters<typeof aPolicy>[1]): Parameters<typeof backoff>[0] {
  return aPolicy({}, { delay: 100, factor: 2, max_delay: 1_000, jitter: 0, ...changes }).restart;
}

describe('the pause after the n-th failed try', () => {
  test('grows by the factor, up to the cap', () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((attempt) => backoff(restart({}), attempt, 0.5));
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('there is none where no try has failed', () => {
    expect(backoff(restart({ jitter: 1 }), 0, 0.99)).toBe(0);
  });

  test('stays at the cap for streaks whose power is infinite', () => {
    expect(backoff(restart({}), 5_000, 0)).toBe(1_000);
  });

  test('is even where the factor is 1', () => {
    expect([1, 2, 50].map((attempt) => backoff(restart({ factor: 1 }), attempt, 0))).toEqual([100, 100, 100]);
  });

  test('gets up to the jitter on top, also at the cap', () => {
    const settings = restart({ jitter: 0.25 });
    for (const [attempt, base] of [
      [1, 100],
      [3, 400],
      [9, 1_000],
    ] as const) {
      expect(backoff(settings, attempt, 0)).toBe(base);
      expect(backoff(settings, attempt, 0.5)).toBe(base * 1.125);
      for (let random = 0; random < 1; random += 0.05) {
        const pause = backoff(settings, attempt, random);
        expect(pause).toBeGreaterThanOrEqual(base);
        expect(pause).toBeLessThan(base * 1.25);
      }
    }
  });
});
