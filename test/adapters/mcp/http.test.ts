import * as fs from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitRequestSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { serveUnix } from '../../../adapters/http/serve_unix.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { McpHttp, type McpHttpOptions } from '../../../adapters/mcp/http.ts';
import { localPort } from '../../../adapters/mcp/port.ts';
import { upkeepFace } from '../../../adapters/mcp/upkeep_face.ts';
import { FakeControl, fakeEvent } from '../../core/operation/fake_control.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { smallHost } from '../http/small_host.ts';
import { eventually, textOf } from './connected.ts';

let control: FakeControl;
let ends: (() => Promise<void> | void)[];

beforeEach(() => {
  control = new FakeControl();
  ends = [];
});

afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

/** A server on a port of the loopback, and the URL of its `/mcp`. */
async function serve(options: Partial<McpHttpOptions> = {}): Promise<{ url: URL; http: McpHttp }> {
  const streams = new OpenStreams();
  const http = new McpHttp({ version: '1', clock: smallHost.clock, streams, report: () => {}, ...options });
  const face = upkeepFace(localPort(control, { scope: 'admin', principal: 'unix' }));
  const server = createServer(
    getRequestListener((request) =>
      http.handle(request, { face, key: request.headers.get('authorization') ?? 'owner' }),
    ),
  );
  // Client and server share a process here: it may be busy for longer than a connection is kept that nobody uses.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    http.close();
    streams.close();
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as { port: number };
  return { url: new URL(`http://127.0.0.1:${port}/mcp`), http };
}

async function connect(
  url: URL,
  capabilities: ConstructorParameters<typeof Client>[1] = {},
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const client = new Client({ name: 'tester', version: '1' }, capabilities);
  const transport = new StreamableHTTPClientTransport(url);
  // The SDK's class and its own interface differ under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  ends.push(() => client.close());
  return { client, transport };
}

function post(url: URL, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function initialize(capabilities: object = {}): object {
  return {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'raw', version: '1' } },
  };
}

describe('without a session', () => {
  test('every request stands for itself', async () => {
    const { url, http } = await serve();
    const { client, transport } = await connect(url);
    expect(transport.sessionId).toBeUndefined();
    expect(client.getServerCapabilities()?.resources).toEqual({});
    expect((await client.listTools()).tools.length).toBeGreaterThan(5);
    const result = await client.callTool({ name: 'restart', arguments: { name: 'web', confirm: true } });
    expect(textOf(result)).toContain('web is up');
    // There was no introduction: it is called after its user agent.
    expect(control.calls[0]).toEqual(['restart', 'web', 'mcp:node']);
    expect(http.sessions).toBe(0);
    // No initialization is needed either, which is what lets a client outlive a restart of upkeep.
    const response = await post(url, { jsonrpc: '2.0', id: 7, method: 'tools/list' });
    expect(await response.text()).toContain('"id":7');
  });

  test('progress is told on the way; whoever hangs up is waited for no longer', async () => {
    const { url } = await serve();
    const { client } = await connect(url);
    control.settled = () => new Promise(() => {});
    const told: unknown[] = [];
    const abort = new AbortController();
    const call = client.callTool({ name: 'start', arguments: { name: 'web' } }, undefined, {
      onprogress: (progress) => told.push(progress),
      signal: abort.signal,
    });
    await eventually(() => control.listeners.size).toBe(1);
    control.happen(fakeEvent(4));
    await eventually(() => told.length).toBe(1);
    abort.abort('enough');
    await expect(call).rejects.toThrow('enough');
    await client.close();
    await eventually(() => control.listeners.size).toBe(0);
  });

  test.each(['GET', 'DELETE', 'PUT'])('%s is not for those', async (method) => {
    const { url } = await serve();
    const response = await fetch(url, { method, headers: { accept: 'text/event-stream' } });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  test.each([
    ['{', 400, -32700],
    ['[]', 400, null],
    ['"x"', 400, -32700],
    ['{"jsonrpc":"2.0"}', 400, -32700],
    ['null', 400, -32700],
  ])('%s is no message', async (body, status, code) => {
    const { url, http } = await serve();
    const response = await post(url, body);
    if (code !== null) {
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ error: { code } });
    } else {
      expect(response.status).toBeLessThan(500);
    }
    expect(http.sessions).toBe(0);
  });

  test('what is no JSON by its type, and who takes no stream, is refused', async () => {
    const { url } = await serve();
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect((await post(url, list, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(url, list, { accept: 'application/json' })).status).toBe(406);
    expect((await post(url, list, { 'mcp-protocol-version': '1999-01-01' })).status).toBe(400);
  });
});

describe('with a session', () => {
  test('a client that can be asked gets one; the user is asked; DELETE ends it', async () => {
    const { url, http } = await serve();
    const { client, transport } = await connect(url, { capabilities: { elicitation: {} } });
    expect(transport.sessionId).toMatch(/^[\w-]{36}$/);
    const asked: string[] = [];
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: { proceed: true } };
    });
    await client.callTool({ name: 'stop', arguments: { name: 'web', confirm: true } });
    expect(asked).toEqual(["tester wants to stop 'web'. Shall upkeep do it?"]);
    expect(control.calls[0]).toEqual(['stop', 'web', 'mcp:tester']);
    expect(http.sessions).toBe(1);
    const id = transport.sessionId ?? '';
    await transport.terminateSession();
    expect(http.sessions).toBe(0);
    const after = await post(url, { jsonrpc: '2.0', id: 2, method: 'tools/list' }, { 'mcp-session-id': id });
    expect(after.status).toBe(404);
    expect(await after.json()).toMatchObject({ error: { code: -32001 } });
  });

  test('?session gets one, with subscriptions; nothing is left of it', async () => {
    const { url, http } = await serve();
    url.search = '?session';
    const { client, transport } = await connect(url);
    expect(client.getServerCapabilities()?.resources).toEqual({ subscribe: true, listChanged: true });
    expect(client.getServerCapabilities()?.tools).toEqual({ listChanged: false });
    const updated: string[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      updated.push(params.uri);
    });
    await client.subscribeResource({ uri: 'upkeep://services/web' });
    control.happen(fakeEvent(4));
    await eventually(() => updated).toEqual(['upkeep://services/web']);
    await transport.terminateSession();
    await eventually(() => control.listeners.size).toBe(0);
    expect(http.sessions).toBe(0);
  });

  test('whoever has listed the resources is told where there are others, and only then', async () => {
    const clock = new FakeClock();
    const { url } = await serve({ clock });
    url.search = '?session';
    const { client, transport } = await connect(url);
    let changes = 0;
    client.setNotificationHandler(ResourceListChangedNotificationSchema, () => {
      changes += 1;
    });
    expect(control.listeners.size).toBe(0);
    const uris = async (): Promise<string[]> =>
      (await client.listResources()).resources.map(({ uri }) => uri);
    const before = await uris();
    await eventually(() => control.listeners.size).toBe(1);
    // Each look is a while after what it was asked for by: time goes on until it has been.
    const looks = vi.spyOn(control, 'jobs');
    const looked = async (): Promise<void> => {
      looks.mockClear();
      await eventually(() => {
        clock.advance(1000);
        return looks.mock.calls.length;
      }).toBeGreaterThan(0);
    };
    await looked();
    control.happen(fakeEvent(4, { service: 'web', from: 'running', to: 'stopped' }));
    await looked();
    expect(changes).toBe(0);

    const [web] = control.list;
    if (web === undefined) throw new Error('there is a service');
    control.list.push({ ...web, name: 'new' });
    control.happen(fakeEvent(5, { service: null }));
    await looked();
    await eventually(() => changes).toBe(1);
    expect((await uris()).filter((uri) => !before.includes(uri))).toEqual(['upkeep://services/new']);

    control.list.pop();
    control.happen(fakeEvent(6, { service: 'new', from: 'stopping', to: 'stopped' }));
    await looked();
    await eventually(() => changes).toBe(2);
    // What changes nothing about who is there is not looked into.
    looks.mockClear();
    control.happen(fakeEvent(7, { service: 'web', from: 'running', to: 'preparing' }));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5000);
    expect(looks.mock.calls).toEqual([]);
    await transport.terminateSession();
    await eventually(() => control.listeners.size).toBe(0);
  });

  test('a call is cancelled by a message, and its stream ends', async () => {
    const { url } = await serve();
    url.search = '?session';
    const { client } = await connect(url);
    control.settled = () => new Promise(() => {});
    const abort = new AbortController();
    const call = client.callTool({ name: 'start', arguments: { name: 'web' } }, undefined, {
      onprogress: () => {},
      signal: abort.signal,
    });
    await eventually(() => control.listeners.size).toBe(1);
    abort.abort('enough');
    await expect(call).rejects.toThrow('enough');
    await eventually(() => control.listeners.size).toBe(0);
    expect((await client.listTools()).tools.length).toBeGreaterThan(5);
  });

  test('it is its owner’s alone', async () => {
    const { url } = await serve();
    const opened = await post(url, initialize({ elicitation: {} }), { authorization: 'one' });
    const id = opened.headers.get('mcp-session-id') ?? '';
    await opened.text();
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    const headers = { 'mcp-session-id': id };
    expect((await post(url, list, { ...headers, authorization: 'two' })).status).toBe(404);
    const own = await post(url, list, { ...headers, authorization: 'one' });
    expect(own.status).toBe(200);
    await own.text();
  });

  test('one that is left alone ends, one that is listened to does not', async () => {
    const clock = new FakeClock();
    const { url, http } = await serve({ clock, idle: 60_000 });
    const open = async (): Promise<string> => {
      const response = await post(url, initialize({ elicitation: {} }));
      await response.text();
      return response.headers.get('mcp-session-id') ?? '';
    };
    await open();
    const kept = await open();
    const hangUp = new AbortController();
    const listening = await fetch(url, {
      headers: { accept: 'text/event-stream', 'mcp-session-id': kept },
      signal: hangUp.signal,
    });
    expect(listening.status).toBe(200);
    // The answers must have been seen to be read to their end.
    await eventually(() => clock.pending).toBe(1);
    clock.advance(59_000);
    expect(http.sessions).toBe(2);
    clock.advance(2000);
    expect(http.sessions).toBe(1);
    clock.advance(600_000);
    expect(http.sessions).toBe(1);
    hangUp.abort();
    await eventually(() => clock.pending).toBe(1);
    clock.advance(61_000);
    expect(http.sessions).toBe(0);
  });

  test('there are only so many: the one left alone longest makes room, one in use never', async () => {
    const { url, http } = await serve({ sessions: 2 });
    const open = async (): Promise<Response> => {
      const response = await post(url, initialize({ elicitation: {} }));
      await response.text();
      return response;
    };
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.push((await open()).headers.get('mcp-session-id') ?? '');
    expect(http.sessions).toBe(2);
    const hangUp = new AbortController();
    ends.push(() => hangUp.abort());
    for (const id of ids.slice(1)) {
      const headers = { accept: 'text/event-stream', 'mcp-session-id': id };
      expect((await fetch(url, { headers, signal: hangUp.signal })).status).toBe(200);
    }
    expect((await open()).status).toBe(503);
    const first = await post(
      url,
      { jsonrpc: '2.0', id: 2, method: 'ping' },
      { 'mcp-session-id': ids[0] ?? '' },
    );
    expect(first.status).toBe(404);
  });

  test('an initialization that is wrong leaves none behind', async () => {
    const { url, http } = await serve();
    const wrong = { ...initialize({ elicitation: {} }), params: { capabilities: { elicitation: {} } } };
    const response = await post(url, wrong);
    await response.text();
    expect(http.sessions).toBe(0);
  });

  test('a reader that stands still is not sent more and more', async () => {
    const { url } = await serve();
    const opened = await post(url, initialize({ elicitation: {} }));
    await opened.text();
    const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const listening = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } });
    const set = await post(
      url,
      { jsonrpc: '2.0', id: 2, method: 'logging/setLevel', params: { level: 'debug' } },
      headers,
    );
    await set.text();
    await eventually(() => control.listeners.size).toBe(1);
    const evidence = { text: 'x'.repeat(100_000) };
    for (let seq = 10; seq < 2010; seq++) {
      control.happen(fakeEvent(seq, { evidence }));
      if (seq % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    let bytes = 0;
    let caughtUp = false;
    const decoder = new TextDecoder();
    const reading = (async () => {
      for await (const chunk of listening.body ?? []) {
        bytes += chunk.length;
        if (decoder.decode(chunk).includes('the end')) caughtUp = true;
        if (caughtUp) break;
      }
    })();
    // Once it has read what was kept for it, it is told again.
    let seq = 3000;
    await eventually(() => {
      control.happen(fakeEvent(seq++, { message: 'the end' }));
      return caughtUp;
    }).toBe(true);
    await reading;
    // 200 MB were said; what was kept is bounded by messages, sockets and their buffers.
    expect(bytes).toBeLessThan(60_000_000);
  });
});

describe('in the daemon', () => {
  test('it is at /mcp of the socket, and bounded', async () => {
    const dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-mcp-'));
    fs.chmodSync(dir, 0o700);
    ends.push(() => fs.rmSync(dir, { recursive: true, force: true }));
    const streams = new OpenStreams();
    const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
    const server = await serveUnix(app, join(dir, 'upkeep.sock'), { host: smallHost, streams });
    ends.push(() => server.close(0));
    const ask = (body: string) =>
      app.request('/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body,
      });
    const call = (args: object) =>
      ask(
        JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'inspect', arguments: args },
        }),
      );
    expect(await (await call({ name: 'web' })).text()).toContain('job-web');
    expect((await call({ name: 'x'.repeat(2_000_000) })).status).toBe(413);
  });
});
