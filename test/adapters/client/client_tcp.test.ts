/**
 * The client over TCP, its shorter names, and what it does about connections that break.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import {
  BrokenAnswer,
  type Client,
  ClientError,
  createClient,
  NoDaemon,
  type OutputOf,
} from '../../../adapters/client/mod.ts';
import { createApp } from '../../../adapters/http/app.ts';
import { serveTcp, type TcpServer } from '../../../adapters/http/serve_tcp.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { OPERATIONS } from '../../../core/operation/table.ts';
import { FakeControl, fakeEvent } from '../../core/operation/fake_control.ts';
import { freePort } from '../../support/sandbox.ts';
import { smallHost } from '../http/small_host.ts';

let control: FakeControl;
let port: number;
let server: TcpServer | null;
let client: Client;

beforeEach(async () => {
  control = new FakeControl();
  port = await freePort();
  await serve();
  const { secret } = control.access.tokens.create({ name: 'tester', scope: 'operate' });
  client = createClient({ url: `http://127.0.0.1:${port}`, token: secret });
});

afterEach(async () => {
  client.close();
  await server?.close(0);
});

async function serve(): Promise<void> {
  const streams = new OpenStreams();
  const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
  server = await serveTcp(
    app,
    { address: '127.0.0.1', port },
    {
      host: smallHost,
      streams,
      tokens: control.access.tokens,
    },
  );
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it did not fail'),
    (error) => error,
  );
}

describe('over TCP', () => {
  test('a token is shown with each request, and its name is recorded', async () => {
    const { settled } = await client.call('service.restart', { name: 'web', wait: true });
    expect(settled).toBe(true);
    expect(control.access.audit.list({})).toMatchObject([{ principal: 'tester', actor: 'http' }]);
  });

  test('what is refused is a problem', async () => {
    expect(await failure(client.call('audit.list', {}))).toMatchObject({ status: 403 });
    const wrong = createClient({ url: `http://127.0.0.1:${port}`, token: 'wrong' });
    const error = await failure(wrong.call('health.get', {}));
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ problem: { code: 'unauthorized' } });
    wrong.close();
  });

  test('nobody there is no daemon, named by where it was looked for', async () => {
    await server?.close(0);
    server = null;
    const error = await failure(client.call('health.get', {}));
    expect(error).toBeInstanceOf(NoDaemon);
    expect((error as Error).message).toContain(`http://127.0.0.1:${port}`);
    expect((error as Error).message).not.toContain('upk_');
  });

  test.each(['https://127.0.0.1:1', 'ftp://x', 'unix:/x'])('%s is no target', (url) => {
    expect(() => createClient({ url, token: 'x' })).toThrow(TypeError);
  });
});

describe('by noun and verb', () => {
  test('every operation is there', () => {
    const methods = client as unknown as Record<string, Record<string, unknown>>;
    for (const name of Object.keys(OPERATIONS)) {
      const [noun = '', verb = ''] = name.split('.');
      expect([name, typeof methods[noun]?.[verb]]).toEqual([name, 'function']);
    }
  });

  test('a call, with an input or without where it needs none', async () => {
    const list = await client.service.list();
    expectTypeOf(list).toEqualTypeOf<OutputOf<'service.list'>>();
    expect(list.items).toHaveLength(3);
    expect((await client.service.list({ limit: 1 })).items).toHaveLength(1);
    expect(await client.service.restart({ name: 'web' })).toMatchObject({ settled: null });
    // @ts-expect-error: it needs to know which.
    await failure(client.service.get());
  });

  test('a subscription', async () => {
    for await (const event of client.event.stream({ after: 2 })) {
      expect(event.seq).toBe(3);
      break;
    }
  });
});

describe('giving up', () => {
  test('by a signal, before and in the middle', async () => {
    control.settled = () => new Promise(() => {});
    const reason = new Error('enough');
    expect(await failure(client.call('health.get', {}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const abort = new AbortController();
    const stuck = client.service.start({ name: 'web', wait: true }, { signal: abort.signal });
    await expect.poll(() => control.calls.length).toBe(1);
    abort.abort(reason);
    expect(await failure(stuck)).toBe(reason);
  });

  test('by a time limit, of the call or of the client', async () => {
    control.settled = () => new Promise(() => {});
    const input = { name: 'web', wait: true };
    const error = await failure(client.service.start(input, { timeout: 20 }));
    expect(error).toBeInstanceOf(BrokenAnswer);
    expect((error as Error).message).toMatch(/no answer from http:.* within 20 ms/);
    const { secret } = control.access.tokens.create({ name: 'b', scope: 'operate' });
    const hasty = createClient({ url: `http://127.0.0.1:${port}`, token: secret }, { timeout: 20 });
    expect(await failure(hasty.service.start(input))).toBeInstanceOf(BrokenAnswer);
    hasty.close();
  });
});

describe('an answer that is none', () => {
  test.each([
    ['text', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')],
    ['half', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a"')],
    ['not HTTP', (socket: Socket) => socket.end('220 ready\r\n')],
    ['silence', (socket: Socket) => socket.destroy()],
  ])('%s is broken', async (_, answer) => {
    const stranger: Server = createServer();
    stranger.removeAllListeners('connection');
    stranger.on('connection', (socket) => socket.once('data', () => answer(socket)));
    stranger.listen(0, '127.0.0.1');
    await new Promise((resolve) => stranger.once('listening', resolve));
    const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    const other = createClient({ url, token: 'x' });
    expect(await failure(other.health.get())).toBeInstanceOf(BrokenAnswer);
    other.close();
    await new Promise((resolve) => stranger.close(resolve));
  });
});

describe('events that are gone on with', () => {
  test('lose none and repeat none when upkeep is gone for a while', async () => {
    const seqs: number[] = [];
    const abort = new AbortController();
    const reading = (async () => {
      for await (const event of client.event.stream({ after: 1 }, { resume: true, signal: abort.signal })) {
        seqs.push(event.seq);
        if (event.seq === 6) abort.abort();
      }
    })();
    await expect.poll(() => seqs).toEqual([2, 3]);
    await expect.poll(() => control.listeners.size).toBe(1);
    await server?.close(0);
    server = null;
    control.happen(fakeEvent(4));
    control.happen(fakeEvent(5));
    await serve();
    await expect.poll(() => seqs, { timeout: 20_000 }).toEqual([2, 3, 4, 5]);
    await expect.poll(() => control.listeners.size).toBe(1);
    control.happen(fakeEvent(6));
    await reading;
    expect(seqs).toEqual([2, 3, 4, 5, 6]);
  });

  test('begin now, and know where that was before anything has come', async () => {
    const seqs: number[] = [];
    const abort = new AbortController();
    const reading = (async () => {
      const stream = client.subscribe('event.stream', {}, { resume: true, signal: abort.signal });
      for await (const event of stream) {
        seqs.push(event.seq);
        abort.abort();
      }
    })();
    await expect.poll(() => control.listeners.size).toBe(1);
    await server?.close(0);
    server = null;
    control.happen(fakeEvent(4));
    await serve();
    await reading;
    expect(seqs).toEqual([4]);
  });

  test('end with an error where nobody was there at first', async () => {
    await server?.close(0);
    server = null;
    for (const input of [{}, { after: 1 }]) {
      const read = client.event.stream(input, { resume: true })[Symbol.asyncIterator]().next();
      expect(await failure(read)).toBeInstanceOf(NoDaemon);
    }
  });

  test('end with an error once the token is no good', async () => {
    const reading = failure(
      (async () => {
        for await (const _ of client.event.stream({ after: 3 }, { resume: true }));
      })(),
    );
    await expect.poll(() => control.listeners.size).toBe(1);
    control.access.tokens.revoke('tester');
    expect(await reading).toMatchObject({ status: 401 });
  });

  test('are asked for as such: a log is not', () => {
    // @ts-expect-error: bytes have no number to go on from.
    const log = client.job.log({ id: 'job-web' }, { resume: true });
    expect(log).toBeDefined();
  });
});
