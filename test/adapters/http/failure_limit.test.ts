import { expect, test } from 'vitest';
import { FAILURES, FailureLimit } from '../../../adapters/http/failure_limit.ts';

test('lets a burst through, then one for each second that goes by', () => {
  const limit = new FailureLimit();
  let now = 5_000;
  for (let i = 0; i < FAILURES.burst; i++) expect(limit.failed(now)).toBe(0);
  expect(limit.failed(now)).toBe(1000);
  now += 400;
  expect(limit.failed(now)).toBe(600);
  now += 600;
  expect(limit.failed(now)).toBe(0);
  expect(limit.failed(now)).toBe(1000);
});

test('is never fuller than full', () => {
  const limit = new FailureLimit();
  limit.failed(0);
  for (let i = 0; i < FAILURES.burst; i++) expect(limit.failed(1e9)).toBe(0);
  expect(limit.failed(1e9)).toBeGreaterThan(0);
});
