/**
 * The HTTP server below every listener: what Node lets through, within which limits, and how it ends. Whatever is refused
 * here is told as a problem too.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Clock } from '../../core/host/host.ts';
import { type ProblemCode, problem, problemResponse, RETRY_AFTER } from './problem.ts';
import type { OpenStreams } from './stream_body.ts';

/** What one connection, and all of them, may ask for. Times are ms, sizes bytes. */
export const LIMITS = {
  /** The request line and all header fields together. */
  header_size: 16_384,
  header_count: 100,
  /** From the first byte to the end of the header. */
  header_time: 10_000,
  /** From the first byte to the end of the body. */
  request_time: 30_000,
  /** How long a connection may be idle. */
  idle_time: 65_000,
  /** Above this a request is answered that there are too many. */
  connections: 960,
  /** Above this nobody is answered. */
  connections_at_most: 1024,
} as const;

/** The limits, for tests to be quicker. */
export type Limits = { readonly [K in keyof typeof LIMITS]: number };

/** A server, and how it ends. */
export interface NodeServer {
  /** It listens nowhere yet. */
  readonly server: Server;
  /**
   * Takes no more connections, ends the streams, and lets requests under way finish for `grace` ms before it hangs up.
   * Resolves when nothing is left.
   */
  close(streams: OpenStreams, clock: Pick<Clock, 'timer'>, grace: number): Promise<void>;
}

/** Answers a request; `env` has the connection that it came by. */
export type Fetch = (request: Request, env: HttpBindings) => Response | Promise<Response>;

/** A server that answers by `fetch`. */
export function createNodeServer(fetch: Fetch, limits: Limits = LIMITS): NodeServer {
  const unanswered = new Set<ServerResponse>();
  /** The exchanges of each connection that are not over, the oldest first. */
  const underWay = new WeakMap<Duplex, Set<Exchange>>();
  let connections = 0;
  const listener = getRequestListener((request, env) => fetch(request, env as HttpBindings), {
    // What is no URL that a host could have. Whatever happens behind the app's own door is answered there.
    errorHandler: (error) =>
      problemResponse(problem('malformed_request', error instanceof Error ? error.message : 'no such URL')),
  });

  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { socket } = incoming;
    const exchanges = underWay.get(socket) ?? new Set();
    underWay.set(socket, exchanges);
    const exchange = { incoming, outgoing };
    exchanges.add(exchange);
    unanswered.add(outgoing);
    outgoing.once('close', () => {
      exchanges.delete(exchange);
      unanswered.delete(outgoing);
    });
    if (!server.listening) lastOf(outgoing);
    if (incoming.rawHeaders.length > 2 * limits.header_count) {
      refuse(outgoing, 'headers_too_large', `a request has ${limits.header_count} header fields at most`);
    } else if (connections > limits.connections) {
      refuse(outgoing, 'too_busy', `${limits.connections} connections are open, which is as many as may be`);
    } else {
      void listener(incoming, outgoing);
    }
  };

  const server = createServer(
    {
      maxHeaderSize: limits.header_size,
      headersTimeout: limits.header_time,
      requestTimeout: limits.request_time,
      keepAliveTimeout: limits.idle_time,
      connectionsCheckingInterval: Math.min(5000, limits.header_time),
      // Told by the app's own words instead.
      requireHostHeader: false,
    },
    answer,
  );
  // Above this count Node would leave header fields out without a word; the size is bounded, and the count is looked at.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections_at_most;
  server.on('connection', (socket) => {
    connections++;
    socket.once('close', () => connections--);
  });
  server.on('checkExpectation', (_: IncomingMessage, outgoing: ServerResponse) =>
    refuse(outgoing, 'expectation_failed', 'the only expectation that can be met is 100-continue'),
  );
  server.on('connect', (_: IncomingMessage, socket: Duplex) =>
    socket.end(rawProblem('method_not_allowed', 'this is no proxy')),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // Ended with a problem before: it may still be on its way.
    if (socket.writableEnded) return;
    if (!socket.writable || error.code === 'ECONNRESET' || !isNext(underWay.get(socket))) socket.destroy();
    else socket.end(rawProblem(...parserProblem(error, limits)), () => socket.destroy());
  });

  const close: NodeServer['close'] = (streams, clock, grace) =>
    new Promise((resolve) => {
      const cancel = clock.timer(grace, () => server.closeAllConnections());
      server.close(() => {
        cancel();
        resolve();
      });
      for (const outgoing of unanswered) lastOf(outgoing);
      streams.close();
      server.closeIdleConnections();
    });
  return { server, close };
}

/** Makes an answer the last of its connection, and says so: nobody shall send the next request into the end. */
function lastOf(outgoing: ServerResponse): void {
  if (outgoing.headersSent) outgoing.once('finish', () => outgoing.socket?.end());
  else outgoing.setHeader('connection', 'close');
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/**
 * Whether what is written now is read as the answer to what the parser stumbled over: not in the middle of another
 * answer, and not before one that is still to come.
 */
function isNext(exchanges: ReadonlySet<Exchange> = new Set()): boolean {
  const [first, ...others] = exchanges;
  if (first === undefined) return true;
  return others.length === 0 && !first.incoming.complete && !first.outgoing.headersSent;
}

/** What Node's parser has against a request. */
function parserProblem({ code }: NodeJS.ErrnoException, limits: Limits): [ProblemCode, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['headers_too_large', `the header has ${limits.header_size} bytes at most`];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return ['too_large', 'the extensions of a chunk are too long'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['request_timeout', 'the request did not come to its end in time'];
    default:
      // The parser's own words may repeat what came, which may hold a secret.
      return ['malformed_request', `this is no HTTP request${code === undefined ? '' : ` (${code})`}`];
  }
}

function refuse(outgoing: ServerResponse, code: ProblemCode, detail: string): void {
  const document = problem(code, detail);
  const body = JSON.stringify(document);
  outgoing.writeHead(document.status, {
    'content-length': Buffer.byteLength(body),
    'content-type': 'application/problem+json',
    connection: 'close',
    ...(document.status === 503 ? { 'retry-after': String(RETRY_AFTER) } : {}),
  });
  outgoing.end(body);
}

function rawProblem(code: ProblemCode, detail: string): string {
  const document = problem(code, detail);
  const body = JSON.stringify(document);
  return [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
