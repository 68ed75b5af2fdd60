/**
 * The sessions of MCP clients over HTTP: a bounded number, each until it is ended or has been left alone too long.
 */
import type { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Clock } from '../../core/host/host.ts';
import type { OpenStreams } from '../http/stream_body.ts';
import { streamed } from './streamed.ts';

/** How many messages may wait for a client that does not read. */
const BACKLOG = 256;

/** One client's session. */
export class Session {
  readonly key: string;
  readonly #transport: WebStandardStreamableHTTPServerTransport;
  readonly #clock: Pick<Clock, 'mono'>;
  readonly #left: () => void;
  #open = 0;
  #idleSince: number;
  /** Messages that were sent to the listening stream, and pieces of it that were read; null where none listens. */
  #listening: { sent: number; read: number } | null = null;

  constructor(
    transport: WebStandardStreamableHTTPServerTransport,
    key: string,
    clock: Pick<Clock, 'mono'>,
    hooks: { readonly left: () => void; readonly ended: () => void },
  ) {
    this.#transport = transport;
    this.key = key;
    this.#clock = clock;
    this.#left = hooks.left;
    this.#idleSince = clock.mono();
    transport.onclose = hooks.ended;
    this.#countMessages();
  }

  /** Since when nobody has been connected, on the monotonic clock; null while somebody is. */
  get idleSince(): number | null {
    return this.#open === 0 ? this.#idleSince : null;
  }

  /** Whether the client listens, and takes what it is sent. */
  get keepsUp(): boolean {
    return this.#listening !== null && this.#listening.sent - this.#listening.read < BACKLOG;
  }

  /** Answers a request of this session. */
  async handle(request: Request, body: unknown, streams: OpenStreams): Promise<Response> {
    this.#open += 1;
    let response: Response;
    try {
      response = await this.#transport.handleRequest(request, body === undefined ? {} : { parsedBody: body });
    } catch (error) {
      this.#closed();
      throw error;
    }
    if (request.method !== 'GET' || response.status !== 200) {
      return streamed(response, streams, () => this.#closed());
    }
    const listening = { sent: 0, read: 0 };
    this.#listening = listening;
    return streamed(
      response,
      streams,
      () => {
        if (this.#listening === listening) this.#listening = null;
        this.#closed();
      },
      () => {
        // Comments that keep the stream alive are read too, and sent by nobody.
        listening.read = Math.min(listening.read + 1, listening.sent);
      },
    );
  }

  /** Ends it, with all that is under way. */
  close(): void {
    void this.#transport.close();
  }

  #closed(): void {
    this.#open -= 1;
    this.#idleSince = this.#clock.mono();
    if (this.#open === 0) this.#left();
  }

  /** Messages that belong to no request go to the listening stream, which keeps them however slow its reader is. */
  #countMessages(): void {
    const send = this.#transport.send.bind(this.#transport);
    this.#transport.send = (message, options) => {
      const own = options?.relatedRequestId === undefined && 'method' in message;
      if (own && this.#listening !== null) this.#listening.sent += 1;
      return send(message, options);
    };
  }
}

/** All of them. */
export class Sessions {
  readonly #clock: Pick<Clock, 'timer' | 'mono'>;
  readonly #idle: number;
  readonly #limit: number;
  readonly #sessions = new Map<string, Session>();
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Pick<Clock, 'timer' | 'mono'>, idle: number, limit: number) {
    this.#clock = clock;
    this.#idle = idle;
    this.#limit = limit;
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(id: string, session: Session): void {
    this.#sessions.set(id, session);
  }

  /** The session of an id, for the one whose it is. */
  find(id: string, key: string): Session | null {
    const session = this.#sessions.get(id);
    return session?.key === key ? session : null;
  }

  remove(id: string): void {
    this.#sessions.delete(id);
  }

  /** Ends the session that has been left alone longest where there are too many; false where all are in use. */
  makeRoom(): boolean {
    if (this.#sessions.size < this.#limit) return true;
    const [oldest] = [...this.#sessions]
      .filter(([, { idleSince }]) => idleSince !== null)
      .sort(([, a], [, b]) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
    if (oldest === undefined) return false;
    this.#end(...oldest);
    return true;
  }

  /** To be called when a session has been left alone. */
  left(): void {
    this.#cancelTimer ??= this.#clock.timer(this.#idle, () => this.#sweep());
  }

  close(): void {
    this.#cancelTimer?.();
    for (const [id, session] of this.#sessions) this.#end(id, session);
  }

  #sweep(): void {
    this.#cancelTimer = null;
    const now = this.#clock.mono();
    let next = Number.POSITIVE_INFINITY;
    for (const [id, session] of this.#sessions) {
      if (session.idleSince === null) continue;
      const left = session.idleSince + this.#idle - now;
      if (left <= 0) this.#end(id, session);
      else next = Math.min(next, left);
    }
    if (next < Number.POSITIVE_INFINITY) this.#cancelTimer = this.#clock.timer(next, () => this.#sweep());
  }

  #end(id: string, session: Session): void {
    this.#sessions.delete(id);
    session.close();
  }
}
