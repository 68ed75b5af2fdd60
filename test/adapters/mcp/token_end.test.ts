/**
 * What an MCP client has open over TCP ends with its token.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { serveTcp, type TcpServer } from '../../../adapters/http/serve_tcp.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { FakeControl, fakeAccess } from '../../core/operation/fake_control.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { freePort } from '../../support/sandbox.ts';
import { smallHost } from '../http/small_host.ts';
import { eventually } from './connected.ts';

let control: FakeControl;
let clock: FakeClock;
let server: TcpServer;
let secret: string;

beforeEach(async () => {
  control = new FakeControl();
  clock = new FakeClock();
  control.access = fakeAccess({ clock });
  ({ secret } = control.access.tokens.create({ name: 'agent', scope: 'operate', expires_in: 60_000 }));
  const streams = new OpenStreams();
  const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
  const port = await freePort();
  const { tokens } = control.access;
  server = await serveTcp(app, { address: '127.0.0.1', port }, { host: smallHost, streams, tokens });
});

afterEach(() => server.close(0));

function send(
  method: 'GET' | 'POST',
  body: object | null,
  headers: Record<string, string> = {},
  bearer = secret,
): Promise<Response> {
  return fetch(`${server.url}/mcp`, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  });
}

/** Opens a session; the header that goes on in it. */
async function session(bearer = secret): Promise<{ 'mcp-session-id': string }> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {} },
    clientInfo: { name: 'agent', version: '1' },
  };
  const opened = await send('POST', { jsonrpc: '2.0', id: 1, method: 'initialize', params }, {}, bearer);
  await opened.text();
  return { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
}

const start = {
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name: 'start', arguments: { name: 'web' }, _meta: { progressToken: 1 } },
};

const ENDS: [string, () => void][] = [
  ['revoked', () => control.access.tokens.revoke('agent')],
  ['expired', () => clock.advance(60_001)],
];

test.each(ENDS)('a session whose token is %s ends, with the stream that listens', async (_, end) => {
  const headers = await session();
  const subscribe = {
    jsonrpc: '2.0',
    id: 3,
    method: 'resources/subscribe',
    params: { uri: 'upkeep://services/web' },
  };
  await (await send('POST', subscribe, headers)).text();
  const listening = await send('GET', null, headers);
  expect(listening.status).toBe(200);
  const heard = listening.text();
  await eventually(() => control.listeners.size).toBe(1);
  end();
  await heard;
  await eventually(() => control.listeners.size).toBe(0);
  expect((await send('GET', null, headers)).status).toBe(401);
});

test.each(ENDS)('a call without a session ends when its token is %s', async (_, end) => {
  control.settled = () => new Promise(() => {});
  const response = await send('POST', start);
  await eventually(() => control.listeners.size).toBe(1);
  end();
  expect(await response.text()).not.toContain('"result"');
  await eventually(() => control.listeners.size).toBe(0);
});

test('a new token of the same name and scope finds no session of the old one', async () => {
  const headers = await session();
  control.access.tokens.revoke('agent');
  const next = control.access.tokens.create({ name: 'agent', scope: 'operate' }).secret;
  const list = { jsonrpc: '2.0', id: 4, method: 'tools/list' };
  expect((await send('POST', list, headers, next)).status).toBe(404);
});

test('the end of one token is not that of another', async () => {
  const other = control.access.tokens.create({ name: 'other', scope: 'read' }).secret;
  const headers = await session(other);
  control.access.tokens.revoke('agent');
  const list = { jsonrpc: '2.0', id: 4, method: 'tools/list' };
  const response = await send('POST', list, headers, other);
  expect(response.status).toBe(200);
  await response.text();
});
