/**
 * What every listener has in common: limits, and an end that leaves nothing behind.
 */
import type { Server } from 'node:http';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import type { Host } from '../../core/host/host.ts';
import type { OpenStreams } from './stream_body.ts';

/** What a listener bears. */
export interface ServerLimits {
  /** Ms until a request's head must be there; a connection that says nothing counts as a head that does not come. */
  readonly headers_timeout: number;
  /** Ms until all of a request must be there. Answers may take as long as they like. */
  readonly request_timeout: number;
  /** How often both are looked at, ms. */
  readonly check_interval: number;
  /** Bytes of a request's head. */
  readonly max_header: number;
  /** Connections at once; more are hung up on. */
  readonly max_connections: number;
}

/** The limits of both listeners. */
export const SERVER_LIMITS: ServerLimits = {
  headers_timeout: 10_000,
  request_timeout: 60_000,
  check_interval: 5_000,
  max_header: 16 * 1024,
  max_connections: 1024,
};

/** What serving needs of the host. */
export interface ServeOptions {
  readonly host: Pick<Host, 'files' | 'net' | 'clock'>;
  readonly streams: OpenStreams;
  readonly limits?: ServerLimits;
}

/** Thrown where a listener cannot be made, or not safely. */
export class CannotServe extends Error {
  override readonly name = 'CannotServe';
}

/** A server that does not listen yet. */
export function createServer(
  fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>,
  limits: ServerLimits = SERVER_LIMITS,
): Server {
  const server = createAdaptorServer({
    fetch: (request, env) => fetch(request, env as HttpBindings),
    serverOptions: {
      headersTimeout: limits.headers_timeout,
      requestTimeout: limits.request_timeout,
      connectionsCheckingInterval: limits.check_interval,
      maxHeaderSize: limits.max_header,
    },
  }) as Server;
  server.maxConnections = limits.max_connections;
  return server;
}

/**
 * Takes no more connections, ends the streams, and lets requests under way finish for `grace` ms before it hangs up.
 * Resolves when nothing is left.
 */
export function closeServer(server: Server, { host, streams }: ServeOptions, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = host.clock.timer(grace, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    streams.close();
    server.closeIdleConnections();
  });
}
