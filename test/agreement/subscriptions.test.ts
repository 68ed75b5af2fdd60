/**
 * Every face that can be listened to gives the same items, and the same failure, from the same subscription.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { wholeLines } from '../../adapters/cli/text/lines.ts';
import { type Client, ClientError, createClient } from '../../adapters/client/mod.ts';
import { sseMessages } from '../../adapters/client/sse_reader.ts';
import type { SubscriptionName } from '../../core/operation/table.ts';
import type { Input } from './faces/face.ts';
import { requestOf, send, textOf, type Way } from './faces/http_face.ts';
import { failed, type Outcome } from './outcome.ts';
import { beginWorld, type World } from './world.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));
const WAYS = ['unix', 'tcp'] as const;

let world: World;
let clients: Readonly<Record<Way, Client>>;
let children: ChildProcess[] = [];

beforeAll(async () => {
  world = await beginWorld();
  const target = { url: `http://127.0.0.1:${world.port}`, token: world.tokens.read };
  clients = { unix: createClient(world.socket), tcp: createClient(target) };
});

afterEach(async () => {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  children = [];
});

afterAll(async () => {
  for (const way of WAYS) clients?.[way].close();
  await world?.end();
});

/** The first so many items. */
async function first<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

/** A command that goes on, and what it prints, line by line. */
function printed(...args: string[]): AsyncIterable<string> {
  const child = spawn(process.execPath, [MAIN, ...args, '--state', world.box.state, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return wholeLines(child.stdout);
}

function listen(way: Way, name: SubscriptionName, input: Input, accept: string): Promise<IncomingMessage> {
  return send(world, way, 'read', { ...requestOf(name, input), headers: { accept } });
}

async function sseData(way: Way, name: SubscriptionName, input: Input, count: number): Promise<string[]> {
  const response = await listen(way, name, input, 'text/event-stream');
  expect(response.statusCode).toBe(200);
  return (await first(sseMessages(response), count)).map(({ data }) => data);
}

const textLines = (chunks: AsyncIterable<Uint8Array>, count: number) => first(wholeLines(chunks), count);

/** The first items of each, as each face gives them. */
const SAME: Record<SubscriptionName, () => Promise<Map<string, unknown[]>>> = {
  'event.stream': async () => {
    const { items } = await world.owner.event.list({ after: 0, limit: 8 });
    const input = { after: 0 };
    const told = new Map<string, unknown[]>([['event.list', [...items]]]);
    for (const way of WAYS) {
      const data = await sseData(way, 'event.stream', input, items.length);
      told.set(
        `sse ${way}`,
        data.map((text) => JSON.parse(text)),
      );
      told.set(`client ${way}`, await first(clients[way].event.stream(input), items.length));
    }
    const lines = await first(printed('events', '--follow', '--lines', '1000'), items.length);
    told.set(
      'cli',
      lines.map((line) => JSON.parse(line)),
    );
    return told;
  },
  'job.log': async () => {
    const input = { id: world.job, follow: true };
    const told = new Map<string, unknown[]>([['what was written', [`listening on ${world.held}`]]]);
    for (const way of WAYS) {
      told.set(`sse ${way}`, await sseData(way, 'job.log', input, 1));
      told.set(`text ${way}`, await textLines(await listen(way, 'job.log', input, 'text/plain'), 1));
      told.set(`client ${way}`, await textLines(clients[way].job.log(input), 1));
    }
    const [line = ''] = await first(printed('logs', 'shop', '--follow'), 1);
    told.set('cli', [JSON.parse(line).line]);
    return told;
  },
};

describe.each(Object.entries(SAME))('%s', (_, tell) => {
  test('begins with the same items', async () => {
    const told = await tell();
    const [expected] = told.values();
    expect(expected?.length).toBeGreaterThan(0);
    for (const [face, items] of told) expect([face, items]).toEqual([face, expected]);
  });
});

async function failureOf(way: Way, name: SubscriptionName, input: Input): Promise<[Outcome, Outcome]> {
  const response = await listen(way, name, input, 'text/event-stream, text/plain');
  const overHttp = failed(JSON.parse(await textOf(response)));
  const overClient = await first(clients[way].subscribe(name, input as never), 1).then(
    () => expect.unreachable('it did not fail'),
    (error) => (error instanceof ClientError ? failed(error.problem) : Promise.reject(error)),
  );
  return [overHttp, overClient];
}

describe('a subscription that cannot be', () => {
  const faults: [SubscriptionName, string, () => Input][] = [
    ['job.log', 'not_found', () => ({ id: 'nobody' })],
    ['job.log', 'invalid_input', () => ({ id: world.job, tail: 'soon', follow: 'yes' })],
    ['job.log', 'invalid_input', () => ({ id: world.job, nobody_knows_this: 'x' })],
    ['event.stream', 'invalid_input', () => ({ after: 'soon' })],
    ['event.stream', 'invalid_input', () => ({ after: -1, nobody_knows_this: 'x' })],
  ];

  test.each(faults)('%s fails with %s alike', async (name, code, input) => {
    const outcomes = await Promise.all(WAYS.map((way) => failureOf(way, name, input())));
    for (const outcome of outcomes.flat()) {
      expect(outcome).toEqual(outcomes[0]?.[0]);
      expect(outcome).toHaveProperty('failure.code', code);
    }
  });
});
