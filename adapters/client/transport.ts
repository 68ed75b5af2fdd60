/**
 * One request of an operation, over a Unix socket or TCP, and what its failure means.
 */
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { OperationName } from '../../core/operation/table.ts';
import { PROBLEMS, type Problem, problem } from '../http/problem.ts';
import { ROUTES, type Route, takesBody } from '../http/routes.ts';
import { AnswerTooLarge, BrokenAnswer, ClientError, NoDaemon } from './errors.ts';

/** Where upkeep is: the path of its socket, the same by name, or its URL and a token. */
export type ClientTarget =
  | string
  | { readonly socket: string }
  | { readonly url: string; readonly token: string };

/** A way to upkeep. */
export interface Transport {
  /** The socket or the URL, for messages. */
  readonly where: string;
  readonly options: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
  close(): void;
}

/**
 * The way to a target. Nothing is connected yet.
 *
 * @throws {TypeError} where it is no target.
 */
export function openTransport(target: ClientTarget, headers: Readonly<Record<string, string>>): Transport {
  const agent = new Agent({ keepAlive: true });
  const close = (): void => agent.destroy();
  if (typeof target === 'string' || 'socket' in target) {
    const socketPath = typeof target === 'string' ? target : target.socket;
    return { where: socketPath, options: { agent, socketPath }, headers, close };
  }
  const { protocol, hostname, port, origin } = new URL(target.url);
  if (protocol !== 'http:') {
    throw new TypeError(`Cannot use ${origin} as its protocol must be http: current value is ${protocol}`);
  }
  return {
    where: origin,
    // Node takes an IPv6 address without its brackets.
    options: { agent, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 80 : port },
    headers: { ...headers, authorization: `Bearer ${target.token}` },
    close,
  };
}

/** What belongs to one request. */
export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Ms until the answer has to begin. */
  readonly timeout?: number;
}

/**
 * Sends a request; resolves with a successful answer's head, its body unread.
 *
 * @throws {@link ClientError}, {@link NoDaemon}, {@link BrokenAnswer}, or the signal's reason.
 */
export async function send(
  transport: Transport,
  name: OperationName,
  input: Readonly<Record<string, unknown>>,
  { headers = {}, signal, timeout }: SendOptions = {},
): Promise<IncomingMessage> {
  const route: Route = ROUTES[name];
  const fields = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
    const value = String(fields.get(field) ?? '');
    fields.delete(field);
    // These would be read as a part of the path, however they are escaped.
    if (['', '.', '..'].includes(value)) {
      throw new ClientError(problem('invalid_input', `${name}: ${field} must not be '${value}'`));
    }
    return encodeURIComponent(value);
  });
  const body = takesBody(route) ? JSON.stringify(Object.fromEntries(fields)) : null;
  const query = new URLSearchParams();
  if (body === null) for (const [field, value] of fields) query.set(field, String(value));

  signal?.throwIfAborted();
  const response = await new Promise<IncomingMessage>(function ask(resolve, reject) {
    const outgoing = request(
      {
        ...transport.options,
        method: route.method,
        path: query.size > 0 ? `${path}?${query}` : path,
        headers: {
          ...transport.headers,
          ...headers,
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        ...(signal !== undefined ? { signal } : {}),
      },
      resolve,
    );
    if (timeout !== undefined) {
      const late = (): void => {
        outgoing.destroy(new BrokenAnswer(`no answer from ${transport.where} within ${timeout} ms`));
      };
      const timer = setTimeout(late, timeout);
      outgoing.once('response', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
    }
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // An idle connection that upkeep has hung up on meanwhile: it has read nothing of this, so it is asked anew.
      if (outgoing.reusedSocket && error.code === 'EPIPE') ask(resolve, reject);
      else reject(failure(error, transport, signal));
    });
    outgoing.end(body ?? undefined);
  });
  if (response.statusCode === route.status) return response;
  throw new ClientError(problemIn(await textOf(response, transport, signal), response.statusCode ?? 0));
}

/** The largest answer that is taken, bytes: a page of a thousand events with all the evidence there can be is smaller. */
export const ANSWER_LIMIT = 64 * 1024 * 1024;

/** The whole body of an answer. @throws as {@link send} does, and {@link AnswerTooLarge}. */
export async function textOf(
  response: IncomingMessage,
  transport: Transport,
  signal?: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      // Leaving the loop hangs up.
      if (size > ANSWER_LIMIT) {
        throw new AnswerTooLarge(`an answer from ${transport.where} has more than ${ANSWER_LIMIT} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw failure(error, transport, signal);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What a failed connection means. */
export function failure(error: unknown, { where }: Transport, signal?: AbortSignal): unknown {
  if (error instanceof ClientError || error instanceof NoDaemon || error instanceof BrokenAnswer)
    return error;
  if (signal?.aborted === true) return signal.reason;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return new NoDaemon(where, { cause: error });
  return new BrokenAnswer(`lost upkeep at ${where}: ${message}`, { cause: error });
}

function problemIn(text: string, status: number): Problem {
  try {
    const document = JSON.parse(text);
    if (typeof document?.code === 'string' && document.code in PROBLEMS) return document;
  } catch {
    // No JSON: told below.
  }
  throw new BrokenAnswer(`an answer with status ${status} that is none of upkeep's`);
}
