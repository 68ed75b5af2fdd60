/**
 * Answers that fit into a model's attention: bounded in size, whatever a service has put into its command line or log.
 */

/** The largest structured answer, in characters of JSON. */
export const ANSWER_LIMIT = 60_000;

/** The largest text beside it, in characters. */
export const TEXT_LIMIT = 12_000;

/** How long a string and a list may be, from one try to the next. */
const STEPS: readonly (readonly [string: number, list: number])[] = [
  [8000, 1000],
  [2000, 1000],
  [500, 1000],
  [300, 1000],
  [200, 200],
  [80, 50],
  [40, 10],
  [20, 4],
];

/** What was made to bounded, and whether anything had to be left out for it. */
export interface Fitted<T> {
  readonly value: T;
  readonly shortened: boolean;
}

/**
 * Shortens strings and lists in a JSON value, the longest first, until it fits. Its form stays what it was: whatever
 * schema without bounds it had, it has.
 *
 * @param limit characters of JSON.
 *
 * @example
 * ```ts
 * bounded({ text: 'x'.repeat(9000) }, 5000); // { value: { text: 'xxx… (7000 more characters)' }, shortened: true }
 * ```
 */
export function bounded<T>(value: T, limit = ANSWER_LIMIT): Fitted<T> {
  if (JSON.stringify(value).length <= limit) return { value, shortened: false };
  let cut = value;
  for (const [string, list] of STEPS) {
    cut = shortened(value, string, list) as T;
    if (JSON.stringify(cut).length <= limit) break;
  }
  return { value: cut, shortened: true };
}

function shortened(value: unknown, string: number, list: number): unknown {
  if (typeof value === 'string') return clip(value, string);
  if (Array.isArray(value)) return value.slice(0, list).map((item) => shortened(item, string, list));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shortened(item, string, list)]));
}

/** The first `limit` characters of a text, and how many more there are. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}

/**
 * The items of a list that bounded, from its begin or from its end.
 *
 * @param limit characters of JSON.
 * @returns at least one item, where there is one.
 */
export function fitting<T>(items: readonly T[], keep: 'first' | 'last', limit: number): readonly T[] {
  const order = keep === 'first' ? items : items.toReversed();
  let size = 0;
  const end = order.findIndex((item, index) => {
    size += JSON.stringify(item).length + 1;
    return index > 0 && size > limit;
  });
  const kept = end < 0 ? order : order.slice(0, end);
  return keep === 'first' ? kept : kept.toReversed();
}
