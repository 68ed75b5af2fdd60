/**
 * Lists come in pages: `{items, next_cursor}`. A cursor is the key of the last item seen, so that a list that
 * changes between two pages neither repeats an item nor leaves one out.
 */
import * as v from 'valibot';
import { described } from './described.ts';

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** What to ask for the rest with; null where nothing is left. */
  readonly next_cursor: string | null;
}

/** Which part of a list. */
export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

/** How many items a page has at most, and where nothing else is asked for. */
export const PAGE_LIMIT = 1000;

/** How many items the caller takes. */
export const limitField = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be 1 or more'),
  v.maxValue(PAGE_LIMIT, `must be ${PAGE_LIMIT} or less`),
  v.description('How many items the answer has at most.'),
);

/** The `next_cursor` of the page before. */
export const cursorField = v.pipe(
  v.string('must be text'),
  v.maxLength(1024, 'must be a cursor of this list'),
  v.description('The `next_cursor` of the page before; the list from its begin without it.'),
);

/** The schema of a list of what `item` describes. */
export function pageSchema<T>(item: v.GenericSchema<T>): v.GenericSchema<Page<T>> {
  return v.object({
    items: described('The items of this page, in order.', v.array(item)),
    next_cursor: described(
      'What to ask for the next page with; null where nothing is left.',
      v.nullable(v.string()),
    ),
  });
}

/**
 * Cuts a page out of a whole list, in the rising order of its keys.
 *
 * @param keyOf unique for each item.
 *
 * @example
 * ```ts
 * page(['b', 'a', 'c'], (name) => name, { limit: 2 }); // { items: ['a', 'b'], next_cursor: 'b' }
 * ```
 */
export function page<T>(all: readonly T[], keyOf: (item: T) => string, query: PageQuery): Page<T> {
  const { cursor, limit = PAGE_LIMIT } = query;
  const left: [string, T][] = [];
  for (const item of all) {
    const key = keyOf(item);
    if (cursor === undefined || key > cursor) left.push([key, item]);
  }
  left.sort(([a], [b]) => (a < b ? -1 : 1));
  const taken = left.slice(0, limit);
  const last = taken.at(-1);
  return {
    items: taken.map(([, item]) => item),
    next_cursor: left.length > limit && last !== undefined ? last[0] : null,
  };
}
