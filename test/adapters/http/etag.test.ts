import { expect, test } from 'vitest';
import { etagOf, namesTag, taggedResponse } from '../../../adapters/http/etag.ts';

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
  const first = taggedResponse(undefined, '{}', 'application/json');
  expect([first.status, first.headers.get('etag'), await first.text()]).toEqual([200, etag, '{}']);
  const again = taggedResponse(etag, '{}', 'application/json');
  expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
});
