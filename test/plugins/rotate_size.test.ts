import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { sizeRotator } from '../../plugins/rotate_size.ts';

const FACTS = { begun_at: 0, now: 10_000 };

describe('rotation by size', () => {
  it.each(['look', 'restart'] as const)('rotates at the size and above it, on a %s', (occasion) => {
    const at = (size: number) => sizeRotator.decide({ ...FACTS, occasion, size }, { max: 1000 });
    expect(at(0)).toEqual({ action: 'keep' });
    expect(at(999)).toEqual({ action: 'keep' });
    expect(at(1000)).toEqual({ action: 'rotate', bytes: 1000 });
    expect(at(1e12)).toEqual({ action: 'rotate', bytes: 1000 });
  });

  it('reads its size with a unit, 10 MiB where it is not given', () => {
    expect(v.parse(sizeRotator.options, { max: '2KiB' })).toEqual({ max: 2048 });
    expect(v.parse(sizeRotator.options, {})).toEqual({ max: 10 * 1024 * 1024 });
    expect(v.safeParse(sizeRotator.options, { max: 'big' }).success).toBe(false);
    expect(v.safeParse(sizeRotator.options, { size: 5 }).success).toBe(false);
  });
});
