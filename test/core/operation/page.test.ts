import { expect, test } from 'vitest';
import { invoke } from '../../../core/operation/invoke.ts';
import { page } from '../../../core/operation/page.ts';
import { FakeControl } from './fake_control.ts';

const context = {
  actor: 'cli',
  scope: 'read',
  principal: 'unix',
  signal: new AbortController().signal,
} as const;

test('pages put together are the whole list, each item once', () => {
  const all = ['d', 'b', 'e', 'a', 'c'];
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const part: { items: readonly string[]; next_cursor: string | null } = page(all, (item) => item, {
      limit: 2,
      cursor,
    });
    seen.push(...part.items);
    cursor = part.next_cursor;
  }
  expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('a full last page has no next one', () => {
  expect(page(['a', 'b'], (item) => item, { limit: 2 }).next_cursor).toBeNull();
});

test('an item that has gone since does not stop the next page', () => {
  expect(page(['a', 'd'], (item) => item, { cursor: 'b' }).items).toEqual(['d']);
});

test('runs come newest first, over pages as well', async () => {
  const control = new FakeControl();
  const first = await invoke(control, 'run.list', { limit: 2 }, context);
  expect(first.items.map((run) => run.id)).toEqual(['run-api', 'run-web']);
  const next = await invoke(control, 'run.list', { limit: 2, cursor: first.next_cursor }, context);
  expect(next).toMatchObject({ items: [{ id: 'run-old' }], next_cursor: null });
});

test('events: the newest have no next page, those after a number do', async () => {
  const control = new FakeControl();
  const newest = await invoke(control, 'event.list', { limit: 2 }, context);
  expect(newest).toMatchObject({ items: [{ seq: 2 }, { seq: 3 }], next_cursor: null });
  const after = await invoke(control, 'event.list', { after: 0, limit: 2 }, context);
  expect(after).toMatchObject({ items: [{ seq: 1 }, { seq: 2 }], next_cursor: '2' });
});

test('events: those before a number are paged back to the begin', async () => {
  const control = new FakeControl();
  const pages: (readonly number[])[] = [];
  for (let before: number | null = 4; before !== null; ) {
    const { items, next_cursor }: { items: readonly { seq: number }[]; next_cursor: string | null } =
      await invoke(control, 'event.list', { before, limit: 2 }, context);
    pages.push(items.map(({ seq }) => seq));
    before = next_cursor === null ? null : Number(next_cursor);
  }
  expect(pages).toEqual([[2, 3], [1]]);
  const between = await invoke(control, 'event.list', { after: 1, before: 3 }, context);
  expect(between).toMatchObject({ items: [{ seq: 2 }], next_cursor: null });
});
