import type { Hono } from 'hono/tiny';
import { beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { REQUEST_LIMIT, STREAM_LIMIT } from '../../../adapters/http/load.ts';
import { SPEC_BODY } from '../../../adapters/http/routes.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { FakeControl } from '../../core/operation/fake_control.ts';
import { smallHost } from './small_host.ts';

let control: FakeControl;
let streams: OpenStreams;
let reported: unknown[];
let app: Hono;

beforeEach(() => {
  control = new FakeControl();
  streams = new OpenStreams();
  reported = [];
  app = createApp(control, { clock: smallHost.clock, streams, report: (error) => reported.push(error) });
});

function get(path: string, headers: Record<string, string> = {}) {
  return app.request(path, { headers });
}

function post(path: string, body: string, headers: Record<string, string> = {}) {
  return app.request(path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

async function codeOf(response: Response): Promise<unknown> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return ((await response.json()) as { code: unknown }).code;
}

describe('paths beside the operations', () => {
  test.each(['/openapi.json', '/docs', '/docs/start.js', '/v1/services', '/v1/services/web', '/v1/events'])(
    '%s is not sent twice',
    async (path) => {
      const first = await get(path);
      expect(first.status).toBe(200);
      const etag = first.headers.get('etag') ?? '';
      expect(etag).toMatch(/^".+"$/);
      expect((await first.text()).length).toBeGreaterThan(10);
      const again = await get(path, { 'if-none-match': etag });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    },
  );

  test('what changes has another tag', async () => {
    const etag = (await get('/v1/services')).headers.get('etag') ?? '';
    control.list = control.list.slice(1);
    expect((await get('/v1/services', { 'if-none-match': etag })).status).toBe(200);
  });

  test.each(['/openapi.json', '/docs', '/docs/start.js', '/metrics', '/readyz'])(
    '%s has a HEAD and no DELETE',
    async (path) => {
      const head = await app.request(path, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      const refused = await app.request(path, { method: 'DELETE' });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    },
  );

  test('the link that is told at the start leads to the page', async () => {
    const response = await get('/');
    expect([response.status, response.headers.get('location')]).toEqual([302, '/docs']);
  });

  test('the document is this interface', async () => {
    const document = (await (await get('/openapi.json')).json()) as { info: object; paths: object };
    expect(document.info).toMatchObject({ title: 'upkeep', version: '0.0.0' });
    expect(document.paths).toHaveProperty(
      ['/v1/services/{name}/restart', 'post', 'operationId'],
      'service.restart',
    );
  });
});

describe('JSON-RPC over HTTP', () => {
  test('calls what HTTP calls', async () => {
    const response = await post(
      '/rpc',
      '{"jsonrpc":"2.0","id":1,"method":"service.restart","params":{"name":"web"}}',
    );
    expect(await response.json()).toMatchObject({ id: 1, result: { service: { name: 'web' } } });
    expect(control.calls).toEqual([['restart', 'web', 'http']]);
  });

  test('a notification is answered by nothing', async () => {
    const response = await post('/rpc', '{"jsonrpc":"2.0","method":"service.stop","params":{"name":"web"}}');
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(control.calls).toEqual([['stop', 'web', 'http']]);
  });

  test('discovers itself', async () => {
    const answer = await (await post('/rpc', '{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}')).json();
    expect(answer).toMatchObject({ result: { openrpc: '1.3.2', info: { version: '0.0.0' } } });
  });

  test('what is no JSON is told in the protocol', async () => {
    for (const body of ['{', '']) {
      const response = await post('/rpc', body);
      expect([response.status, await response.json()]).toMatchObject([200, { error: { code: -32700 } }]);
    }
  });

  test.each([
    ['text', () => post('/rpc', '{}', { 'content-type': 'text/plain' }), 415],
    ['too much', () => post('/rpc', `"${'x'.repeat(SPEC_BODY)}"`), 413],
    ['a GET', () => get('/rpc'), 405],
  ])('%s is a problem', async (_, send, status) => {
    const response = await send();
    expect(response.status).toBe(status);
    await codeOf(response);
  });
});

describe('Idempotency-Key', () => {
  const key = { 'idempotency-key': 'k1' };

  test('a command that is sent twice is carried out once', async () => {
    const first = await post('/v1/services/web/restart', '{}', key);
    const again = await post('/v1/services/web/restart', '{}', key);
    expect(await again.text()).toBe(await first.text());
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([
      null,
      'true',
    ]);
    expect(control.calls).toEqual([['restart', 'web', 'http']]);
  });

  test('another command with it is refused', async () => {
    await post('/v1/services/web/restart', '{}', key);
    const other = await post('/v1/services/api/restart', '{}', key);
    expect([other.status, await codeOf(other)]).toEqual([422, 'idempotency_mismatch']);
    const body = await post('/v1/services/web/restart', '{"wait":true}', key);
    expect([body.status, await codeOf(body)]).toEqual([422, 'idempotency_mismatch']);
    expect(control.calls).toHaveLength(1);
  });

  test('the same while the first is under way is told', async () => {
    let finish = (_: boolean): void => {};
    control.settled = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const first = post('/v1/services/web/restart', '{"wait":true}', key);
    await expect.poll(() => control.calls.length).toBe(1);
    const second = await post('/v1/services/web/restart', '{"wait":true}', key);
    expect([second.status, await codeOf(second)]).toEqual([409, 'idempotency_in_flight']);
    finish(true);
    expect((await first).status).toBe(200);
  });

  test('what was refused may be tried again with it', async () => {
    expect((await post('/v1/services/nope/stop', '{}', key)).status).toBe(404);
    expect((await post('/v1/services/web/stop', '{}', key)).status).toBe(200);
  });

  test('a secret is not kept: whoever wants it twice is refused', async () => {
    const body = '{"name":"deploy","scope":"read"}';
    const refused = await post('/v1/tokens', body, key);
    expect([refused.status, await codeOf(refused)]).toEqual([400, 'invalid_input']);
    expect(control.access.tokens.list()).toEqual([]);
    const made = await post('/v1/tokens', body);
    expect([made.status, made.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const again = await post('/v1/tokens', body);
    expect([again.status, await codeOf(again)]).toEqual([409, 'conflict']);
    expect((await post('/v1/tokens/deploy/revoke', '{}', key)).status).toBe(200);
  });

  test('a query takes no notice of it', async () => {
    expect((await get('/v1/services', key)).headers.get('idempotency-replayed')).toBeNull();
    expect((await get('/v1/jobs', key)).status).toBe(200);
  });
});

describe('what is asked for', () => {
  test.each([
    ['/v1/services', 'text/html', 406],
    ['/v1/services', 'text/html, */*;q=0.1', 200],
    ['/v1/events/stream', 'application/json', 406],
    ['/v1/jobs/job-web/log', 'text/plain', 200],
    ['/v1/jobs/job-web/log', 'application/json', 406],
  ])('%s as %s: %d', async (path, accept, status) => {
    const response = await get(path, { accept });
    expect(response.status).toBe(status);
    if (status === 406) expect(await codeOf(response)).toBe('not_acceptable');
  });

  test('a command that cannot be answered is not carried out', async () => {
    expect((await post('/v1/services/web/stop', '{}', { accept: 'text/html' })).status).toBe(406);
    expect(control.calls).toEqual([]);
  });
});

describe('too much at once', () => {
  test('requests are refused in words, and let in again', async () => {
    const finishers: ((value: boolean) => void)[] = [];
    control.settled = () => new Promise((resolve) => finishers.push(resolve));
    const waiting = Array.from({ length: REQUEST_LIMIT }, () =>
      post('/v1/services/web/start', '{"wait":true}'),
    );
    await expect.poll(() => finishers.length).toBe(REQUEST_LIMIT);
    for (const send of [() => get('/v1/services'), () => post('/rpc', '{}')]) {
      const refused = await send();
      expect([refused.status, refused.headers.get('retry-after'), await codeOf(refused)]).toEqual([
        503,
        '1',
        'too_busy',
      ]);
    }
    // How it is, and the way out, are always there.
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await get(path)).status, path).toBe(200);
    expect((await post('/v1/shutdown', '')).status).toBe(202);
    for (const finish of finishers) finish(true);
    await Promise.all(waiting);
    expect((await get('/v1/services')).status).toBe(200);
  });

  test('so are streams', async () => {
    const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
    for (let n = 0; n < STREAM_LIMIT; n++) {
      const response = await get('/v1/events/stream');
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      readers.push(reader);
      await reader.read();
    }
    expect((await get('/v1/events/stream')).status).toBe(503);
    await readers.pop()?.cancel();
    const after = await get('/v1/events/stream');
    expect(after.status).toBe(200);
    streams.close();
    await Promise.all([...readers.map((reader) => reader.cancel()), after.body?.cancel()]);
  });
});
