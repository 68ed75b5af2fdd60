/**
 * Every operation over HTTP, with inputs that its schema gives and with broken ones, on a real socket in front of a real
 * supervisor: never a 500, never silence, never a changed state behind a refusal. What is added to the table is in it.
 *
 * `UPKEEP_FUZZ_SEED` and `UPKEEP_FUZZ_REQUESTS` give another run; the seed is printed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonSchemas } from '../../../adapters/document/json_schemas.ts';
import { createApp } from '../../../adapters/http/app.ts';
import { PROBLEMS, type Problem } from '../../../adapters/http/problem.ts';
import { ROUTES, type Route } from '../../../adapters/http/routes.ts';
import { serveUnix, type UnixServer } from '../../../adapters/http/serve_unix.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import type { Operation } from '../../../core/operation/operation.ts';
import { OPERATIONS, type OperationName } from '../../../core/operation/table.ts';
import type { Control } from '../../../core/supervisor/control.ts';
import type { Supervisor } from '../../../core/supervisor/supervisor.ts';
import { inProcess, writeServices } from '../../support/in_process.ts';
import { Random } from './fuzz/random.ts';
import { type FuzzRequest, fuzzRequest } from './fuzz/requests.ts';
import { smallHost } from './small_host.ts';

const SEED = Number(process.env['UPKEEP_FUZZ_SEED'] ?? 20_261_126);
const REQUESTS = Number(process.env['UPKEEP_FUZZ_REQUESTS'] ?? 10_000);

const SERVICES = ['web', 'api', 'worker'];

let dir: string;
let supervisor: Supervisor;
let server: UnixServer;
let file: string;
let shutdowns = 0;
/** The last event that was looked at, and how many up to it tell of a command. */
let seen = 0;
let commands = 0;
const reported: unknown[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-fuzz-'));
  const service = { actions: { main: { process: true, run: ['sleep', '1000'] } } };
  writeServices(dir, Object.fromEntries(SERVICES.map((name) => [name, service])));
  file = readFileSync(join(dir, 'upkeep.json'), 'utf8');
  supervisor = await inProcess(dir, 'state');
  const streams = new OpenStreams();
  const app = createApp(withoutItsEnd(supervisor), {
    clock: smallHost.clock,
    streams,
    report: (error) => reported.push(error),
  });
  server = await serveUnix(app, join(dir, 'state', 'upkeep.sock'), { host: smallHost, streams });
});

afterAll(async () => {
  agent.destroy();
  await server.close(0);
  await supervisor.shutdown('core');
  rmSync(dir, { recursive: true, force: true });
});

/** How many events tell of a command by now: from the store, as followers are told later. */
function commanded(): number {
  for (const { seq, actor } of supervisor.events({ after: seen })) {
    seen = seq;
    if (actor !== 'core') commands++;
  }
  return commands;
}

/** The supervisor itself, but for the one command that would end the test. */
function withoutItsEnd(target: Supervisor): Control {
  return new Proxy(target, {
    get: (_, name) => {
      if (name === 'shutdown') {
        return async () => {
          shutdowns++;
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** What only a command changes. What a job goes through by itself is not in it. */
function state(): unknown {
  const present = readFileSync(join(dir, 'upkeep.json'), 'utf8');
  const kept = new Set(Object.keys(JSON.parse(present).services));
  return {
    // What has left the file goes by itself once it has stopped.
    services: supervisor
      .services()
      .filter(({ name }) => kept.has(name))
      .map(({ name, wanted, run_id }) => [name, wanted, run_id]),
    present,
    commanded: commanded(),
    shutdowns,
  };
}

/** The service file as it was, once it has other services: there shall always be something to ask about, and little. */
async function putBack(): Promise<void> {
  const { services } = JSON.parse(readFileSync(join(dir, 'upkeep.json'), 'utf8'));
  if (Object.keys(services).sort().join() === [...SERVICES].sort().join()) return;
  await supervisor.spec.applySpec(file, { dry_run: false }, 'http');
}

interface Answer {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function send({ method, path, headers, body, cut }: FuzzRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) + (cut ? 10 : 0) };
    const outgoing = request({
      socketPath: server.path,
      method,
      path,
      agent: cut ? false : agent,
      headers: { ...headers, ...length },
      timeout: 20_000,
    });
    const hungUp = (): void => resolve({ status: 0, type: '', body: '' });
    outgoing.on('timeout', () => reject(new Error('no answer within 20 s')));
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? hungUp() : reject(error),
    );
    outgoing.on('response', (response: IncomingMessage) => {
      const type = String(response.headers['content-type'] ?? '');
      const status = response.statusCode ?? 0;
      let text = '';
      response.setEncoding('utf8');
      // It begins as it should, and may have no end.
      if (type === 'text/event-stream') {
        resolve({ status, type, body: '' });
        response.destroy();
      }
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status, type, body: text }));
      response.on('error', hungUp);
    });
    if (cut) outgoing.write(body, () => outgoing.socket?.end());
    else outgoing.end(body);
  });
}

/** What is there to be named. */
function known(): Record<string, string[]> {
  const jobs = supervisor.jobs({});
  const ids = jobs.map(({ id }) => id);
  const runs = jobs.map(({ run_id }) => run_id);
  return { name: SERVICES, service: SERVICES, id: [...ids, ...runs], job_id: ids, run_id: runs };
}

/** What the operation itself would refuse does not get by. */
function checkDone({ input }: Operation, sending: FuzzRequest): void {
  if (sending.input !== null) expect(v.safeParse(input, sending.input).success).toBe(true);
}

function checkRefused({ errors }: Operation, { kind }: FuzzRequest, { status, type, body }: Answer): void {
  if (status === 0) {
    // Who sends a part, or far too much, may find the connection gone.
    expect(['cut', 'huge']).toContain(kind);
    return;
  }
  if (status === 503) expect(errors).toContain('unavailable');
  else expect(status).toBeLessThan(500);
  expect(type).toBe('application/problem+json');
  const problem = JSON.parse(body) as Problem;
  expect(problem.status).toBe(status);
  expect(problem.type).toBe(`urn:upkeep:problem:${problem.code.replaceAll('_', '-')}`);
  expect(PROBLEMS[problem.code].status).toBe(status);
}

test(`${REQUESTS} requests`, { timeout: 300_000 }, async () => {
  console.log(`UPKEEP_FUZZ_SEED=${SEED}`);
  const random = new Random(SEED);
  const names = Object.keys(ROUTES) as OperationName[];
  const operations: Operation[] = Object.values(OPERATIONS);
  const schemas = jsonSchemas(
    operations.map(({ input }) => input),
    '',
  );
  const inputs = new Map(names.map((name) => [name, schemas.of(OPERATIONS[name].input)]));
  const statuses = new Map<number, number>();
  const refused = new Map<string, number>();

  let pool = known();
  for (let n = 0; n < REQUESTS; n++) {
    const name = names[n % names.length] as OperationName;
    const operation: Operation = OPERATIONS[name];
    const source = { schema: inputs.get(name) ?? {}, shared: schemas.shared, pool, random };
    const sending = fuzzRequest(ROUTES[name] as Route, source);
    const before = state();
    const answer = await send(sending);
    const after = state();
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const done = answer.status >= 200 && answer.status < 400;
    if (!done) refused.set(sending.kind, (refused.get(sending.kind) ?? 0) + 1);
    try {
      expect(reported).toEqual([]);
      if (done) {
        checkDone(operation, sending);
        if (operation.kind === 'command') {
          await putBack();
          pool = known();
        }
      } else {
        expect(after).toEqual(before);
        checkRefused(operation, sending, answer);
      }
    } catch (error) {
      const told = JSON.stringify({ name, sending, answer }).slice(0, 2000);
      throw new Error(`seed ${SEED}, request ${n}: ${told}`, { cause: error });
    }
  }

  console.log(`answers: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`);
  // It was a test at all: there was some of everything.
  for (const status of [200, 202, 400, 404, 405, 406, 413, 415]) {
    expect(statuses.get(status) ?? 0, `answers with ${status}`).toBeGreaterThan(0);
  }
  for (const kind of ['type', 'bounds', 'missing', 'extra', 'unicode', 'huge', 'deep', 'truncated', 'cut']) {
    expect(refused.get(kind) ?? 0, `refused for ${kind}`).toBeGreaterThan(0);
  }
  expect(commanded()).toBeGreaterThan(0);
  // Who was asked so much is as well as before.
  expect(supervisor.health().status).toBe('ok');
});
