import { describe, expect, it } from 'vitest';
import { readDocument } from '../../../core/spec/document.ts';
import { DEEPEST, isTooDeep } from '../../../core/spec/nesting.ts';

/** A text that is nested so many levels deep. */
const brackets = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

function nested(levels: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

describe('isTooDeep', () => {
  it.each([
    [0, false],
    [1, false],
    [DEEPEST, false],
    [DEEPEST + 1, true],
    [200_000, true],
  ])('is told of %i levels: %s', (levels, is) => {
    expect(isTooDeep(nested(levels))).toBe(is);
  });

  it('is told of what holds itself', () => {
    const ring: unknown[] = [];
    ring.push(ring);
    expect(isTooDeep(ring)).toBe(true);
  });

  it('does not count what stands side by side', () => {
    expect(isTooDeep(Array.from({ length: 100_000 }, () => ({ a: [1] })))).toBe(false);
  });
});

describe('a service file that is nested without end', () => {
  it.each([
    ['in brackets', `services: ${brackets(100_000)}`],
    ['as JSON', `{"services": ${brackets(100_000)}}`],
    ['as lists in one line', `services:\n  ${'- '.repeat(100_000)}x`],
    ['as keys', `services: ${'{a: '.repeat(10_000)}x${'}'.repeat(10_000)}`],
    ['as a key', `? ${brackets(10_000)}\n: x`],
    [
      'by aliases',
      `services: {}\nx0: &x0 [1]\n${Array.from({ length: 200 }, (_, n) => `x${n + 1}: &x${n + 1} [*x${n}]`).join('\n')}`,
    ],
    ['in itself', 'services: &all\n  web: *all'],
  ])('is refused: %s', (_, text) => {
    const { data, faults } = readDocument(text);
    expect(data).toBeUndefined();
    expect(faults.map(({ message }) => message).join()).toMatch(/nested too deeply/);
  });
});
