/**
 * Where each operation lives in HTTP. Plain data: the server answers from it, the client asks by it, so that the
 * two cannot disagree.
 */
import type { OperationName } from '../../core/operation/table.ts';

/** How an answer is written down. */
export type RouteBody =
  /** One JSON document. */
  | 'json'
  /** Bytes as they are; server-sent events for a follower that does not ask for text/plain. */
  | 'log'
  /** Server-sent events, one for each item. */
  | 'events';

/** One operation's place. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{field}` stands for a field of the input. */
  readonly path: string;
  readonly body: RouteBody;
  /** The query's fields that are not text. */
  readonly convert: Readonly<Record<string, 'number' | 'boolean'>>;
  /** The status of success. */
  readonly status: 200 | 202;
  /** The largest body, bytes, where it is not the usual. */
  readonly limit?: number;
  /** The input field that a `Last-Event-ID` stands for. */
  readonly resume?: string;
}

/**
 * The largest body that holds a service file, bytes: written down as one JSON string, every character of it may need two
 * or more.
 */
export const SPEC_BODY = 10 * 1024 * 1024;

/** The route of every operation; the compiler refuses a table that lacks one. */
export const ROUTES = {
  'service.list': get('/v1/services', { limit: 'number' }),
  'service.get': get('/v1/services/{name}'),
  'service.start': post('/v1/services/{name}/start'),
  'service.stop': post('/v1/services/{name}/stop'),
  'service.restart': post('/v1/services/{name}/restart'),
  'service.why': get('/v1/services/{name}/why'),
  'service.heal': post('/v1/services/{name}/heal'),
  'service.put': { ...post('/v1/services/{name}'), method: 'PUT', limit: SPEC_BODY },
  'service.delete': { ...get('/v1/services/{name}', { dry_run: 'boolean' }), method: 'DELETE' },
  'spec.check': { ...post('/v1/check'), limit: SPEC_BODY },
  'spec.apply': { ...post('/v1/apply'), limit: SPEC_BODY },
  'run.list': get('/v1/runs', { limit: 'number' }),
  'run.get': get('/v1/runs/{id}'),
  'job.list': get('/v1/jobs', { limit: 'number' }),
  'job.get': get('/v1/jobs/{id}'),
  'job.log': {
    ...get('/v1/jobs/{id}/log', {
      tail: 'number',
      since: 'number',
      incarnation: 'number',
      follow: 'boolean',
    }),
    body: 'log',
    resume: 'since',
  },
  'job.signal': post('/v1/jobs/{id}/signal'),
  'log.read': get('/v1/jobs/{id}/lines', {
    tail: 'number',
    since: 'number',
    incarnation: 'number',
    limit: 'number',
  }),
  'log.search': get('/v1/log/search', {
    incarnation: 'number',
    since: 'number',
    until: 'number',
    limit: 'number',
  }),
  'holder.find': get('/v1/holders', { tcp_port: 'number', udp_port: 'number' }),
  'plugin.list': get('/v1/plugins', { limit: 'number' }),
  'event.list': get('/v1/events', { after: 'number', before: 'number', limit: 'number' }),
  'event.stream': { ...get('/v1/events/stream', { after: 'number' }), body: 'events', resume: 'after' },
  'health.get': get('/healthz'),
  'daemon.shutdown': { ...post('/v1/shutdown'), status: 202 },
  'token.create': post('/v1/tokens'),
  'token.list': get('/v1/tokens', { limit: 'number' }),
  'token.revoke': post('/v1/tokens/{name}/revoke'),
  'audit.list': get('/v1/audit', { after: 'number', limit: 'number' }),
} as const satisfies Record<OperationName, Route>;

/** Whether the fields that are not in the path come in a body; in the query where not. */
export function takesBody({ method }: Pick<Route, 'method'>): boolean {
  return method === 'POST' || method === 'PUT';
}

function get(path: string, convert: Route['convert'] = {}): Route {
  return { method: 'GET', path, body: 'json', convert, status: 200 };
}

function post(path: string): Route {
  return { method: 'POST', path, body: 'json', convert: {}, status: 200 };
}
