import { expect, test } from 'vitest';
import { invoke } from '../../../core/operation/invoke.ts';
import { FakeControl } from './fake_control.ts';

const context = {
  actor: 'cli',
  scope: 'read',
  principal: 'unix',
  signal: new AbortController().signal,
} as const;

test('a frozen list has one first page, frozen as well', async () => {
  const control = new FakeControl();
  Object.freeze(control.list);
  const first = await invoke(control, 'service.list', {}, context);
  expect(Object.isFrozen(first)).toBe(true);
  expect(first.items.map(({ name }) => name)).toEqual(control.list.map(({ name }) => name).sort());
  expect(await invoke(control, 'service.list', {}, context)).toBe(first);
});

test('any other page is cut anew, and so is every page of a list that may change', async () => {
  const control = new FakeControl();
  const one = await invoke(control, 'service.list', { limit: 1 }, context);
  const before = await invoke(control, 'service.list', {}, context);
  expect(Object.isFrozen(before)).toBe(false);
  control.list.pop();
  const after = await invoke(control, 'service.list', {}, context);
  expect(after.items).toHaveLength(before.items.length - 1);

  Object.freeze(control.list);
  const whole = await invoke(control, 'service.list', {}, context);
  expect(whole.items).toEqual(after.items);
  expect((await invoke(control, 'service.list', { limit: 1 }, context)).items).toEqual(one.items);
  const rest = await invoke(control, 'service.list', { cursor: one.next_cursor ?? '' }, context);
  expect(rest.items).toEqual(whole.items.slice(1));
});
