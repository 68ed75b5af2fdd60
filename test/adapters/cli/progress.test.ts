import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startTelling, whileTelling } from '../../../adapters/cli/progress.ts';
import { MemoryIo } from './memory_io.ts';

let io: MemoryIo;
let waits: (string | null)[];

beforeEach(() => {
  vi.useFakeTimers();
  io = new MemoryIo('/');
  waits = [];
});
afterEach(() => {
  vi.useRealTimers();
});

/** The next thing that is waited for; the last one for ever. */
async function describeWait(): Promise<string | null> {
  return (waits.length > 1 ? waits.shift() : waits[0]) ?? null;
}

test('elsewhere than on a terminal, each change is one line', async () => {
  waits = ['web is starting', 'web is starting', 'web is\nretrying', null, 'web is starting'];
  const telling = startTelling(io, describeWait);
  await vi.advanceTimersByTimeAsync(10_000);
  telling.end();
  expect(io.stderr).toBe('web is starting\nweb is retrying\nweb is starting\n');
  expect(io.shown).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(vi.getTimerCount()).toBe(0);
});

test('on a terminal it stands in place with the time, cut to its width, and is taken away', async () => {
  io.live = 24;
  waits = ['web is starting', 'web is retrying: it exited'];
  const telling = startTelling(io, describeWait);
  await vi.advanceTimersByTimeAsync(2_600);
  telling.end();
  expect(io.shown).toEqual([
    '… 0s  web is starting',
    '… 1s  web is retrying:…',
    '… 2s  web is retrying:…',
    '',
  ]);
  expect(io.stderr).toBe('');
});

test('a short wait, and one in silence, are passed over', async () => {
  waits = ['web is starting'];
  const work = () => new Promise<number>((resolve) => setTimeout(() => resolve(7), 400));
  const short = whileTelling(io, false, describeWait, work);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await short).toBe(7);
  const long = () => new Promise<number>((resolve) => setTimeout(() => resolve(8), 5_000));
  const silent = whileTelling(io, true, describeWait, long);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await silent).toBe(8);
  expect(io.stderr).toBe('');
});

test('what is not known is not told, and work that fails ends it too', async () => {
  const unknown = async (): Promise<string> => {
    throw new Error('gone');
  };
  const failing = whileTelling(io, false, unknown, async () => {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    throw new Error('failed');
  });
  const outcome = expect(failing).rejects.toThrow('failed');
  await vi.advanceTimersByTimeAsync(10_000);
  await outcome;
  expect(io.stderr).toBe('');
  expect(vi.getTimerCount()).toBe(0);
});
