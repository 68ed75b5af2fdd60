/**
 * Whole lists, page by page.
 */
import type { CallName, InputOf, OutputOf } from '../../core/operation/table.ts';
import type { Client } from '../client/client.ts';

/** The operations that answer a page of a list and go on with its cursor. */
type ListName = {
  [N in CallName]: OutputOf<N> extends {
    readonly items: readonly unknown[];
    readonly next_cursor: string | null;
  }
    ? InputOf<N> extends { readonly cursor?: string }
      ? N
      : never
    : never;
}[CallName];

/** An item of a list. */
type ItemOf<N extends ListName> = OutputOf<N>['items'][number];

/**
 * Every item of a list.
 *
 * @example
 * ```ts
 * const services = await everyItem(client, 'service.list', {});
 * ```
 */
export async function everyItem<N extends ListName>(
  client: Client,
  name: N,
  input: Omit<InputOf<N>, 'cursor'>,
): Promise<ItemOf<N>[]> {
  const items: ItemOf<N>[] = [];
  let cursor: string | null = null;
  do {
    const asked = (cursor === null ? input : { ...input, cursor }) as InputOf<N>;
    const page: OutputOf<N> = await client.call(name, asked);
    items.push(...(page.items as ItemOf<N>[]));
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}
