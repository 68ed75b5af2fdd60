/**
 * MCP over Streamable HTTP. Every request stands for itself, so that clients outlive a restart of upkeep, unless the
 * client needs more: one that can be asked questions (it has elicitation) or that says `/mcp?session` gets a session,
 * with subscriptions. Who may call at all is decided in front of this.
 */
import { randomUUID } from 'node:crypto';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Clock } from '../../core/host/host.ts';
import { DEEPEST, isTooDeep } from '../../core/spec/nesting.ts';
import type { OpenStreams } from '../http/stream_body.ts';
import type { Face } from './face.ts';
import { mcpServer, type ServerOptions } from './server.ts';
import { Session, Sessions } from './sessions.ts';
import { streamed } from './streamed.ts';

/** Who sends a request, as far as it is known from outside of it. */
export interface HttpCaller {
  /** What is offered to it. */
  readonly face: Face;
  /** Whose sessions it may use: those of the same key. */
  readonly key: string;
  /**
   * Calls back once the caller may do nothing any more, at once where that is so already; returns what ends the watch.
   * Not there for who may for ever.
   */
  readonly onEnd?: (callback: () => void) => () => void;
}

/** What serving needs. */
export interface McpHttpOptions {
  readonly version: string;
  readonly clock: Pick<Clock, 'timer' | 'mono'>;
  /** Where answers that go on are entered, to be ended by whoever ends the server. */
  readonly streams: OpenStreams;
  readonly report: (error: unknown) => void;
  /** How long a session may be left alone, ms. */
  readonly idle?: number;
  /** How many sessions there can be. */
  readonly sessions?: number;
}

const IDLE = 10 * 60_000;
const SESSIONS = 32;

/** Answers the requests to `/mcp`. */
export class McpHttp {
  readonly #options: McpHttpOptions;
  readonly #sessions: Sessions;

  constructor(options: McpHttpOptions) {
    this.#options = options;
    this.#sessions = new Sessions(options.clock, options.idle ?? IDLE, options.sessions ?? SESSIONS);
  }

  /** How many sessions there are. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Answers a request; its body is bounded by whoever stands in front. */
  async handle(request: Request, caller: HttpCaller): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (request.method !== 'POST') {
      if (id !== null) return this.#inSession(request, undefined, id, caller);
      return failure(405, -32000, 'Without a session there is only POST', { allow: 'POST' });
    }
    let body: unknown;
    try {
      body = JSON.parse(await request.text());
    } catch {
      return failure(400, -32700, 'Parse error: the body is not valid JSON');
    }
    if (isTooDeep(body)) {
      return failure(400, -32600, `The message must not be nested more than ${DEEPEST} levels deep`);
    }
    if (id !== null) return this.#inSession(request, body, id, caller);
    return wantsSession(request, body)
      ? this.#newSession(request, body, caller)
      : this.#once(request, body, caller);
  }

  /** Ends every session. */
  close(): void {
    this.#sessions.close();
  }

  async #inSession(request: Request, body: unknown, id: string, { key }: HttpCaller): Promise<Response> {
    const session = this.#sessions.find(id, key);
    if (session === null) return failure(404, -32001, 'This session has ended: initialize again');
    return session.handle(request, body, this.#options.streams);
  }

  async #newSession(request: Request, body: unknown, { face, key, onEnd }: HttpCaller): Promise<Response> {
    if (!this.#sessions.makeRoom()) {
      return failure(503, -32000, 'There are too many sessions; end one with DELETE, or try again later');
    }
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#sessions.add(id, session);
        forget = onEnd?.(() => session.close());
      },
    });
    let forget: (() => void) | undefined;
    const session: Session = new Session(transport, key, this.#options.clock, {
      left: () => this.#sessions.left(),
      ended: () => {
        this.#sessions.remove(transport.sessionId ?? '');
        forget?.();
      },
    });
    const server = mcpServer(face, {
      ...this.#serverOptions(request),
      lasting: true,
      keepsUp: () => session.keepsUp,
      cancelled: (requestId) => transport.closeSSEStream(requestId),
    });
    await server.connect(transport);
    const response = await session.handle(request, body, this.#options.streams);
    // It was no initialization after all, or a wrong one.
    if (transport.sessionId === undefined) await server.close();
    return response;
  }

  /** One request, one server: it is gone with the answer. */
  async #once(request: Request, body: unknown, { face, onEnd }: HttpCaller): Promise<Response> {
    const transport = new WebStandardStreamableHTTPServerTransport();
    const server = mcpServer(face, { ...this.#serverOptions(request), lasting: false });
    await server.connect(transport);
    const response = await transport.handleRequest(request, { parsedBody: body });
    const forget = onEnd?.(() => void server.close());
    // Whoever hangs up can no longer be answered: what was asked for is cancelled with it.
    return streamed(response, this.#options.streams, () => {
      forget?.();
      void server.close();
    });
  }

  #serverOptions(request: Request): Omit<ServerOptions, 'lasting'> {
    const { version, clock, report } = this.#options;
    const [client] = (request.headers.get('user-agent') ?? 'http').split(/[/\s]/, 1);
    return { version, clock, report, ...(client === undefined ? {} : { client }) };
  }
}

/** Whether a message begins a conversation that one request cannot hold. */
function wantsSession(request: Request, body: unknown): boolean {
  const message = body as { method?: unknown; params?: { capabilities?: { elicitation?: unknown } } } | null;
  if (message?.method !== 'initialize') return false;
  return (
    message.params?.capabilities?.elicitation !== undefined ||
    new URL(request.url).searchParams.has('session')
  );
}

function failure(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status, headers });
}
