import { expect, test } from 'vitest';
import { eventStream } from '../../../core/operation/event_stream.ts';
import { FakeControl, fakeEvent } from './fake_control.ts';

async function take(stream: AsyncGenerator<{ seq: number }>, count: number): Promise<number[]> {
  const seqs: number[] = [];
  while (seqs.length < count) {
    const { value, done } = await stream.next();
    if (done === true) break;
    seqs.push((value as { seq: number }).seq);
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
  expect(await take(stream, 1)).toEqual([1]);
  control.happen(fakeEvent(4));
  expect(await take(stream, 3)).toEqual([2, 3, 4]);
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
  const seqs = [...(await first), ...(await take(stream, 1999))];
  expect(seqs).toEqual(Array.from({ length: 2000 }, (_, index) => index + 4));
  expect(Math.max(...reads)).toBeLessThanOrEqual(200);
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
