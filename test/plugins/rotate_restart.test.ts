import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { restartRotator } from '../../plugins/rotate_restart.ts';

const FACTS = { size: 5000, begun_at: 0, now: 10_000 };

describe('rotation by restart', () => {
  it('sets the log aside at each start, but for an empty one, which is fresh already', () => {
    expect(restartRotator.decide({ ...FACTS, occasion: 'restart' }, {})).toEqual({
      action: 'rotate',
      bytes: 5000,
    });
    expect(restartRotator.decide({ ...FACTS, occasion: 'restart', size: 0 }, {}).action).toBe('keep');
  });

  it('leaves a log in use alone, however large it is', () => {
    expect(restartRotator.decide({ ...FACTS, occasion: 'look', size: 1e15 }, {})).toEqual({ action: 'keep' });
  });

  it('takes no options', () => {
    expect(v.safeParse(restartRotator.options, {}).success).toBe(true);
    expect(v.safeParse(restartRotator.options, { max: 5 }).success).toBe(false);
  });
});
