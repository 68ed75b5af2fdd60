import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { allowance, askRotators } from '../../../core/log/rotation_rule.ts';
import type { LogFacts, LogRotator } from '../../../core/plugin/log_rotator.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { jobWith } from './support.ts';

const FACTS: LogFacts = { occasion: 'look', size: 5000, begun_at: 0, now: 10_000 };

const aged: LogRotator = {
  name: 'aged',
  summary: 'for this test',
  options: v.strictObject({}),
  by_default: false,
  decide: ({ now, begun_at, size }) =>
    now - begun_at > 5000 ? { action: 'rotate', bytes: size } : { action: 'keep' },
};

describe('the size of a segment', () => {
  it.each([
    ['no rotator', [], null],
    ['one that is content', [{ type: 'size', max: 9000 }], null],
    ['one that is not', [{ type: 'size', max: 4000 }], 4000],
    [
      'the least of several',
      [{ type: 'size', max: 4000 }, { type: 'size', max: 3000 }, { type: 'aged' }],
      3000,
    ],
    ['one that nobody knows', [{ type: 'colour' }], null],
    ['restart, while in use', [{ type: 'restart' }], null],
  ])('%s', (_, rotate, expected) => {
    const policy = jobWith({ rotate }).policy;
    const wish = askRotators([...builtInPlugins.rotators, aged], policy, FACTS, () => {});
    expect(wish.segment).toBe(expected);
  });
});

describe('a rotator that throws', () => {
  it('has no say, and the others do', () => {
    const broken: LogRotator = {
      ...aged,
      name: 'broken',
      decide: () => {
        throw new Error('no');
      },
    };
    const { policy } = jobWith({ rotate: [{ type: 'broken' }, { type: 'size', max: 4000 }] });
    const failed: string[] = [];
    const wish = askRotators([...builtInPlugins.rotators, broken], policy, FACTS, (type) =>
      failed.push(type),
    );
    expect(wish.segment).toBe(4000);
    expect(failed).toEqual(['broken']);
    expect(allowance([...builtInPlugins.rotators, broken], policy, 0)).toBe(4000);
  });
});

describe('what may be written between two looks', () => {
  it.each([
    ['a quarter of everything', [{ type: 'restart' }], 1000],
    ['one segment', [{ type: 'size', max: 300 }], 300],
    ['whichever is less', [{ type: 'size', max: 3000 }], 1000],
  ])('%s', (_, rotate, expected) => {
    expect(allowance(builtInPlugins.rotators, jobWith({ rotate, max_total: 4000 }).policy, 0)).toBe(expected);
  });
});
