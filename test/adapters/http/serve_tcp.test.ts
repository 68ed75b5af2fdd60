/**
 * The TCP listener with real connections. What the guard decides has a test of its own.
 */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { OWNER } from '../../../adapters/http/caller.ts';
import { LIMITS, type Limits } from '../../../adapters/http/node_server.ts';
import { checkPort, serveTcp, type TcpServer } from '../../../adapters/http/serve_tcp.ts';
import { CannotServe } from '../../../adapters/http/serving.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { FakeControl } from '../../core/operation/fake_control.ts';
import { freePort } from '../../support/sandbox.ts';
import { smallHost } from './small_host.ts';

const QUICK: Limits = { ...LIMITS, header_time: 200, request_time: 400 };

let control: FakeControl;
let streams: OpenStreams;
let server: TcpServer;
let port: number;
let sockets: Socket[];

beforeEach(async () => {
  control = new FakeControl();
  streams = new OpenStreams();
  sockets = [];
  port = await freePort();
  server = await listen({ ...QUICK, connections: 8, connections_at_most: 8 });
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close(0);
});

function listen(limits: Limits = QUICK): Promise<TcpServer> {
  const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
  const { tokens } = control.access;
  return serveTcp(app, { address: '127.0.0.1', port }, { host: smallHost, streams, limits, tokens });
}

function token(name: string, scope: 'read' | 'operate' | 'admin'): string {
  return control.access.tokens.create({ name, scope }).secret;
}

function ask(path: string, secret: string | null, init: RequestInit = {}): Promise<Response> {
  const authorization = secret === null ? {} : { authorization: `Bearer ${secret}` };
  return fetch(server.url + path, { ...init, headers: { ...authorization, ...init.headers } });
}

/** What comes back on a connection of its own until it is closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(answer) : reject(error),
    );
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}

describe('who has a token', () => {
  test('is heard as far as its scope goes, under its name', async () => {
    const reader = token('reader', 'read');
    const operator = token('operator', 'operate');
    expect((await ask('/v1/services', reader)).status).toBe(200);
    const refused = await ask('/v1/services/web/restart', reader, { method: 'POST' });
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'forbidden' }]);
    const headers = { 'upkeep-client': 'cli' };
    expect((await ask('/v1/services/web/restart', operator, { method: 'POST', headers })).status).toBe(200);
    expect((await ask('/v1/audit', operator)).status).toBe(403);
    expect(control.access.audit.list({})).toMatchObject([
      { principal: 'reader', outcome: 'refused' },
      // Only who has the socket is the command line.
      { principal: 'operator', outcome: 'done', actor: 'http' },
    ]);
  });

  test('needs JSON for a body, as on the Unix socket', async () => {
    const secret = token('a', 'operate');
    const init = { method: 'POST', body: '{"wait":true}' };
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { 'content-type': type };
      expect((await ask('/v1/services/web/restart', secret, { ...init, headers })).status).toBe(415);
    }
    expect(control.calls).toEqual([]);
  });

  test('loses what it has open with its token', async () => {
    const secret = token('a', 'read');
    const other = token('b', 'read');
    const [stream, kept] = await Promise.all([
      ask('/v1/events/stream', secret),
      ask('/v1/events/stream', other),
    ]);
    const text = stream.text();
    await expect.poll(() => control.listeners.size).toBe(2);
    control.access.tokens.revoke('a');
    expect(await text).toContain(': listening');
    await expect.poll(() => control.listeners.size).toBe(1);
    expect((await ask('/v1/events/stream', secret)).status).toBe(401);
    await kept.body?.cancel();
  });
});

describe('who has none', () => {
  test.each(['/v1/services', '/healthz', '/readyz', '/nothing', '/metrics', '/mcp', '/docs/../v1/services'])(
    'gets nothing at %s',
    async (path) => {
      const response = await ask(path, null);
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ type: 'urn:upkeep:problem:unauthorized' });
    },
  );

  test.each([
    '/docs/%2e%2e/v1/services',
    '/docs/..%2fv1/services',
    '/docs//../v1/services',
    '//v1/services',
    '/%76%31/services',
    '/v1/services?x=/docs/',
    '/./v1/services',
    'http://127.0.0.1/docs/../v1/services',
    'http://evil.com/v1/services',
  ])('does not get round it by %s', async (target) => {
    const answer = await raw(
      `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 (400|401|404) /);
    expect(answer).not.toContain('next_cursor');
  });

  test('cannot make a browser read anything', async () => {
    const response = await ask('/v1/services', null, {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.com', 'access-control-request-method': 'POST' },
    });
    expect(response.status).toBe(403);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a listener that says nothing of its caller', () => {
  test('is taken for nobody', async () => {
    const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
    const incoming = {} as never;
    expect((await app.request('/v1/services', {}, { incoming })).status).toBe(401);
    expect((await app.request('/v1/services', {}, { incoming, caller: null })).status).toBe(401);
    expect((await app.request('/v1/services', {}, { incoming, caller: OWNER })).status).toBe(200);
  });
});

describe('limits', () => {
  test.each([
    ['nothing', ''],
    ['half a line', 'GET /v1/serv'],
    ['a head without an end', `GET / HTTP/1.1\r\nHost: x\r\nX: `],
  ])('who sends %s is hung up on', async (_, text) => {
    expect(await raw(text)).toMatch(/^$|^HTTP\/1\.1 408 /);
  });

  test('who drips a body is hung up on', async () => {
    const secret = token('a', 'operate');
    const head = [
      'POST /v1/services/web/restart HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${secret}`,
      'Content-Type: application/json',
      'Content-Length: 1000',
    ];
    await raw(`${head.join('\r\n')}\r\n\r\n{`);
    expect(control.calls).toEqual([]);
  });

  test('a head has its limit', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });

  test.each([
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'Transfer-Encoding: xchunked',
    'Content-Length: +5',
    'Content-Length: 5, 6',
    'Content-Length : 5',
  ])('a body whose end can be read in two ways is refused: %j', async (headers) => {
    const secret = token('a', 'operate');
    const smuggled = `POST /v1/services/web/stop HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${secret}\r\n\r\n`;
    const answer = await raw(
      `POST /v1/services/web/start HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${secret}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n0\r\n\r\n${smuggled}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(control.calls).toEqual([]);
  });

  test('connections beyond the most are hung up on, and make room again', async () => {
    const secret = token('a', 'read');
    const held = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
    sockets.push(...held);
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await expect(ask('/v1/services', secret)).rejects.toThrow();
    for (const socket of held) socket.destroy();
    await expect
      .poll(() =>
        ask('/v1/services', secret).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });
});

describe('the port', () => {
  test('that is taken is told before and at the start', async () => {
    const address = { address: '127.0.0.1', port } as const;
    await expect(checkPort(address, { net: nodeHost().net })).rejects.toThrow(/EADDRINUSE/);
    await expect(listen()).rejects.toThrow(CannotServe);
  });

  test('is let go of', async () => {
    await server.close(0);
    await checkPort({ address: '127.0.0.1', port }, { net: nodeHost().net });
    server = await listen();
  });
});
