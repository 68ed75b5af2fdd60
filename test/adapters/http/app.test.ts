import type { Hono } from 'hono/tiny';
import { beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { PROBLEMS, type Problem } from '../../../adapters/http/problem.ts';
import { BODY_LIMIT } from '../../../adapters/http/request_input.ts';
import { ROUTES, type Route, takesBody } from '../../../adapters/http/routes.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import type { Operation } from '../../../core/operation/operation.ts';
import type { Page } from '../../../core/operation/page.ts';
import { OPERATIONS } from '../../../core/operation/table.ts';
import type { ServiceView } from '../../../core/supervisor/control.ts';
import { FakeControl, fakeEvent } from '../../core/operation/fake_control.ts';

let control: FakeControl;
let streams: OpenStreams;
let reported: unknown[];
let timers: (() => void)[];
let app: Hono;

beforeEach(() => {
  control = new FakeControl();
  streams = new OpenStreams();
  reported = [];
  timers = [];
  const clock = {
    mono: () => 0,
    wall: () => 1234,
    timer: (_: number, callback: () => void) => {
      timers.push(callback);
      return () => {};
    },
  };
  app = createApp(control, { clock, streams, report: (error) => reported.push(error) });
});

const routes: [string, Route][] = Object.entries(ROUTES);

/** A request to a route with its fields filled in. */
function concrete(path: string): string {
  return path.replace('{name}', 'web').replace('/runs/{id}', '/runs/run-web').replace('{id}', 'job-web');
}

/** The example of an operation as a request, about what is there. */
function exampleRequest({ example }: Operation, route: Route): [string, RequestInit] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field);
  const rest = Object.entries(example.input as object).filter(([field]) => !inPath.includes(field));
  const path = concrete(route.path);
  const { method } = route;
  if (!takesBody(route)) {
    const query = new URLSearchParams(
      Object.fromEntries(rest.map(([field, value]) => [field, String(value)])),
    );
    return [query.size > 0 ? `${path}?${query}` : path, { method }];
  }
  const body = JSON.stringify(Object.fromEntries(rest));
  return [path, { method, body, headers: { 'content-type': 'application/json' } }];
}

function post(path: string, body: string, type = 'application/json') {
  return app.request(path, { method: 'POST', body, headers: { 'content-type': type } });
}

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const document = (await response.json()) as Problem;
  expect(document.status).toBe(response.status);
  expect(document.type).toBe(`urn:upkeep:problem:${document.code.replaceAll('_', '-')}`);
  expect(Object.keys(PROBLEMS)).toContain(document.code);
  return document;
}

function reader(response: Response) {
  const stream = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  return {
    next: async () => {
      const { value, done } = await stream.read();
      return done ? null : decoder.decode(value);
    },
    cancel: () => stream.cancel(),
  };
}

describe('routes', () => {
  test.each(routes)('%s takes what its operation takes', (name, route) => {
    const { entries } = OPERATIONS[name as keyof typeof OPERATIONS].input as unknown as { entries: object };
    const fields = Object.keys(entries);
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field);
    expect(fields).toEqual(expect.arrayContaining(inPath));
    expect(fields).toEqual(expect.arrayContaining(Object.keys(route.convert)));
    if (route.resume !== undefined) expect(fields).toContain(route.resume);
  });

  test.each(routes.filter(([name]) => name !== 'event.stream'))(
    '%s answers its example, or says what of it is not there',
    async (name, route) => {
      const operation: Operation = OPERATIONS[name as keyof typeof OPERATIONS];
      const response = await app.request(...exampleRequest(operation, route));
      const refusals = operation.errors.map((code) => PROBLEMS[code].status);
      expect([route.status, ...refusals]).toContain(response.status);
      await response.text();
      expect(reported).toEqual([]);
    },
  );

  test.each(routes)('the path of %s says which methods it has', async (_, { path }) => {
    const response = await app.request(concrete(path), { method: 'PATCH' });
    expect(response.status).toBe(405);
    const methods = routes.filter(([, route]) => route.path === path).map(([, route]) => route.method);
    const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    expect(response.headers.get('allow')?.split(', ').sort()).toEqual(allowed.sort());
    expect((await problemOf(response)).code).toBe('method_not_allowed');
  });

  test.each(routes.filter(([, route]) => route.method === 'GET' && !route.path.includes('holders')))(
    'HEAD of %s has no body, and leaves nothing open',
    async (name, route) => {
      const operation: Operation = OPERATIONS[name as keyof typeof OPERATIONS];
      const [path] = exampleRequest(operation, route);
      const response = await app.request(path, { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
      expect(control.listeners.size).toBe(0);
    },
  );
});

describe('answers', () => {
  test('a list of services is a page', async () => {
    const page = (await (await app.request('/v1/services?limit=2')).json()) as Page<ServiceView>;
    expect(page.items.map((service) => service.name)).toEqual(['api', 'web']);
    const rest = await (await app.request(`/v1/services?limit=2&cursor=${page.next_cursor}`)).json();
    expect(rest).toMatchObject({ items: [{ name: 'worker' }], next_cursor: null });
  });

  test.each(['start', 'stop', 'restart'])('POST %s does it, and waits where asked', async (verb) => {
    const response = await post(`/v1/services/web/${verb}`, '{"wait":true,"timeout":50}');
    expect(await response.json()).toMatchObject({ service: { name: 'web' }, settled: true });
    expect(control.calls).toEqual([
      [verb, 'web', 'http'],
      ['settled', 'web', 50],
    ]);
  });

  test('the command line is recorded as such', async () => {
    await app.request('/v1/services/web/stop', { method: 'POST', headers: { 'upkeep-client': 'cli' } });
    expect(control.calls).toEqual([['stop', 'web', 'cli']]);
  });

  test('the query of a log arrives as what it is', async () => {
    const path = '/v1/jobs/job-web/log?tail=5&since=99&incarnation=2&grep=a%20b';
    expect(await (await app.request(path)).text()).toBe('one\ntwo\nthree\n');
    expect(control.calls).toEqual([['log', 'job-web', { tail: 5, since: 99, incarnation: 2, grep: 'a b' }]]);
  });

  test('holders', async () => {
    const answer = await (await app.request('/v1/holders?tcp_port=8080')).json();
    expect(answer).toEqual({ items: [], next_cursor: null, complete: true });
    expect(control.calls).toEqual([['holders', { kind: 'tcp', address: null, port: 8080 }]]);
  });

  test('alive is not the same as ready', async () => {
    control.degraded = true;
    expect((await app.request('/healthz')).status).toBe(200);
    expect((await app.request('/readyz')).status).toBe(503);
    control.degraded = false;
    expect((await app.request('/readyz')).status).toBe(200);
  });

  test('a near miss is suggested', async () => {
    expect(await problemOf(await app.request('/v1/services/wbe'))).toMatchObject({
      status: 404,
      code: 'not_found',
      detail: "no service 'wbe'; did you mean 'web'?",
      suggestion: 'web',
    });
  });

  test('a fault inside is a 500 that is reported, and whose words stay inside', async () => {
    control.failure = new Error('hunter2');
    const response = await app.request('/v1/services');
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain('hunter2');
    expect(reported).toEqual([control.failure]);
  });
});

describe('broken requests', () => {
  const long = 'x'.repeat(BODY_LIMIT + 1);
  const requests: [string, () => Response | Promise<Response>, number][] = [
    ['no such path', () => app.request('/v1/nothing'), 404],
    ['no such folder', () => app.request('/v1'), 404],
    ['a traversal', () => app.request('/v1/services/..%2f..%2fetc%2fpasswd'), 404],
    ['a broken escape', () => app.request('/v1/services/%zz'), 404],
    ['a NUL in a name', () => app.request('/v1/services/%00'), 404],
    ['unicode in a name', () => app.request(`/v1/services/${encodeURIComponent('wéb🦊')}`), 404],
    ['a name that is too long', () => app.request(`/v1/services/${'x'.repeat(2000)}`), 400],
    ['a prototype for a name', () => app.request('/v1/services/__proto__'), 404],
    ['no such job', () => app.request('/v1/jobs/nope'), 404],
    ['no such run', () => app.request('/v1/runs/nope'), 404],
    ['the log of no such job', () => app.request('/v1/jobs/nope/log'), 404],
    ['the log of no such job, followed', () => app.request('/v1/jobs/nope/log?follow=true'), 404],
    ['a limit that is no number', () => app.request('/v1/events?limit=ten'), 400],
    ['a limit of nothing', () => app.request('/v1/events?limit='), 400],
    ['a limit of 0', () => app.request('/v1/events?limit=0'), 400],
    ['a limit that is huge', () => app.request('/v1/events?limit=99999999999999999999'), 400],
    ['a limit in the exponent', () => app.request('/v1/events?limit=1e2'), 400],
    ['half an event', () => app.request('/v1/events?after=1.5'), 400],
    ['a limit given twice', () => app.request('/v1/events?limit=1&limit=2'), 400],
    ['an unknown query', () => app.request('/v1/services?colour=red'), 400],
    ['a follow that is neither', () => app.request('/v1/jobs/job-web/log?follow=1'), 400],
    ['no claim', () => app.request('/v1/holders'), 400],
    ['two claims', () => app.request('/v1/holders?tcp_port=1&udp_port=1'), 400],
    ['a port that is none', () => app.request('/v1/holders?tcp_port=65536'), 400],
    ['a relative socket', () => app.request('/v1/holders?socket=a.sock'), 400],
    ['a number that is not one', () => app.request('/v1/events/stream', head({ 'last-event-id': 'x' })), 400],
    ['no JSON', () => post('/v1/services/web/start', '{'), 400],
    ['half a JSON document', () => post('/v1/services/web/start', '{"wait":tr'), 400],
    ['a list for a body', () => post('/v1/services/web/start', '[]'), 400],
    ['null for a body', () => post('/v1/services/web/start', 'null'), 400],
    ['text for a flag', () => post('/v1/services/web/start', '{"wait":"true"}'), 400],
    ['a timeout below 0', () => post('/v1/services/web/start', '{"timeout":-1}'), 400],
    ['a timeout beyond a day', () => post('/v1/services/web/start', '{"timeout":1e300}'), 400],
    ['an unknown field', () => post('/v1/services/web/start', '{"force":true}'), 400],
    ['a prototype for a field', () => post('/v1/services/web/start', '{"__proto__":{"wait":true}}'), 400],
    ['another name in the body', () => post('/v1/services/web/start', '{"name":"api"}'), 400],
    ['a query on a command', () => app.request('/v1/services/web/stop?wait=true', { method: 'POST' }), 400],
    ['deep nesting', () => post('/v1/services/web/start', `${'['.repeat(30_000)}${']'.repeat(30_000)}`), 400],
    ['a form', () => post('/v1/services/web/stop', 'wait=true', 'application/x-www-form-urlencoded'), 415],
    ['text that is JSON', () => post('/v1/services/web/stop', '{}', 'text/plain'), 415],
    ['a huge body', () => post('/v1/services/web/stop', `{"x":"${long}"}`), 413],
    ['a command on no service', () => post('/v1/services/nope/stop', '{}'), 404],
  ];

  function head(headers: Record<string, string>): RequestInit {
    return { headers };
  }

  test.each(requests)('%s', async (_, send, status) => {
    const response = await send();
    expect(response.status).toBe(status);
    await problemOf(response);
    expect(control.calls).toEqual([]);
    expect(reported).toEqual([]);
  });
});

describe('streams', () => {
  test('events come as they happen, with their number', async () => {
    const stream = reader(await app.request('/v1/events/stream'));
    expect(await stream.next()).toBe(': listening\n\n');
    const next = stream.next();
    await Promise.resolve();
    control.happen(fakeEvent(4));
    expect(await next).toBe(`id: 4\ndata: ${JSON.stringify(fakeEvent(4))}\n\n`);
    await stream.cancel();
  });

  test('a stream resumes after the last event seen, whatever the query says', async () => {
    const stream = reader(
      await app.request('/v1/events/stream?after=0', { headers: { 'last-event-id': '2' } }),
    );
    expect(await stream.next()).toBe(': listening\n\n');
    expect(await stream.next()).toMatch(/^id: 3\n/);
    await stream.cancel();
  });

  test('silence is filled by comments, and they lose no event', async () => {
    const stream = reader(await app.request('/v1/events/stream'));
    await stream.next();
    for (let round = 1; round <= 3; round++) {
      const next = stream.next();
      await expect.poll(() => timers.length).toBe(round);
      timers.at(-1)?.();
      expect(await next).toBe(': keep-alive\n\n');
    }
    const next = stream.next();
    await expect.poll(() => timers.length).toBe(4);
    control.happen(fakeEvent(4));
    expect(await next).toMatch(/^id: 4\n/);
    await stream.cancel();
  });

  test('a reader that goes away leaves nothing behind', async () => {
    const stream = reader(await app.request('/v1/events/stream'));
    await stream.next();
    void stream.next();
    await expect.poll(() => control.listeners.size).toBe(1);
    await stream.cancel();
    await expect.poll(() => control.listeners.size).toBe(0);
  });

  test('closing ends every stream, and those to come', async () => {
    const stream = reader(await app.request('/v1/events/stream'));
    await stream.next();
    const next = stream.next();
    streams.close();
    expect(await next).toBeNull();
    const late = reader(await app.request('/v1/events/stream'));
    await late.next();
    expect(await late.next()).toBeNull();
  });

  test('a failure within is its last message', async () => {
    control.followEvents = () => {
      throw new Error('hunter2');
    };
    const stream = reader(await app.request('/v1/events/stream'));
    await stream.next();
    const last = await stream.next();
    expect(last).toMatch(/^event: problem\ndata: \{"type":"urn:upkeep:problem:internal"/);
    expect(last).not.toContain('hunter2');
    expect(await stream.next()).toBeNull();
    expect(reported).toHaveLength(1);
  });

  test('a followed log is events of whole lines', async () => {
    control.logChunks = ['one\ntw', 'o\nthr', 'ee\r\nx', 'y\n'].map((text) => Buffer.from(text));
    const response = await app.request('/v1/jobs/job-web/log?follow=true&tail=5');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const stream = reader(response);
    await stream.next();
    expect(await stream.next()).toBe('id: 1234\ndata: one\n\n');
    expect(await stream.next()).toBe('id: 1234\ndata: two\n\n');
    expect(await stream.next()).toBe('id: 1234\ndata: three\n\n');
    expect(await stream.next()).toBe('id: 1234\ndata: xy\n\n');
    void stream.next();
    await stream.cancel();
    await expect.poll(() => control.calls.at(-1)).toEqual(['followLog ended']);
  });

  test('a followed log resumes by time, with nothing cut off', async () => {
    const headers = { 'last-event-id': '77' };
    const stream = reader(await app.request('/v1/jobs/job-web/log?follow=true&tail=5', { headers }));
    await stream.next();
    await stream.next();
    expect(control.calls).toEqual([['followLog', 'job-web', { since: 77 }]]);
    await stream.cancel();
  });

  test('a followed log is plain bytes for whoever wants text', async () => {
    control.logChunks = [Buffer.from([0xff, 0x00, 0x0a])];
    const response = await app.request('/v1/jobs/job-web/log?follow=true', {
      headers: { accept: 'text/plain' },
    });
    const stream = (response.body as ReadableStream<Uint8Array>).getReader();
    expect([...((await stream.read()).value ?? [])]).toEqual([0xff, 0x00, 0x0a]);
    await stream.cancel();
  });

  test('no more is read than is taken', async () => {
    let made = 0;
    control.log = async function* () {
      for (; made < 1000; ) {
        made++;
        yield Buffer.alloc(1024);
      }
    };
    const stream = reader(await app.request('/v1/jobs/job-web/log'));
    await stream.next();
    await stream.next();
    expect(made).toBeLessThanOrEqual(3);
    await stream.cancel();
  });
});
