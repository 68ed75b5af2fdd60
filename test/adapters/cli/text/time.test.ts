import { expect, test } from 'vitest';
import { formatMoment, formatSpan, parseMoment, parseSpan } from '../../../../adapters/cli/text/time.ts';

test.each([
  [-5, '0s'],
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_723_000, '1h2m'],
  [90_000_000, '1d1h'],
])('%i ms is %s', (ms, text) => {
  expect(formatSpan(ms)).toBe(text);
});

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
  ['0s', 0],
  ['0', 0],
  ['30', null],
  ['-1s', null],
  ['1w', null],
  ['s', null],
  ['', null],
  ['1e3s', null],
])('the span %j is %s', (text, ms) => {
  expect(parseSpan(text)).toBe(ms);
});

test.each([
  ['10m', 400_000],
  ['1d', 0],
  ['1970-01-01T00:00:10Z', 10_000],
  ['2026-11-24', Date.UTC(2026, 10, 24)],
  ['1700000000000', 1_700_000_000_000],
  ['2026-13-45', null],
  ['1969-01-01', null],
  ['yesterday', null],
  ['5', null],
])('the moment %j is %s', (text, time) => {
  expect(parseMoment(text, 1_000_000)).toBe(time);
});

test('a moment of another day has its date', () => {
  const noon = new Date(2026, 10, 24, 12, 3, 4).getTime();
  expect(formatMoment(noon, noon + 1000)).toBe('12:03:04');
  expect(formatMoment(noon, noon + 86_400_000)).toBe('2026-11-24 12:03:04');
});
