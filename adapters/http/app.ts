/**
 * The operations over HTTP: JSON, RFC 9457 problems, server-sent events. It translates and decides nothing.
 */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
// One router instead of a choice of them: 5 MB less in a process that forks at every restart.
import { Hono } from 'hono/tiny';
import type { Clock } from '../../core/host/host.ts';
import { OperationError } from '../../core/operation/error.ts';
import { invoke } from '../../core/operation/invoke.ts';
import type { OperationContext } from '../../core/operation/operation.ts';
import type { OperationName } from '../../core/operation/table.ts';
import type { EventRecord } from '../../core/store/records.ts';
import type { Control } from '../../core/supervisor/control.ts';
import { logMessages } from './log_lines.ts';
import { type Problem, problem, problemOf, problemResponse, RequestProblem } from './problem.ts';
import { requestInput } from './request_input.ts';
import { hasBody, ROUTES, type Route } from './routes.ts';
import { type SseMessage, sseText } from './sse.ts';
import type { OpenStreams } from './stream_body.ts';

/** What the app needs beside the control. */
export interface AppOptions {
  readonly clock: Pick<Clock, 'wall' | 'timer'>;
  /** Where answers that go on are entered, to be ended by whoever ends the server. */
  readonly streams: OpenStreams;
  /** Told of each fault of upkeep's own. */
  readonly report: (error: unknown) => void;
  /** Ms of silence after which a stream of events is kept alive by a comment. */
  readonly keepAlive?: number;
}

/** The largest body that is read, bytes. */
export const BODY_LIMIT = 64 * 1024;

const KEEP_ALIVE = 15_000;

/**
 * The HTTP app. Whoever may open its socket may do everything: it grants every scope.
 *
 * @example
 * ```ts
 * const app = createApp(control, { clock: host.clock, streams: new OpenStreams(), report: console.error });
 * await app.request('/v1/services');
 * ```
 */
export function createApp(control: Control, options: AppOptions): Hono {
  const app = new Hono();
  const tooLarge = (maxSize: number) =>
    bodyLimit({
      maxSize,
      onError: () => problemResponse(problem('too_large', `a body has ${maxSize} bytes at most`)),
    });

  const methods = new Map<string, string[]>();
  for (const [name, route] of Object.entries(ROUTES) as [OperationName, Route][]) {
    const path = honoPath(route.path);
    methods.set(path, [...(methods.get(path) ?? []), route.method]);
    if (hasBody(route)) app.on(route.method, path, tooLarge(route.body_limit ?? BODY_LIMIT));
    app.on(route.method, path, (c) => answer(control, options, name, route, c));
  }
  app.get('/readyz', (c) => {
    const health = control.health();
    return c.json(health, health.status === 'ok' ? 200 : 503);
  });
  methods.set('/readyz', ['GET']);

  for (const [path, allowed] of methods) {
    const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    app.all(path, (c) =>
      problemResponse(problem('method_not_allowed', `${c.req.method} is not among ${allow}`), { allow }),
    );
  }
  app.notFound((c) => problemResponse(problem('no_route', `there is nothing at ${c.req.path}`)));
  app.onError((error) => problemResponse(problemFor(error, options)));
  return app;
}

/** `/v1/jobs/{id}` as Hono writes it. */
function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

async function answer(
  control: Control,
  options: AppOptions,
  name: OperationName,
  route: Route,
  c: Context,
): Promise<Response> {
  const raw = await requestInput(c.req, route);
  const controller = new AbortController();
  const context: OperationContext = { actor: actorOf(c), scope: 'admin', signal: controller.signal };
  const result = await invoke(control, name, raw, context);
  if (route.body === 'json') return c.json(result, route.status);

  const streamed = (body: AsyncIterable<Uint8Array | string>, type: string): Response =>
    new Response(options.streams.body(body, controller), {
      headers: { 'content-type': type, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' },
    });
  const eventStream = (messages: AsyncIterable<SseMessage>): Response =>
    streamed(
      sseText(endingInWords(messages, options), options.clock, options.keepAlive ?? KEEP_ALIVE),
      'text/event-stream',
    );
  // The route says which of the two the operation gives.
  if (route.body === 'events') return eventStream(eventMessages(result as AsyncIterable<EventRecord>));
  const bytes = result as AsyncIterable<Uint8Array>;
  const plain = raw['follow'] !== true || (c.req.header('accept') ?? '').includes('text/plain');
  return plain
    ? streamed(bytes, 'text/plain; charset=utf-8')
    : eventStream(logMessages(bytes, () => options.clock.wall()));
}

/** Who calls: upkeep's own command line says so; on a socket of one's own there is nobody to deceive. */
function actorOf(c: Context): 'cli' | 'http' {
  return c.req.header('upkeep-client') === 'cli' ? 'cli' : 'http';
}

async function* eventMessages(
  events: AsyncIterable<EventRecord>,
): AsyncGenerator<SseMessage, void, undefined> {
  for await (const event of events) yield { id: String(event.seq), data: JSON.stringify(event) };
}

/** A status can no longer be sent once a stream has begun: a failure is its last message instead. */
async function* endingInWords(
  messages: AsyncIterable<SseMessage>,
  options: AppOptions,
): AsyncGenerator<SseMessage, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    yield { event: 'problem', data: JSON.stringify(problemFor(error, options)) };
  }
}

function problemFor(error: unknown, options: AppOptions): Problem {
  if (error instanceof RequestProblem) return error.problem;
  if (error instanceof OperationError) {
    if (error.code === 'internal') options.report(error.cause);
    return problemOf(error);
  }
  options.report(error);
  return problem('internal', "upkeep failed at this; upkeep's own log says why");
}
