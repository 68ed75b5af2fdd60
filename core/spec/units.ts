/**
 * Sizes and durations, as people write them and as programs count them (bytes, ms).
 */

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** How a size is written as text. */
export const SIZE_TEXT = /^(?:\d+B?|\d+(?:\.\d{1,3})?(?:kB|MB|GB|KiB|MiB|GiB))$/;

// Three decimals, as then even a thousandth of a second is whole milliseconds.
/** How a duration is written as text: each unit at most once, the larger before the smaller. */
export const DURATION_TEXT =
  /^(?:0|(?=\d)(?:(\d+(?:\.\d{1,3})?)d)?(?:(\d+(?:\.\d{1,3})?)h)?(?:(\d+(?:\.\d{1,3})?)m(?!s))?(?:(\d+(?:\.\d{1,3})?)s)?(?:(\d+)ms)?)$/;

/** What a size must be, for messages. */
export const SIZE_RULE = 'must be a size such as 10MiB, 500kB or 1GiB, or a whole number of bytes';

/** What a duration must be, for messages. */
export const DURATION_RULE =
  'must be a duration with its unit such as 100ms, 30s, 5m or 1m30s; only 0 needs none';

/** The longest duration that is taken, in ms: a year. */
export const MAX_DURATION = 365 * 86_400_000;

/**
 * Reads a size: `10MiB`, `1.5GiB`, `500kB`, `512B`; a plain number is bytes.
 *
 * @returns bytes.
 * @throws {RangeError} with a message that says what it must be.
 *
 * @example
 * ```ts
 * parseSize('10MiB'); // 10485760
 * parseSize(512); // 512
 * ```
 */
export function parseSize(written: string | number): number {
  const text = String(written);
  if (!SIZE_TEXT.test(text)) throw new RangeError(SIZE_RULE);
  const unit = text.replace(/^[\d.]+/, '');
  const bytes = Math.round(Number.parseFloat(text) * (SIZE_UNITS[unit] ?? 1));
  if (!Number.isSafeInteger(bytes))
    throw new RangeError('must be a size that can be counted: fewer than 2^53 bytes');
  return bytes;
}

/**
 * Reads a duration: `100ms`, `30s`, `1.5h`, `1m30s`. A plain number is refused, as nobody can tell whether it is meant
 * to be seconds or milliseconds; only 0 is the same in both.
 *
 * @returns ms.
 * @throws {RangeError} with a message that says what it must be.
 *
 * @example
 * ```ts
 * parseDuration('1m30s'); // 90000
 * parseDuration(30); // throws
 * ```
 */
export function parseDuration(written: string | number): number {
  const parts = DURATION_TEXT.exec(String(written));
  if (parts === null) throw new RangeError(DURATION_RULE);
  const ms = DURATION_UNITS.reduce((sum, [, size], index) => sum + Number(parts[index + 1] ?? 0) * size, 0);
  if (ms > MAX_DURATION) throw new RangeError('must be 365d or less');
  return Math.round(ms);
}

/**
 * A size for people, in the largest binary unit that it fills, with one decimal at most.
 *
 * @example
 * ```ts
 * formatSize(10_485_760); // '10MiB'
 * formatSize(1600); // '1.6KiB'
 * ```
 */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const size = SIZE_UNITS[unit] ?? 1;
    // 1023.96KiB is 1MiB: rounded to one decimal it would read 1024KiB.
    if (bytes >= size * (1 - 1 / 20_480)) return `${Math.round((bytes / size) * 10) / 10}${unit}`;
  }
  return `${Math.round(bytes)}B`;
}

/**
 * A duration for people: to the millisecond below a minute, else in its two largest units, rounded down.
 *
 * @example
 * ```ts
 * formatDuration(1500); // '1.5s'
 * formatDuration(93_784_000); // '1d2h'
 * ```
 */
export function formatDuration(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return whole === 0 ? '0s' : `${whole}ms`;
  if (whole < 60_000) return `${whole / 1000}s`;
  const largest = DURATION_UNITS.findIndex(([, size]) => whole >= size);
  let rest = whole;
  return DURATION_UNITS.slice(largest, largest + 2)
    .map(([unit, size]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count === 0 ? '' : `${count}${unit}`;
    })
    .join('');
}
