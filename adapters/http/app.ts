/**
 * The operations over HTTP: JSON, RFC 9457 problems, server-sent events. It translates and decides nothing.
 */
import type { Context } from 'hono';
// One router instead of a choice of them: 5 MB less in a process that forks at every restart.
import { Hono } from 'hono/tiny';
import type { Clock } from '../../core/host/host.ts';
import { OperationError } from '../../core/operation/error.ts';
import { invoke, invokeBatches } from '../../core/operation/invoke.ts';
import { hasSecretOutput, type Operation, type OperationContext } from '../../core/operation/operation.ts';
import { OPERATIONS, type OperationName } from '../../core/operation/table.ts';
import type { Control } from '../../core/supervisor/control.ts';
import { accepts } from './accept.ts';
import { type Caller, callerOf, hasToken } from './caller.ts';
import { clientActor } from './client_actor.ts';
import { taggedJson, taggedResponse } from './etag.ts';
import { eventTexts } from './event_text.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { Load } from './load.ts';
import { logTexts } from './log_lines.ts';
import { mcpRoute } from './mcp_route.ts';
import { metaRoutes } from './meta.ts';
import { type Problem, problem, problemOf, problemResponse, RequestProblem } from './problem.ts';
import { bodyText, requestInput } from './request_input.ts';
import { ROUTES, type Route, type RouteBody } from './routes.ts';
import { formatSse, sseText } from './sse.ts';
import type { OpenStreams } from './stream_body.ts';

/** What the app needs beside the control. */
export interface AppOptions {
  readonly clock: Pick<Clock, 'wall' | 'mono' | 'timer'>;
  /** Where answers that go on are entered, to be ended by whoever ends the server. */
  readonly streams: OpenStreams;
  /** Told of each fault of upkeep's own. */
  readonly report: (error: unknown) => void;
  /** Ms of silence after which a stream of events is kept alive by a comment. */
  readonly keepAlive?: number;
}

/** The largest body of a request to `/mcp`, bytes: a whole service file may be an argument. */
export const MCP_BODY_LIMIT = 1024 * 1024;

const KEEP_ALIVE = 15_000;

/**
 * The HTTP app. Who calls, and how far they may go, is told by the listener: see `callerOf`.
 *
 * @example
 * ```ts
 * const app = createApp(control, { clock: host.clock, streams: new OpenStreams(), report: console.error });
 * await app.request('/v1/services');
 * ```
 */
export function createApp(control: Control, options: AppOptions): Hono {
  const app = new Hono();
  const desk: Desk = {
    control,
    options,
    load: new Load(options.streams),
    keys: new IdempotencyKeys(() => options.clock.wall()),
  };

  const methods = new Map<string, string[]>();
  for (const [name, route] of Object.entries(ROUTES) as [OperationName, Route][]) {
    const path = honoPath(route.path);
    methods.set(path, [...(methods.get(path) ?? []), route.method]);
    app.on(route.method, path, (c) => answer(desk, name, route, c));
  }
  for (const { method, path, handle } of metaRoutes({ ...desk, report: options.report, contextOf })) {
    methods.set(path, [method]);
    app.on(method, path, handle);
  }

  const mcp = mcpRoute(control, options);
  app.all('/mcp', async (c) => {
    const { scope, principal } = contextOf(c, c.req.raw.signal);
    const { url, method, headers } = c.req.raw;
    const text = await bodyText(c.req, MCP_BODY_LIMIT);
    const request = new Request(url, { method, headers, ...(text === '' ? {} : { body: text }) });
    return mcp(request, { scope, principal });
  });

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

/** What answering needs. */
interface Desk {
  readonly control: Control;
  readonly options: AppOptions;
  readonly load: Load;
  readonly keys: IdempotencyKeys;
}

/** What is answered however much is under way: how it is, and the way out. */
const ALWAYS_ANSWERED: readonly OperationName[] = ['health.get', 'daemon.shutdown'];

/** The media types of each kind of answer. */
const MEDIA_TYPES = {
  json: ['application/json'],
  log: ['text/plain', 'text/event-stream'],
  events: ['text/event-stream'],
} as const satisfies Record<RouteBody, readonly string[]>;

async function answer(desk: Desk, name: OperationName, route: Route, c: Context): Promise<Response> {
  const offered = MEDIA_TYPES[route.body];
  if (!accepts(c.req.header('accept'), offered)) {
    throw new RequestProblem('not_acceptable', `this is answered in ${offered.join(' or ')}`);
  }
  if (route.body !== 'json') return streamedAnswer(desk, route, c);
  const work = (): Promise<Response> => jsonAnswer(desk, name, route, c);
  return ALWAYS_ANSWERED.includes(name) ? work() : desk.load.within(work);
}

async function jsonAnswer(
  { control, keys }: Desk,
  name: OperationName,
  route: Route,
  c: Context,
): Promise<Response> {
  const raw = await requestInput(c.req, route);
  const context = contextOf(c, new AbortController().signal);
  if (route.method === 'GET') {
    const body = taggedJson(await invoke(control, name, raw, context));
    return taggedResponse(c.req.header('if-none-match'), body, 'application/json');
  }
  const called = async () => ({
    status: route.status,
    body: JSON.stringify(await invoke(control, name, raw, context)),
  });
  const operation: Operation = OPERATIONS[name];
  const key = operation.kind === 'command' ? c.req.header('idempotency-key') : undefined;
  const secret = hasSecretOutput(operation);
  if (secret && key !== undefined) {
    const why = 'its answer is told once only, and kept by nobody';
    throw new RequestProblem('invalid_input', `${name} takes no Idempotency-Key, as ${why}`);
  }
  const { answer, replayed } =
    key === undefined
      ? { answer: await called(), replayed: false }
      : await keys.run(context.principal, key, [name, raw], called);
  return new Response(answer.body, {
    status: answer.status,
    headers: {
      'content-type': 'application/json',
      ...(replayed ? { 'idempotency-replayed': 'true' } : {}),
      ...(secret ? { 'cache-control': 'no-store' } : {}),
    },
  });
}

async function streamedAnswer({ control, options, load }: Desk, route: Route, c: Context): Promise<Response> {
  load.checkStreams();
  const raw = await requestInput(c.req, route);
  const controller = new AbortController();
  const context = contextOf(c, controller.signal);
  const streamed = (body: AsyncIterable<Uint8Array | string>, type: string): Response =>
    new Response(options.streams.body(whileAllowed(body, control, context, controller), controller), {
      headers: { 'content-type': type, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' },
    });
  const eventStream = (messages: AsyncIterable<Uint8Array | string>): Response =>
    streamed(
      sseText(endingInWords(messages, options), options.clock, options.keepAlive ?? KEEP_ALIVE),
      'text/event-stream',
    );
  // The route says which of the two the operation gives.
  if (route.body === 'events') {
    return eventStream(eventTexts(await invokeBatches(control, 'event.stream', raw, context)));
  }
  const plain = raw['follow'] !== true || (c.req.header('accept') ?? '').includes('text/plain');
  return plain
    ? streamed(await invoke(control, 'job.log', raw, context), 'text/plain; charset=utf-8')
    : eventStream(
        logTexts(await invokeBatches(control, 'job.log', raw, context), () => options.clock.wall()),
      );
}

/** What a token has opened ends with it. */
async function* whileAllowed<T>(
  items: AsyncIterable<T>,
  control: Control,
  caller: Caller,
  controller: AbortController,
): AsyncGenerator<T, void, undefined> {
  const end = (): void => controller.abort();
  const forget = hasToken(caller) ? control.access.tokens.onEnd(caller.principal, end) : null;
  try {
    yield* items;
  } finally {
    forget?.();
  }
}

/** Who calls; upkeep's own faces say who they are, which is believed on the owner's socket only. */
function contextOf(c: Context, signal: AbortSignal): OperationContext {
  const caller = callerOf(c);
  const actor = hasToken(caller) ? 'http' : clientActor(c.req.header('upkeep-client'));
  return { ...caller, actor, signal };
}

/** A status can no longer be sent once a stream has begun: a failure is its last message instead. */
async function* endingInWords(
  messages: AsyncIterable<Uint8Array | string>,
  options: AppOptions,
): AsyncGenerator<Uint8Array | string, void, undefined> {
  try {
    yield* messages;
  } catch (error) {
    yield formatSse({ event: 'problem', data: JSON.stringify(problemFor(error, options)) });
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
