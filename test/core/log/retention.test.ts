import { describe, expect, it } from 'vitest';
import { type ActiveSize, planHead, planRetention } from '../../../core/log/retention.ts';

const BLOCK = 4096;

/** A plain statement of what `planHead` must do, to hold against what it does. */
function violations(active: ActiveSize, bounds: { keep: number; max_total: number }): string[] {
  const { live, taken, block, segment } = active;
  const step = planHead(active, bounds);
  if (step.action === 'keep') {
    const tooLarge =
      live > block && live > bounds.max_total && live - Math.floor(bounds.max_total * 0.75) >= block;
    const cuttable = segment !== null && live > Math.max(segment, block) + block;
    const takeable = active.whole && live > 0;
    return tooLarge || cuttable || takeable ? ['keeps what is too large'] : [];
  }
  const wrong: string[] = [];
  if (active.whole && step.action === 'copy') return step.bytes === live ? [] : ['leaves some of the whole'];
  if (step.bytes <= 0) wrong.push('takes nothing');
  if (step.bytes >= live) wrong.push('takes the last byte');
  if ((taken + step.bytes) % block !== 0) wrong.push('ends within a block');
  if (step.action === 'copy') {
    if (segment === null) wrong.push('copies though nobody wants to rotate');
    else if (step.bytes > Math.max(segment, block)) wrong.push('makes a segment that is too large');
    if (live > bounds.max_total && live - step.bytes > bounds.max_total)
      wrong.push('copies what retention deletes');
  } else if (live <= bounds.max_total && (segment === null || live <= segment * bounds.keep)) {
    wrong.push('drops what may be kept');
  }
  return wrong;
}

describe('the plan for a head', () => {
  it('holds its rules for every combination of sizes', () => {
    const sizes = [
      0,
      1,
      100,
      BLOCK - 1,
      BLOCK,
      BLOCK + 1,
      3 * BLOCK,
      10 * BLOCK + 17,
      100 * BLOCK,
      1000 * BLOCK + 1,
    ];
    const wrong: unknown[] = [];
    for (const live of sizes)
      for (const taken of [0, BLOCK, 7 * BLOCK])
        for (const block of [512, BLOCK])
          for (const segment of [null, 1, BLOCK, 4 * BLOCK + 5, 50 * BLOCK])
            for (const keep of [0, 1, 10])
              for (const max_total of [0, BLOCK, 20 * BLOCK, 500 * BLOCK]) {
                for (const whole of [false, true]) {
                  const active = { live, taken, block, segment, whole };
                  const found = violations(active, { keep, max_total });
                  if (found.length > 0) wrong.push({ active, keep, max_total, found });
                }
              }
    expect(wrong).toEqual([]);
  });

  it.each([
    ['nobody wants to rotate', 50 * BLOCK, null, { action: 'keep' }],
    ['one segment', 11 * BLOCK, 10 * BLOCK, { action: 'copy', bytes: 10 * BLOCK }],
    [
      'the size is no whole number of blocks',
      11 * BLOCK,
      10 * BLOCK + 99,
      { action: 'copy', bytes: 10 * BLOCK },
    ],
    ['the size is less than a block', 3 * BLOCK, 100, { action: 'copy', bytes: BLOCK }],
    [
      'exactly one segment: its last block stays',
      10 * BLOCK,
      10 * BLOCK,
      { action: 'copy', bytes: 9 * BLOCK },
    ],
    ['less than a block: stays', BLOCK, 100, { action: 'keep' }],
    ['several: the first', 95 * BLOCK, 10 * BLOCK, { action: 'copy', bytes: 10 * BLOCK }],
    [
      'more than is kept: those that would go at once',
      205 * BLOCK,
      10 * BLOCK,
      { action: 'drop', bytes: 100 * BLOCK },
    ],
    ['more than there may be', 401 * BLOCK, null, { action: 'drop', bytes: 101 * BLOCK }],
  ])('%s', (_, live, segment, expected) => {
    const bounds = { keep: 10, max_total: 400 * BLOCK };
    expect(planHead({ live, taken: 0, block: BLOCK, segment, whole: false }, bounds)).toEqual(expected);
  });

  it('takes everything to the last byte where a rotator wants the whole, however little it is', () => {
    const bounds = { keep: 10, max_total: 400 * BLOCK };
    const plan = (live: number) =>
      planHead({ live, taken: 7, block: BLOCK, segment: live, whole: true }, bounds);
    for (const live of [1, BLOCK - 7, BLOCK, 3 * BLOCK + 1]) {
      expect(plan(live)).toEqual({ action: 'copy', bytes: live });
    }
    expect(plan(0)).toEqual({ action: 'keep' });
  });

  it('counts blocks from the start of the file, not from where it can be read', () => {
    const active = { live: 5 * BLOCK, taken: 100, block: BLOCK, segment: 2 * BLOCK, whole: false };
    expect(planHead(active, { keep: 10, max_total: 1e9 })).toEqual({
      action: 'copy',
      bytes: 2 * BLOCK - 100,
    });
  });

  it('comes to an end, with all that is left within the bounds', () => {
    const bounds = { keep: 3, max_total: 40 * BLOCK };
    let [live, taken, steps] = [1000 * BLOCK + 17, 0, 0];
    for (; ; steps++) {
      const step = planHead({ live, taken, block: BLOCK, segment: 8 * BLOCK, whole: false }, bounds);
      if (step.action === 'keep' || live <= 8 * BLOCK) break;
      live -= step.bytes;
      taken += step.bytes;
    }
    expect(live).toBe(17 + 8 * BLOCK - 8 * BLOCK);
    expect(steps).toBeLessThan(10);
  });
});

describe('retention', () => {
  it.each([
    ['all within the bounds', [10, 10, 10], 10, { keep: 3, max_total: 40 }, 0],
    ['too many', [10, 10, 10, 10], 0, { keep: 3, max_total: 1000 }, 1],
    ['too much', [10, 10, 10], 10, { keep: 10, max_total: 25 }, 2],
    ['the active log alone is too much', [10, 10], 100, { keep: 10, max_total: 50 }, 2],
    ['the oldest is the large one', [90, 1, 1], 0, { keep: 10, max_total: 50 }, 1],
    ['the newest is the large one: all before it go first', [1, 1, 90], 0, { keep: 10, max_total: 91 }, 1],
    ['none are kept', [5, 5], 0, { keep: 0, max_total: 100 }, 2],
    ['there are none', [], 500, { keep: 10, max_total: 100 }, 0],
    [
      'no bounds',
      [1e12, 1e12],
      1e12,
      { keep: Number.POSITIVE_INFINITY, max_total: Number.POSITIVE_INFINITY },
      0,
    ],
  ])('%s', (_, segments, active, bounds, gone) => {
    expect(planRetention(segments, active, bounds)).toBe(gone);
  });
});
