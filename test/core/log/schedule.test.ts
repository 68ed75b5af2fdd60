import { describe, expect, it } from 'vitest';
import { FIRST_DELAY, FOLLOWED_DELAY, IDLE_DELAY, lookDelay, nextLook } from '../../../core/log/schedule.ts';

const MIB = 1_048_576;

describe('the delay before the next look', () => {
  it('doubles up to the idle delay while nothing is written', () => {
    const delays: number[] = [];
    let delay = FIRST_DELAY;
    for (let i = 0; i < 5; i++) {
      delay = lookDelay({ rate: 0, allowance: 0, delay, followed: false });
      delays.push(delay);
    }
    expect(delays).toEqual([500, 1000, 2000, 2000, 2000]);
  });

  it.each([
    ['a line now and then', 0.05, IDLE_DELAY],
    ['1 MiB/s', MIB / 1000, IDLE_DELAY],
    ['20 MiB/s', (20 * MIB) / 1000, 500],
    ['200 MiB/s', (200 * MIB) / 1000, 31.25],
    ['2 GiB/s', (2048 * MIB) / 1000, IDLE_DELAY / 128],
  ])('lets no more than the allowance be written: %s', (_, rate, expected) => {
    const allowance = 10 * MIB;
    const delay = lookDelay({ rate, allowance, delay: IDLE_DELAY, followed: false });
    expect(delay).toBe(expected);
    if (delay > IDLE_DELAY / 128) expect(delay * rate).toBeLessThanOrEqual(allowance);
  });

  it('is the shortest where nothing at all may be written', () => {
    expect(lookDelay({ rate: 1, allowance: 0, delay: IDLE_DELAY, followed: false })).toBe(IDLE_DELAY / 128);
  });

  it('is short while somebody follows', () => {
    const delay = lookDelay({ rate: 0, allowance: 0, delay: IDLE_DELAY, followed: true });
    expect(delay).toBeLessThanOrEqual(FOLLOWED_DELAY);
    expect(delay).toBeGreaterThan(FOLLOWED_DELAY / 2);
  });

  it('is always the idle delay halved a whole number of times', () => {
    for (let rate = 0.001; rate < 1e9; rate *= 1.7) {
      const halvings = Math.log2(
        IDLE_DELAY / lookDelay({ rate, allowance: MIB, delay: IDLE_DELAY, followed: false }),
      );
      expect(halvings).toBe(Math.round(halvings));
    }
  });
});

describe('the next look', () => {
  it('falls on the same instants for all logs of a delay, and for those of a shorter one', () => {
    for (const now of [0, 1, 1999, 2000, 123_456.78]) {
      for (const delay of [2000, 500, 31.25]) {
        const next = nextLook(now, delay);
        expect(next).toBeGreaterThan(now);
        expect(next - now).toBeLessThanOrEqual(delay);
        expect(next % delay).toBe(0);
      }
    }
  });
});
