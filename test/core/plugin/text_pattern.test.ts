import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  findPattern,
  hasPattern,
  matchingTexts,
  PatternTooSlow,
  patternFault,
  patternField,
  patternText,
} from '../../../core/plugin/text_pattern.ts';

describe('a pattern', () => {
  it.each<[string, string, boolean]>([
    ['ready', 'now ready', true],
    ['ready', 'Ready', false],
    ['a.c', 'abc', false],
    ['a.c', 'a.c', true],
    ['/a.c/', 'abc', true],
    ['/^READY$/i', 'ready', true],
    ['/^b/', 'a\nb', false],
    ['/^b/m', 'a\nb', true],
    ['/a.b/', 'a\nb', false],
    ['/a.b/s', 'a\nb', true],
    ['/^.$/u', '😀', true],
    ['/a\nb/', 'a\nb', true],
    // None of these is a regex: no end, a flag that there is not, nothing in it.
    ['/path', 'a /path', true],
    ['/usr/bin', 'in /usr/bin here', true],
    ['//', 'http://', true],
    ['/a/b/', 'xa/b', true],
  ])('%j in %j: %s', (pattern, text, found) => {
    expect(v.parse(patternField, pattern)).toBe(pattern);
    expect(hasPattern(pattern, text)).toBe(found);
    expect(findPattern(pattern, ['', text, text])).toBe(found ? 1 : -1);
  });

  it.each(['', '/(/', '/a/ii', '/[/', '/(?<a>.)(?<a>.)/', 5, null, true])('is not %j', (pattern) => {
    expect(v.safeParse(patternField, pattern).success).toBe(false);
  });

  it('says what is wrong with a regex', () => {
    const [issue] = v.safeParse(patternField, '/(/').issues ?? [];
    expect(issue?.message).toBe('must be text or a regular expression: /(/: Unterminated group');
  });

  it('looks in nothing', () => {
    expect(findPattern('a', [])).toBe(-1);
    expect(findPattern('/a/', [])).toBe(-1);
  });

  it('gives up on a regex that would take for ever, and is as good as before then', () => {
    const endless = `${'a'.repeat(60)}!`;
    expect(() => hasPattern('/(a+)+$/', endless)).toThrow(
      'Cannot look for /(a+)+$/ as it must take less than',
    );
    expect(() => findPattern('/(a+)+$/', Array(100).fill(endless))).toThrow('Cannot look for');
    expect(hasPattern('/(a+)+$/', 'aaa')).toBe(true);
  });

  it('is found in each text that has it', () => {
    // The time counts whoever has the processor: a loaded machine needs more than this takes.
    expect(matchingTexts('a', ['a', 'b', 'ba'], 60_000)).toEqual([0, 2]);
    expect(matchingTexts('/^A/i', ['a', 'b', 'ba'], 60_000)).toEqual([0]);
    expect(matchingTexts('/x/', [], 60_000)).toEqual([]);
    const endless = `${'a'.repeat(60)}!`;
    expect(() => matchingTexts('/(a+)+$/', ['b', endless], 10)).toThrow(PatternTooSlow);
  });

  it('is told what is wrong with it', () => {
    expect(patternFault('a')).toBeNull();
    expect(patternFault('/a/i')).toBeNull();
    expect(patternFault('')).toContain('not empty');
    expect(patternFault('/(/')).toContain('Unterminated group');
  });

  it('is shown in quotes, unless it is a regex', () => {
    expect(patternText('a "b"')).toBe('"a \\"b\\""');
    expect(patternText('/a/i')).toBe('/a/i');
  });
});
