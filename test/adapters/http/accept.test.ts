import { expect, test } from 'vitest';
import { accepts } from '../../../adapters/http/accept.ts';

test.each([
  [undefined, true],
  ['', true],
  ['*/*', true],
  ['application/*', true],
  ['application/json', true],
  ['Application/JSON; charset=utf-8', true],
  ['text/html, application/xhtml+xml, */*;q=0.8', true],
  ['text/html', false],
  ['application/xml', false],
  ['application/json;q=0', false],
  ['application/json;q=0, */*', false],
  ['*/*;q=0', false],
  ['application/json;q=x', false],
  ['nonsense', false],
])('%s takes JSON: %s', (header, taken) => {
  expect(accepts(header, ['application/json'])).toBe(taken);
});

test('one of several is enough', () => {
  expect(accepts('text/event-stream', ['text/plain', 'text/event-stream'])).toBe(true);
});
