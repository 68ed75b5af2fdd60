import { describe, expect, it } from 'vitest';
import { excerpt } from '../../../core/plugin/excerpt.ts';

describe('excerpt', () => {
  it.each([
    ['', ''],
    ['OK', 'OK'],
    ['  OK \r\n\n', 'OK'],
    ['a\nb', 'a b'],
    ['a\0\x07\x1b[31mb', 'a [31mb'],
    ['a\u2028b', 'a b'],
    ['\ufffd\ufffd', ''],
    ['größe 😀', 'größe 😀'],
  ])('makes %j into %j', (text, expected) => {
    expect(excerpt(text)).toBe(expected);
  });

  it('is no longer than it may be', () => {
    expect(excerpt('x'.repeat(200))).toBe('x'.repeat(200));
    expect(excerpt('x'.repeat(201))).toBe(`${'x'.repeat(199)}…`);
    expect(excerpt('abc def', 5)).toBe('abc…');
    expect(excerpt('x'.repeat(1e6))).toHaveLength(200);
  });
});
