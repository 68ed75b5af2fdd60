import { expect, test } from 'vitest';
import { etagOf, namesTag, tagged, taggedJson, taggedResponse } from '../../../adapters/http/etag.ts';

const etag = etagOf('{}');

test('the same bytes have the same tag, and no others', () => {
  expect(etag).toMatch(/^"[\w-]{27}"$/);
  expect(etagOf(Buffer.from('{}'))).toBe(etag);
  expect(etagOf('{ }')).not.toBe(etag);
});

test.each([
  [undefined, false],
  ['', false],
  ['*', true],
  [etag, true],
  [`W/${etag}`, true],
  [`"other", ${etag}`, true],
  ['"other"', false],
  [etag.slice(1, -1), false],
])('If-None-Match %s', (header, named) => {
  expect(namesTag(header, etag)).toBe(named);
});

test('who has it is sent nothing but the tag', async () => {
  const first = taggedResponse(undefined, tagged('{}'), 'application/json');
  expect([first.status, first.headers.get('etag'), await first.text()]).toEqual([200, etag, '{}']);
  const again = taggedResponse(etag, tagged('{}'), 'application/json');
  expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
});

test('what is frozen is written down once, anything else each time', async () => {
  const answer = { items: ['ü'] };
  const before = taggedJson(answer);
  answer.items.push('b');
  const after = taggedJson(answer);
  expect([before.body, after.body]).toEqual(['{"items":["ü"]}', '{"items":["ü","b"]}']);
  expect(after.etag).not.toBe(before.etag);

  Object.freeze(answer);
  const frozen = taggedJson(answer);
  expect(frozen.etag).toBe(after.etag);
  expect(taggedJson(answer)).toBe(frozen);
  expect(taggedJson(Object.freeze({ items: ['c'] })).etag).not.toBe(frozen.etag);
  for (let time = 0; time < 2; time += 1) {
    expect(await taggedResponse(undefined, frozen, 'application/json').text()).toBe('{"items":["ü","b"]}');
  }
});
