/**
 * Pages of the protocol's own lists.
 */
import { type Face, INVALID_PARAMS, ProtocolError } from './face.ts';

/** How many items a page has. */
export const PAGE_SIZE = 100;

/**
 * A page of a list; the cursor is the URI of the last item that was seen, so that a list that changes meanwhile leads
 * nobody astray.
 *
 * @throws {@link ProtocolError} for a cursor that is none.
 */
export function pageOf<T extends Awaited<ReturnType<Face['resources']>>[number]>(
  all: readonly T[],
  cursor: string | undefined,
): { readonly items: readonly T[]; readonly nextCursor: string | null } {
  const start = cursor === undefined ? 0 : all.findIndex(({ uri }) => uri === seen(cursor)) + 1;
  if (cursor !== undefined && start === 0) {
    throw new ProtocolError(INVALID_PARAMS, 'the cursor is none of this list any more; begin without one');
  }
  const items = all.slice(start, start + PAGE_SIZE);
  const last = items.at(-1);
  return {
    items,
    nextCursor:
      last !== undefined && start + PAGE_SIZE < all.length
        ? Buffer.from(last.uri).toString('base64url')
        : null,
  };
}

function seen(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8');
}
