/**
 * A typed client: the operations of the table, over upkeep's Unix socket.
 */
import { Agent, type IncomingMessage, request } from 'node:http';
import type {
  CallName,
  InputOf,
  OperationName,
  OutputOf,
  SubscriptionName,
} from '../../core/operation/table.ts';
import { PROBLEMS, type Problem, problem } from '../http/problem.ts';
import { hasBody, ROUTES, type Route } from '../http/routes.ts';
import { BrokenAnswer, ClientError, NoDaemon } from './errors.ts';
import { sseMessages } from './sse_reader.ts';

/** What every operation of the table can be called by. */
export interface Client {
  /**
   * Calls a query or a command.
   *
   * @throws {@link ClientError} for what upkeep refuses, {@link NoDaemon} where none runs.
   */
  call<N extends CallName>(name: N, input: InputOf<N>): Promise<OutputOf<N>>;
  /**
   * Listens to a subscription; leaving the loop hangs up. It ends when upkeep does.
   *
   * @throws as {@link Client.call}, on the first read.
   */
  subscribe<N extends SubscriptionName>(
    name: N,
    input: InputOf<N>,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<OutputOf<N>>;
  /** Lets go of idle connections. */
  close(): void;
}

/** Who calls: recorded with what is changed. */
export interface ClientOptions {
  readonly actor?: 'cli' | 'http';
}

/**
 * A client of the upkeep that serves the socket at `path`. It connects with the first call.
 *
 * @example
 * ```ts
 * const client = createClient('/srv/shop/.upkeep/upkeep.sock');
 * const { items } = await client.call('service.list', {});
 * for await (const event of client.subscribe('event.stream', {})) console.log(event.message);
 * ```
 */
export function createClient(path: string, options: ClientOptions = {}): Client {
  const agent = new Agent({ keepAlive: true });
  const headers = { 'upkeep-client': options.actor ?? 'http' };

  async function* subscribe<N extends SubscriptionName>(
    name: N,
    input: InputOf<N>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<OutputOf<N>, void, undefined> {
    const accept = name === 'job.log' ? 'text/plain' : 'text/event-stream';
    let response: IncomingMessage | null = null;
    try {
      response = await send(path, name, input, {
        agent,
        headers: { ...headers, accept },
        ...(signal !== undefined ? { signal } : {}),
      });
      const items = name === 'job.log' ? response : streamedItems(response);
      // The route says what it carries: bytes for a log, one JSON document a message for everything else.
      for await (const item of items) yield item as OutputOf<N>;
    } catch (error) {
      if (signal?.aborted !== true) throw broken(error, path);
    } finally {
      response?.destroy();
    }
  }

  return {
    async call(name, input) {
      const response = await send(path, name, input, { agent, headers });
      return JSON.parse(await textOf(response, path));
    },
    subscribe,
    close: () => agent.destroy(),
  };
}

interface SendOptions {
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a request; resolves with a successful answer's head, its body unread. */
async function send(
  socket: string,
  name: OperationName,
  input: Readonly<Record<string, unknown>>,
  options: SendOptions,
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
  const body = hasBody(route) ? JSON.stringify(Object.fromEntries(fields)) : null;
  const query = new URLSearchParams();
  if (body === null) for (const [field, value] of fields) query.set(field, String(value));

  const response = await new Promise<IncomingMessage>(function ask(resolve, reject) {
    const outgoing = request(
      {
        socketPath: socket,
        method: route.method,
        path: query.size > 0 ? `${path}?${query}` : path,
        headers: body === null ? options.headers : { ...options.headers, 'content-type': 'application/json' },
        agent: options.agent,
        ...(options.signal !== undefined ? { signal: options.signal } : {}),
      },
      resolve,
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // An idle connection that upkeep has hung up on meanwhile: it has read nothing of this, so it is asked anew.
      if (outgoing.reusedSocket && error.code === 'EPIPE') ask(resolve, reject);
      else reject(broken(error, socket));
    });
    outgoing.end(body ?? undefined);
  });
  if (response.statusCode === route.status) return response;
  throw new ClientError(problemIn(await textOf(response, socket), response.statusCode ?? 0));
}

async function textOf(response: IncomingMessage, socket: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch (error) {
    throw broken(error, socket);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* streamedItems(response: IncomingMessage): AsyncGenerator<unknown, void, undefined> {
  for await (const message of sseMessages(response)) {
    if (message.event === 'problem') throw new ClientError(JSON.parse(message.data));
    yield JSON.parse(message.data);
  }
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

/** What a failed connection means. */
function broken(error: unknown, socket: string): Error {
  if (error instanceof ClientError || error instanceof NoDaemon || error instanceof BrokenAnswer)
    return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return new NoDaemon(socket, { cause: error });
  return new BrokenAnswer(`lost upkeep at ${socket}: ${message}`, { cause: error });
}
