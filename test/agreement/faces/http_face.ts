/**
 * HTTP, written down here by hand and not by upkeep's own client.
 */
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { ROUTES, type Route } from '../../../adapters/http/routes.ts';
import type { Scope } from '../../../core/access/scope.ts';
import type { CallName, OperationName } from '../../../core/operation/table.ts';
import { failed } from '../outcome.ts';
import type { World } from '../world.ts';
import type { Face, Input } from './face.ts';

/** Where requests go. */
export type Way = 'unix' | 'tcp';

/** What a request needs. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request as somebody with that scope; resolves with the head of the answer. */
export function send(world: World, way: Way, as: Scope, asked: Asked): Promise<IncomingMessage> {
  const { method, path, body, headers = {} } = asked;
  const options: RequestOptions =
    way === 'unix' ? { socketPath: world.socket } : { host: '127.0.0.1', port: world.port };
  const token = way === 'unix' ? {} : { authorization: `Bearer ${world.tokens[as]}` };
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...options, method, path, headers: { ...token, ...json, ...headers }, agent: false },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The whole body of an answer. */
export async function textOf(response: IncomingMessage): Promise<string> {
  return Buffer.concat(await response.toArray()).toString();
}

/** HTTP on one of the two listeners. */
export function httpFace(world: World, way: Way): Face {
  return {
    name: `http ${way}`,
    tokens: way === 'tcp',
    async call(operation, input, as) {
      const unsaid = unsayable(operation, input);
      if (unsaid !== null) return { unsaid };
      const response = await send(world, way, as, requestOf(operation, input));
      const document = JSON.parse(await textOf(response));
      const route: Route = ROUTES[operation];
      return response.statusCode === route.status ? { answer: document } : failed(document);
    },
  };
}

/** The request that says this. */
export function requestOf(operation: OperationName, input: Input): Asked {
  const route: Route = ROUTES[operation];
  const rest = new Map(Object.entries(input));
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
    const value = String(rest.get(field));
    rest.delete(field);
    return encodeURIComponent(value);
  });
  const { method } = route;
  if (method === 'POST' || method === 'PUT') return { method, path, body: Object.fromEntries(rest) };
  const query = new URLSearchParams(
    [...rest].map(([field, value]): [string, string] => [field, String(value)]),
  );
  return { method, path: query.size === 0 ? path : `${path}?${query}` };
}

/** Why a URL cannot say this; null where it can: in a path and a query everything is text. */
export function unsayable(operation: CallName, input: Input): string | null {
  const { path, method, convert }: Route = ROUTES[operation];
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, field = '']) => field);
  const absent = inPath.find((field) => !(field in input));
  if (absent !== undefined) return `${absent} is a part of the path`;
  const inBody = method === 'POST' || method === 'PUT';
  for (const [field, value] of Object.entries(input)) {
    const kind = inPath.includes(field) ? undefined : convert[field];
    if (inBody && !inPath.includes(field)) continue;
    if (typeof value !== 'string' && typeof value !== kind) return `${field} is text in a URL`;
  }
  return null;
}
