import { expect, test } from 'vitest';
import { eventStream } from '../../../core/operation/event_stream.ts';
import { FakeControl, fakeEvent } from './fake_control.ts';

type Stream = ReturnType<typeof eventStream>;

async function batch(stream: Stream): Promise<number[]> {
  const { value } = await stream.next();
  return (value ?? []).map(({ seq }) => seq);
}

/** At least so many, as far as there are. */
async function take(stream: Stream, count: number): Promise<number[]> {
  const seqs: number[] = [];
  while (seqs.length < count) {
    const some = await batch(stream);
    if (some.length === 0) break;
    seqs.push(...some);
  }
  return seqs;
}

test('what was missed comes first, then what happens, each once', async () => {
  const control = new FakeControl();
  const stream = eventStream(control, { after: 1 }, new AbortController().signal);
  expect(await take(stream, 2)).toEqual([2, 3]);
  const next = take(stream, 2);
  control.happen(fakeEvent(4));
  control.happen(fakeEvent(5));
  expect(await next).toEqual([4, 5]);
});

test('an event that happens while the missed ones are read is neither lost nor repeated', async () => {
  const control = new FakeControl();
  const stream = eventStream(control, { after: 0 }, new AbortController().signal);
  expect(await batch(stream)).toEqual([1, 2, 3]);
  control.happen(fakeEvent(4));
  expect(await batch(stream)).toEqual([4]);
});

test('what is told only after it was read from the store is not repeated', async () => {
  const control = new FakeControl();
  const stream = eventStream(control, { after: 2 }, new AbortController().signal);
  control.history.push(fakeEvent(4));
  expect(await batch(stream)).toEqual([3, 4]);
  const next = batch(stream);
  for (const listener of control.listeners) listener([fakeEvent(4)]);
  for (const listener of control.listeners) listener([fakeEvent(4), fakeEvent(5)]);
  expect(await next).toEqual([5]);
});

test('what is told together comes together, as the very array where all of it is wanted', async () => {
  const control = new FakeControl();
  const { signal } = new AbortController();
  const all = [eventStream(control, {}, signal), eventStream(control, {}, signal)].map((stream) =>
    stream.next(),
  );
  const some = batch(eventStream(control, { service: 'api' }, signal));
  control.happen(fakeEvent(4), fakeEvent(5, { service: 'api' }), fakeEvent(6));
  const [first, second] = await Promise.all(all);
  expect(first?.value).toHaveLength(3);
  expect(first?.value).toBe(second?.value);
  expect(await some).toEqual([5]);
});

test('without a number it begins now', async () => {
  const control = new FakeControl();
  const stream = eventStream(control, {}, new AbortController().signal);
  const next = take(stream, 1);
  control.happen(fakeEvent(4));
  expect(await next).toEqual([4]);
});

test('only what was asked for comes', async () => {
  const control = new FakeControl();
  const stream = eventStream(control, { service: 'api' }, new AbortController().signal);
  const next = take(stream, 1);
  control.happen(fakeEvent(4));
  control.happen(fakeEvent(5, { service: 'api' }));
  expect(await next).toEqual([5]);
});

test('a listener that is slow gets everything, and little of it waits in memory', async () => {
  const control = new FakeControl();
  const reads: number[] = [];
  const events = control.events.bind(control);
  control.events = (query) => {
    const batch = events(query);
    reads.push(batch.length);
    return batch;
  };
  const stream = eventStream(control, {}, new AbortController().signal);
  const first = take(stream, 1);
  for (let seq = 4; seq < 2004; seq++) control.happen(fakeEvent(seq));
  const sizes: number[] = [];
  const seqs = await first;
  while (seqs.length < 2000) {
    const some = await batch(stream);
    sizes.push(some.length);
    seqs.push(...some);
  }
  expect(seqs).toEqual(Array.from({ length: 2000 }, (_, index) => index + 4));
  expect(Math.max(...reads)).toBeLessThanOrEqual(200);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
  expect(reads.length).toBeGreaterThan(5);
});

test('the signal ends it, and it lets go of the control', async () => {
  const control = new FakeControl();
  const abort = new AbortController();
  const stream = eventStream(control, {}, abort.signal);
  const next = stream.next();
  expect(control.listeners.size).toBe(1);
  abort.abort();
  expect((await next).done).toBe(true);
  expect(control.listeners.size).toBe(0);
});

test('nothing is held by a stream that nobody reads', () => {
  const control = new FakeControl();
  eventStream(control, {}, new AbortController().signal);
  expect(control.listeners.size).toBe(0);
});
