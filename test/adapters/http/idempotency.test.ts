import { beforeEach, expect, test } from 'vitest';
import {
  IDEMPOTENCY_KEYS,
  IDEMPOTENCY_ROOM,
  IDEMPOTENCY_TIME,
  IdempotencyKeys,
} from '../../../adapters/http/idempotency.ts';

let now: number;
let keys: IdempotencyKeys;
let done: number;

beforeEach(() => {
  now = 1_000_000;
  keys = new IdempotencyKeys(() => now);
  done = 0;
});

async function carryOut() {
  done++;
  return { status: 200, body: `answer ${done}` };
}

const restart = ['service.restart', { name: 'web' }];

test('the same command with the same key is carried out once', async () => {
  const first = await keys.run('http', 'k', restart, carryOut);
  const again = await keys.run('http', 'k', restart, carryOut);
  expect([first.replayed, again.replayed, done]).toEqual([false, true, 1]);
  expect(again.answer).toEqual(first.answer);
});

test('another command with the same key is refused, and keeps what is there', async () => {
  await keys.run('http', 'k', restart, carryOut);
  const other = keys.run('http', 'k', ['service.stop', { name: 'web' }], carryOut);
  await expect(other).rejects.toMatchObject({ problem: { code: 'idempotency_mismatch', status: 422 } });
  expect((await keys.run('http', 'k', restart, carryOut)).replayed).toBe(true);
  expect(done).toBe(1);
});

test('two callers may have the same key', async () => {
  await keys.run('http', 'k', restart, carryOut);
  expect((await keys.run('cli', 'k', restart, carryOut)).replayed).toBe(false);
  expect(done).toBe(2);
});

test('while it is under way nobody else does it', async () => {
  let finish = (): void => {};
  const first = keys.run('http', 'k', restart, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return carryOut();
  });
  const second = keys.run('http', 'k', restart, carryOut);
  await expect(second).rejects.toMatchObject({ problem: { code: 'idempotency_in_flight', status: 409 } });
  finish();
  await first;
  expect((await keys.run('http', 'k', restart, carryOut)).replayed).toBe(true);
  expect(done).toBe(1);
});

test('what fails leaves the key free', async () => {
  const failure = new Error('no');
  await expect(keys.run('http', 'k', restart, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(keys.size).toBe(0);
  expect((await keys.run('http', 'k', restart, carryOut)).replayed).toBe(false);
});

test('a key lasts a day', async () => {
  await keys.run('http', 'k', restart, carryOut);
  now += IDEMPOTENCY_TIME;
  expect((await keys.run('http', 'k', restart, carryOut)).replayed).toBe(true);
  now += 1;
  expect((await keys.run('http', 'k', restart, carryOut)).replayed).toBe(false);
});

test('the oldest go when there are too many', async () => {
  for (let n = 0; n < IDEMPOTENCY_KEYS + 5; n++) await keys.run('http', `k${n}`, restart, carryOut);
  expect(keys.size).toBe(IDEMPOTENCY_KEYS);
  expect((await keys.run('http', `k${IDEMPOTENCY_KEYS + 4}`, restart, carryOut)).replayed).toBe(true);
  expect((await keys.run('http', 'k4', restart, carryOut)).replayed).toBe(false);
});

test('the oldest go when their answers are too long', async () => {
  const long = { status: 200, body: 'x'.repeat(IDEMPOTENCY_ROOM / 4) };
  for (let n = 0; n < 20; n++) await keys.run('http', `k${n}`, restart, async () => long);
  expect(keys.size).toBe(4);
  expect((await keys.run('http', 'k19', restart, carryOut)).replayed).toBe(true);
});

test('one under way stays, however many come after it', async () => {
  let finish = (): void => {};
  const first = keys.run('http', 'old', restart, async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return carryOut();
  });
  for (let n = 0; n < IDEMPOTENCY_KEYS + 5; n++) await keys.run('http', `k${n}`, restart, carryOut);
  await expect(keys.run('http', 'old', restart, carryOut)).rejects.toMatchObject({
    problem: { code: 'idempotency_in_flight' },
  });
  finish();
  await first;
  expect(keys.size).toBeLessThanOrEqual(IDEMPOTENCY_KEYS);
});

test.each(['', 'a b', 'ü', 'x'.repeat(256), 'a\n'])('%j is no key', async (key) => {
  await expect(keys.run('http', key, restart, carryOut)).rejects.toMatchObject({
    problem: { code: 'invalid_input' },
  });
  expect(done).toBe(0);
});
