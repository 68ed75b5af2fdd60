import { describe, expect, it } from 'vitest';
import {
  DURATION_RULE,
  formatDuration,
  formatSize,
  MAX_DURATION,
  parseDuration,
  parseSize,
  SIZE_RULE,
} from '../../../core/spec/units.ts';

describe('parseSize', () => {
  it.each([
    [0, 0],
    [512, 512],
    ['512', 512],
    ['512B', 512],
    ['500kB', 500_000],
    ['2MB', 2_000_000],
    ['3GB', 3_000_000_000],
    ['1KiB', 1024],
    ['10MiB', 10_485_760],
    ['1GiB', 1_073_741_824],
    ['1.5GiB', 1_610_612_736],
    ['0.001kB', 1],
  ])('reads %j as %i bytes', (written, bytes) => {
    expect(parseSize(written)).toBe(bytes);
  });

  it.each([
    '',
    ' ',
    '10 MiB',
    '10mib',
    '10KB',
    '10M',
    '1.5',
    '1.5B',
    '-1',
    '1e3',
    '1.2345MiB',
    'MiB',
    '.5MiB',
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ])('refuses %j', (written) => {
    expect(() => parseSize(written)).toThrow(new RangeError(SIZE_RULE));
  });

  it('refuses what cannot be counted', () => {
    expect(() => parseSize('99999999GiB')).toThrow('2^53');
  });
});

describe('parseDuration', () => {
  it.each([
    [0, 0],
    ['0', 0],
    ['0s', 0],
    ['100ms', 100],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1m30s', 90_000],
    ['1d2h3m4s5ms', 93_784_005],
    ['1m500ms', 60_500],
    ['0.5s', 500],
    ['1.1s', 1100],
    ['1.5h', 5_400_000],
    ['0.001s', 1],
    ['365d', MAX_DURATION],
  ])('reads %j as %i ms', (written, ms) => {
    expect(parseDuration(written)).toBe(ms);
  });

  it.each([
    '',
    '30',
    '1 s',
    '1s 30ms',
    '30s1m',
    '1s1s',
    's',
    'ms',
    '-1s',
    '1.5ms',
    '0.0001s',
    '1w',
    '1M',
    '1S',
    '1e3s',
    30,
    1.5,
    -1,
    Number.NaN,
  ])('refuses %j', (written) => {
    expect(() => parseDuration(written)).toThrow(new RangeError(DURATION_RULE));
  });

  it('refuses more than a year', () => {
    expect(() => parseDuration('365d1ms')).toThrow('365d or less');
    expect(() => parseDuration('99999999999999999999d')).toThrow('365d or less');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ms'],
    [999, '999ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [1234, '1.234s'],
    [59_999, '59.999s'],
    [59_999.7, '1m'],
    [60_000, '1m'],
    [90_999, '1m30s'],
    [3_600_000, '1h'],
    [3_660_000, '1h1m'],
    [3_601_000, '1h'],
    [93_784_005, '1d2h'],
    [86_400_000 * 365, '365d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read back as it was where nothing was rounded', () => {
    for (let ms = 0; ms < 60_000; ms += 7) expect(parseDuration(formatDuration(ms))).toBe(ms);
    for (let seconds = 60; seconds < 3600; seconds++)
      expect(parseDuration(formatDuration(seconds * 1000))).toBe(seconds * 1000);
  });

  it('is never more than it was, and at most one smaller unit less', () => {
    for (let ms = 60_000; ms < 3 * 86_400_000; ms = Math.ceil(ms * 1.037)) {
      const read = parseDuration(formatDuration(ms));
      expect(read).toBeLessThanOrEqual(ms);
      expect(ms - read).toBeLessThan(ms >= 86_400_000 ? 3_600_000 : 60_000);
    }
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1KiB'],
    [1600, '1.6KiB'],
    [1_047_552, '1023KiB'],
    [1_048_575, '1MiB'],
    [10_485_760, '10MiB'],
    [1_073_741_824, '1GiB'],
    [1_099_511_627_776, '1024GiB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('is read back within a twentieth, and never as 1024 of a unit', () => {
    for (let bytes = 1; bytes < 1e12; bytes = Math.ceil(bytes * 1.01)) {
      const text = formatSize(bytes);
      expect(Math.abs(parseSize(text) / bytes - 1)).toBeLessThan(0.05);
      expect(text).not.toMatch(/^1024(?:B|KiB|MiB)/);
    }
  });
});
