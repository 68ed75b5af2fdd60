import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { OWNER } from '../../../adapters/http/caller.ts';
import {
  createNodeServer,
  LIMITS,
  type Limits,
  type NodeServer,
} from '../../../adapters/http/node_server.ts';
import type { Problem } from '../../../adapters/http/problem.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { FakeControl } from '../../core/operation/fake_control.ts';
import { connected, exchange, parsed } from './raw.ts';
import { smallHost } from './small_host.ts';

let dir: string;
let path: string;
let control: FakeControl;
let streams: OpenStreams;
let running: NodeServer | null;
let reported: unknown[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-node-server-'));
  path = join(dir, 's');
  control = new FakeControl();
  streams = new OpenStreams();
  running = null;
  reported = [];
});

afterEach(async () => {
  expect(reported).toEqual([]);
  if (running?.server.listening) await running.close(streams, smallHost.clock, 0);
  rmSync(dir, { recursive: true, force: true });
});

async function serve(changes: Partial<Limits> = {}): Promise<NodeServer> {
  const app = createApp(control, {
    clock: smallHost.clock,
    streams,
    report: (error) => reported.push(error),
  });
  const made = createNodeServer((request, env) => app.fetch(request, { ...env, caller: OWNER }), {
    ...LIMITS,
    ...changes,
  });
  running = made;
  await new Promise<void>((resolve) => made.server.listen(path, resolve));
  return made;
}

/** The problem that the answer to these bytes is. */
async function problemIn(...parts: string[]): Promise<Problem> {
  const { status, headers, body } = parsed(await exchange(path, ...parts));
  expect(headers['content-type']).toBe('application/problem+json');
  expect(headers['connection']).toBe('close');
  const document = JSON.parse(body) as Problem;
  expect(document.status).toBe(status);
  expect(document.type).toBe(`urn:upkeep:problem:${document.code.replaceAll('_', '-')}`);
  return document;
}

const GET = 'GET /healthz HTTP/1.1\r\nHost: upkeep\r\n';
const POST = 'POST /v1/services/web/stop HTTP/1.1\r\nHost: upkeep\r\nContent-Type: application/json\r\n';

describe('what is no request', () => {
  test.each([
    ['nonsense', ['hello\r\n\r\n'], 'malformed_request'],
    ['TLS', ['\x16\x03\x01\x02\x00\x01\x00'], 'malformed_request'],
    ['another version', ['GET / HTTP/9.9\r\n\r\n'], 'malformed_request'],
    ['a header without a colon', [`${GET}broken\r\n\r\n`], 'malformed_request'],
    ['a NUL in a header', [`${GET}X-A: a\0b\r\n\r\n`], 'malformed_request'],
    ['a folded header', [`${GET}X-A: a\r\n b\r\n\r\n`], 'malformed_request'],
    ['two lengths', [`${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`], 'malformed_request'],
    [
      'a length and chunks',
      [`${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`],
      'malformed_request',
    ],
    ['a length that is none', [`${POST}Content-Length: two\r\n\r\n{}`], 'malformed_request'],
    [
      'chunks without end',
      [
        `${POST}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
        ...Array(9).fill(`2000\r\n${'x'.repeat(0x2000)}\r\n`),
      ],
      'too_large',
    ],
    ['a chunk that is none', [`${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`], 'malformed_request'],
    ['a line that never ends', [`GET /${'x'.repeat(LIMITS.header_size)} HTTP/1.1\r\n`], 'headers_too_large'],
    ['a header that is huge', [`${GET}X-A: ${'x'.repeat(LIMITS.header_size)}\r\n\r\n`], 'headers_too_large'],
    ['a hundred headers more', [`${GET}${'X: y\r\n'.repeat(LIMITS.header_count)}\r\n`], 'headers_too_large'],
    ['an expectation', [`${GET}Expect: miracles\r\n\r\n`], 'expectation_failed'],
    ['a tunnel', ['CONNECT upkeep:80 HTTP/1.1\r\nHost: upkeep\r\n\r\n'], 'method_not_allowed'],
  ])('%s', async (_, parts, code) => {
    await serve();
    expect((await problemIn(...parts)).code).toBe(code);
    expect(control.calls).toEqual([]);
  });

  test.each([
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['a host that is none', 'GET /healthz HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n'],
    ['a target that is none', 'GET healthz HTTP/1.1\r\nHost: upkeep\r\nConnection: close\r\n\r\n'],
  ])('%s', async (_, request) => {
    await serve();
    expect((await problemIn(request)).code).toBe('malformed_request');
  });

  test('what came is not repeated', async () => {
    await serve();
    expect(JSON.stringify(await problemIn(`${GET}hunter2\r\n\r\n`))).not.toContain('hunter2');
  });
});

describe('time', () => {
  test('a header that does not come to its end', async () => {
    await serve({ header_time: 50, request_time: 50 });
    expect((await problemIn('GET /healthz HTTP/1.1\r\nHost: up')).code).toBe('request_timeout');
  });

  test('a body that does not', async () => {
    await serve({ header_time: 50, request_time: 50 });
    expect((await problemIn(`${POST}Content-Length: 2\r\n\r\n{`)).code).toBe('request_timeout');
    expect(control.calls).toEqual([]);
  });

  test('an answer that takes longer than a request may is no matter', async () => {
    await serve({ header_time: 50, request_time: 50 });
    let checks = 0;
    control.settled = async () => {
      while (checks++ < 5) await new Promise((resolve) => setTimeout(resolve, 50));
      return true;
    };
    const answer = parsed(
      await exchange(path, `${POST}Connection: close\r\nContent-Length: 13\r\n\r\n{"wait":true}`),
    );
    expect(answer.status).toBe(200);
  });

  test('an idle connection is let go', async () => {
    await serve({ idle_time: 50 });
    const text = await exchange(path, `${GET}\r\n`);
    expect(parsed(text).status).toBe(200);
  });
});

describe('one connection', () => {
  test('a body that is cut off changes nothing', async () => {
    await serve();
    const socket = await connected(path);
    socket.write(`${POST}Content-Length: 20\r\n\r\n{"wait"`);
    socket.end();
    await new Promise((resolve) => socket.resume().on('close', resolve));
    expect(control.calls).toEqual([]);
  });

  test('nonsense behind a request does not become a part of its answer', async () => {
    await serve();
    let finish = (_: boolean): void => {};
    control.settled = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const text = exchange(path, `${POST}Content-Length: 13\r\n\r\n{"wait":true}`, 'nonsense\r\n\r\n');
    await expect.poll(() => control.calls.length).toBe(1);
    expect(await text).not.toContain('malformed');
    finish(true);
  });

  test('nonsense after an answer is told', async () => {
    await serve();
    const socket = await connected(path);
    socket.write(`${GET}\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.write('nonsense\r\n\r\n');
    const text = await new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    await new Promise((resolve) => socket.resume().on('close', resolve));
  });
});

describe('many connections', () => {
  test('too many are told so, far too many are not let in', async () => {
    await serve({ connections: 2, connections_at_most: 3 });
    const open = await Promise.all([connected(path), connected(path)]);
    const told = await problemIn(`${GET}\r\n`);
    expect(told).toMatchObject({ code: 'too_busy', status: 503 });
    open.push(await connected(path));
    expect(await exchange(path).catch(() => '')).toBe('');
    for (const socket of open) socket.destroy();
    await expect
      .poll(async () => parsed(await exchange(path, `${GET}Connection: close\r\n\r\n`)).status)
      .toBe(200);
  });
});

describe('closing', () => {
  test('a request under way is answered, and told that it was the last', async () => {
    const served = await serve();
    let finish = (_: boolean): void => {};
    control.settled = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const text = exchange(path, `${POST}Content-Length: 13\r\n\r\n{"wait":true}`);
    await expect.poll(() => control.calls.length).toBe(1);
    const closed = served.close(streams, smallHost.clock, 60_000);
    finish(true);
    await closed;
    expect(parsed(await text)).toMatchObject({ status: 200, headers: { connection: 'close' } });
  });
});

describe('a slow reader', () => {
  const CHUNK = Buffer.alloc(64 * 1024, 'x'.repeat(99).concat('\n'));

  /** A log without end; counts what was taken of it. */
  function chattyLog(): { taken: () => number } {
    let taken = 0;
    control.followLog = async function* (_id, _query, signal) {
      while (!signal.aborted) {
        taken += CHUNK.length;
        yield CHUNK;
        // As a real log does: between two reads others get their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    return { taken: () => taken };
  }

  /** Resolves when `value` has stopped to change, however slow the machine is. */
  async function settledAt(value: () => number): Promise<number> {
    let before = -1;
    for (let same = 0; same < 20; ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      same = value() === before ? same + 1 : 0;
      before = value();
    }
    return before;
  }

  /** Bytes that something still holds. */
  function heapInUse(): number {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    return process.memoryUsage().heapUsed;
  }

  async function paused(request: string): Promise<Socket> {
    const socket = await connected(path);
    socket.pause();
    socket.write(request);
    return socket;
  }

  test.each([
    ['a log', 'text/plain'],
    ['a log as events', 'text/event-stream'],
  ])('of %s makes nothing pile up, and reads on', async (_, accept) => {
    await serve();
    const log = chattyLog();
    const socket = await paused(
      `GET /v1/jobs/job-web/log?follow=true HTTP/1.1\r\nHost: upkeep\r\nAccept: ${accept}\r\n\r\n`,
    );
    const standing = await settledAt(log.taken);
    expect(standing).toBeGreaterThan(0);
    // What the kernel holds for the two ends, and little more.
    expect(standing).toBeLessThan(2 * 1024 * 1024);
    let read = 0;
    socket.on('data', (chunk) => {
      read += chunk.length;
    });
    socket.resume();
    await expect.poll(() => read).toBeGreaterThan(4 * standing);
    socket.destroy();
    await expect.poll(() => streams.size).toBe(0);
  });

  test('of events makes nothing pile up', async () => {
    await serve();
    const { fakeEvent } = await import('../../core/operation/fake_control.ts');
    const socket = await paused('GET /v1/events/stream HTTP/1.1\r\nHost: upkeep\r\n\r\n');
    await expect.poll(() => control.listeners.size).toBe(1);
    // Its own bytes each time: shared ones would weigh nothing.
    const heavy = (seq: number) => fakeEvent(seq, { message: Buffer.alloc(1000, 'x').toString('latin1') });
    let read = 0;
    control.events = ({ after = -1, limit = 100 }) => {
      read++;
      const from = Math.max(after + 1, 4);
      return Array.from({ length: Math.max(0, Math.min(limit, happened + 4 - from)) }, (_, n) =>
        heavy(from + n),
      );
    };
    let happened = 0;
    const before = heapInUse();
    for (; happened < 20_000; happened++) {
      for (const listener of control.listeners) listener([heavy(happened + 4)]);
      if (happened % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // 20 MB of events went by.
    expect(heapInUse() - before).toBeLessThan(12 * 1024 * 1024);
    let text = '';
    let last = 0;
    socket.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-4000);
      last = Number([...text.matchAll(/id: (\d+)\n/g)].at(-1)?.[1] ?? 0);
    });
    socket.resume();
    // Every one of them comes, from the store where it has to.
    await expect.poll(() => last, { timeout: 30_000 }).toBe(20_003);
    expect(read).toBeGreaterThan(10);
    socket.destroy();
    await expect.poll(() => control.listeners.size).toBe(0);
  });
});
