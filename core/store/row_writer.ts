/**
 * What goes into a column, where that is not simply the value.
 */

/**
 * JSON for a column. Evidence is whatever was at hand where something happened, and no value in it may keep the rest
 * from being stored: a bigint becomes text, and so does an object that comes up once more, as in a cycle.
 */
export function encode(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    const seen = new Set<unknown>();
    return JSON.stringify(value, (_key, part) => {
      if (typeof part === 'bigint') return String(part);
      if (typeof part !== 'object' || part === null) return part;
      if (seen.has(part)) return '[seen before]';
      seen.add(part);
      return part;
    });
  }
}

/** Whole ms: the columns of times are INTEGER, and STRICT refuses a fraction. */
export function wholeMs(time: number): number {
  return Math.round(time);
}

/** {@link wholeMs}, where there is a time. */
export function wholeMsOrNull(time: number | null): number | null {
  return time === null ? null : Math.round(time);
}
