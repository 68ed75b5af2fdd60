import * as fs from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../../adapters/client/client.ts';
import { AnswerTooLarge, BrokenAnswer, ClientError, NoDaemon } from '../../../adapters/client/errors.ts';
import { createApp } from '../../../adapters/http/app.ts';
import { serveUnix, type UnixServer } from '../../../adapters/http/serve_unix.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { FakeControl, fakeEvent } from '../../core/operation/fake_control.ts';
import { smallHost } from '../http/small_host.ts';

let dir: string;
let path: string;
let control: FakeControl;
let server: UnixServer;
let client: Client;

beforeEach(async () => {
  dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-client-'));
  fs.chmodSync(dir, 0o700);
  path = join(dir, 'upkeep.sock');
  control = new FakeControl();
  const streams = new OpenStreams();
  const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
  server = await serveUnix(app, path, { host: smallHost, streams });
  client = createClient(path, { actor: 'cli' });
});

afterEach(async () => {
  client.close();
  await server.close(0);
  fs.rmSync(dir, { recursive: true, force: true });
});

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it did not fail'),
    (error) => error,
  );
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = [];
  for await (const item of items) got.push(item);
  return got;
}

describe('calls', () => {
  test('a list', async () => {
    const page = await client.call('service.list', { limit: 1 });
    expect(page).toMatchObject({ items: [{ name: 'api' }], next_cursor: 'api' });
  });

  test('PUT has a body, DELETE has a query', async () => {
    const spec = { actions: { main: { run: 'é "x" &=?' } } };
    expect(await client.call('service.put', { name: 'web', spec, dry_run: true })).toEqual(control.change);
    await client.call('service.delete', { name: 'web', dry_run: true });
    await client.call('service.delete', { name: 'web' });
    expect(control.calls).toEqual([
      ['putService', 'web', spec, { dry_run: true }, 'cli'],
      ['deleteService', 'web', { dry_run: true }, 'cli'],
      ['deleteService', 'web', {}, 'cli'],
    ]);
  });

  test('a service file may be larger than any other body', async () => {
    const spec = `# ${'é'.repeat(2_000_000)}`;
    await client.call('spec.check', { spec });
    expect(control.calls).toEqual([['checkSpec', spec]]);
    expect(await failure(client.call('service.delete', { name: 'wbe' }))).toMatchObject({
      problem: { code: 'not_found', suggestion: 'web' },
    });
  });

  test('a command, with its actor', async () => {
    const { settled } = await client.call('service.restart', { name: 'web', wait: true });
    expect(settled).toBe(true);
    expect(control.calls[0]).toEqual(['restart', 'web', 'cli']);
  });

  test('names are escaped', async () => {
    const error = await failure(client.call('service.get', { name: '../jobs?x=1#' }));
    expect((error as ClientError).problem.detail).toBe("no service '../jobs?x=1#'");
  });

  test('a problem is thrown with all that it says', async () => {
    const error = await failure(client.call('service.stop', { name: 'wbe' }));
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ status: 404, problem: { code: 'not_found', suggestion: 'web' } });
  });

  test('accepted is a success', async () => {
    expect(await client.call('daemon.shutdown', {})).toEqual({ waiting_for: [] });
  });

  test('many at once, and one after another', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.call('health.get', {})));
    expect(answers.map((health) => health.pid)).toEqual(Array(20).fill(1234));
    expect((await client.call('health.get', {})).pid).toBe(1234);
  });
});

describe('subscriptions', () => {
  test('events, from the past into the future; leaving the loop hangs up', async () => {
    const seqs: number[] = [];
    for await (const event of client.subscribe('event.stream', { after: 1 })) {
      seqs.push(event.seq);
      if (event.seq === 3) control.happen(fakeEvent(4, { message: 'ünï\ncode' }));
      if (event.seq === 4) {
        expect(event.message).toBe('ünï\ncode');
        break;
      }
    }
    expect(seqs).toEqual([2, 3, 4]);
    await expect.poll(() => control.listeners.size).toBe(0);
  });

  test('a log is byte for byte', async () => {
    control.logChunks = [Buffer.from([0, 255, 10, 13]), Buffer.alloc(300_000, 7)];
    const chunks = await all(client.subscribe('job.log', { id: 'job-web' }));
    expect(Buffer.concat(chunks).equals(Buffer.concat(control.logChunks))).toBe(true);
  });

  test('a signal ends a followed log without an error', async () => {
    const abort = new AbortController();
    const log = client.subscribe('job.log', { id: 'job-web', follow: true }, { signal: abort.signal });
    for await (const _ of log) abort.abort();
    await expect.poll(() => control.calls.at(-1)).toEqual(['followLog ended']);
  });

  test('a problem is thrown on the first read', async () => {
    expect(await failure(all(client.subscribe('job.log', { id: 'nope' })))).toMatchObject({ status: 404 });
  });

  test('a failure in the middle is a problem too', async () => {
    control.events = () => {
      throw new Error('hunter2');
    };
    const error = await failure(all(client.subscribe('event.stream', { after: 0 })));
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ problem: { code: 'internal' } });
  });

  test('it ends when upkeep does', async () => {
    const events = all(client.subscribe('event.stream', { after: 2 }));
    await expect.poll(() => control.listeners.size).toBe(1);
    await server.close(1000);
    expect((await events).map((event) => event.seq)).toEqual([3]);
  });

  test('a reader that is slow holds the writer back', async () => {
    let made = 0;
    control.log = async function* () {
      for (; made < 2000; ) {
        made++;
        yield Buffer.alloc(65_536);
      }
    };
    const chunks = client.subscribe('job.log', { id: 'job-web' })[Symbol.asyncIterator]();
    await chunks.next();
    let before = -1;
    // It has come to rest once two looks agree.
    await expect
      .poll(
        () => {
          const rested = made === before;
          before = made;
          return rested;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(made).toBeLessThan(200);
    await chunks.return?.(undefined);
  });
});

describe('without upkeep', () => {
  test('there is no socket', async () => {
    const nobody = createClient(join(dir, 'nothing.sock'));
    expect(await failure(nobody.call('health.get', {}))).toBeInstanceOf(NoDaemon);
    expect(await failure(all(nobody.subscribe('event.stream', {})))).toBeInstanceOf(NoDaemon);
  });

  test('there is a socket that nobody serves', async () => {
    const stale = join(dir, 'stale.sock');
    const other = createServer().listen(`${stale}.x`);
    await new Promise((resolve) => other.once('listening', resolve));
    fs.renameSync(`${stale}.x`, stale);
    other.close();
    expect(await failure(createClient(stale).call('health.get', {}))).toBeInstanceOf(NoDaemon);
  });

  async function stranger(answer: string): Promise<[string, Server]> {
    const at = join(dir, 'other.sock');
    const other = createServer((incoming, response) => {
      incoming.resume();
      if (answer === 'hang up') incoming.socket.destroy();
      else response.writeHead(answer === '{}' ? 500 : 404).end(answer);
    }).listen(at);
    await new Promise((resolve) => other.once('listening', resolve));
    return [at, other];
  }

  test.each(['hang up', '{}', '<html>'])('somebody else answers %j', async (answer) => {
    const [at, other] = await stranger(answer);
    const lost = createClient(at);
    expect(await failure(lost.call('health.get', {}))).toBeInstanceOf(BrokenAnswer);
    lost.close();
    await new Promise((resolve) => other.close(resolve));
  });

  /** Somebody who never comes to an end, until they are hung up on. */
  async function endless(begin: string): Promise<{ at: string; sent: () => number; close(): Promise<void> }> {
    const at = join(dir, 'endless.sock');
    const much = Buffer.alloc(1024 * 1024, ' ');
    let sent = 0;
    const other = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(begin);
      const more = (): void => {
        if (response.destroyed) return;
        sent += much.length;
        response.write(much, () => more());
      };
      more();
    }).listen(at);
    await new Promise((resolve) => other.once('listening', resolve));
    return { at, sent: () => sent, close: () => new Promise((resolve) => other.close(() => resolve())) };
  }

  test('an answer without an end is not waited for, and not kept', async () => {
    const { at, sent, close } = await endless('{}');
    const error = await failure(createClient(at).call('health.get', {}));
    expect(error).toBeInstanceOf(AnswerTooLarge);
    expect((error as Error).message).toBe(`an answer from ${at} has more than 67108864 bytes`);
    // It is hung up on.
    await close();
    expect(sent()).toBeLessThan(80 * 1024 * 1024);
  });

  test('nor is a message without an end, however often a stream is taken up again', async () => {
    const { at, close } = await endless('data: {"seq":1}\n\ndata: ');
    const stream = createClient(at).event.stream({ after: 0 }, { resume: true })[Symbol.asyncIterator]();
    expect((await stream.next()).value).toEqual({ seq: 1 });
    const error = await failure(stream.next());
    expect(error).toBeInstanceOf(AnswerTooLarge);
    expect((error as Error).message).toBe('a message of the stream has more than 8388608 characters');
    await close();
  });
});
