import { expect, test } from 'vitest';
import { cutTo, displayWidth, padTo, wrapTo } from '../../../../adapters/cli/text/width.ts';

test.each([
  ['', 0],
  ['web', 3],
  ['→ größer…', 9],
  ['日本語', 6],
  ['한국', 4],
  ['ﾊﾝｶｸ', 4],
  ['Ａ', 2],
  ['e\u0301', 1],
  ['🚀', 2],
  ['👩‍👩‍👧', 2],
  ['🇩🇪', 2],
  ['❤️', 2],
  ['a\u200bb', 2],
  ['𠮷', 2],
])('%j takes %i columns', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test.each([
  ['exited with code 3', 30, 'exited with code 3'],
  ['exited with code 3', 8, 'exited …'],
  ['abc', 3, 'abc'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
  ['日本語', 6, '日本語'],
  // Half a character cannot be shown.
  ['日本語', 5, '日本…'],
  ['日本語', 4, '日…'],
  ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
])('%j cut to %i columns', (text, width, cut) => {
  expect(cutTo(text, width)).toBe(cut);
  expect(displayWidth(cut)).toBeLessThanOrEqual(width);
});

test('is filled up by its width, not its length', () => {
  expect(padTo('日本', 6)).toBe('日本  ');
  expect(padTo('7', 3, 'start')).toBe('  7');
  expect(padTo('long', 2)).toBe('long');
});

test.each([
  ['  next: stop the holder', 14, '  next: stop\n    the holder'],
  ['short', 14, 'short'],
  ['one  two three', 9, 'one  two\n  three'],
  ['/a/word/that/is/longer rest', 10, '/a/word/that/is/longer\n  rest'],
  ['\u001b[1mbold\u001b[0m words', 10, '\u001b[1mbold\u001b[0m words'],
  ['日本 日本 日本', 9, '日本 日本\n  日本'],
])('%j wrapped to %i columns', (line, width, wrapped) => {
  expect(wrapTo(line, width)).toBe(wrapped);
  expect(wrapTo(line, null)).toBe(line);
});
