/**
 * A typed client: the operations of the table, over upkeep's Unix socket or over TCP.
 */
import type { IncomingMessage } from 'node:http';
import type { CallName, InputOf, OutputOf, SubscriptionName } from '../../core/operation/table.ts';
import type { ClientActor } from '../http/client_actor.ts';
import { BrokenAnswer, ClientError } from './errors.ts';
import { type Nouns, nounsOf } from './nouns.ts';
import { type Position, resumed } from './resume.ts';
import { sseMessages } from './sse_reader.ts';
import { type ClientTarget, failure, openTransport, send, textOf } from './transport.ts';

/** What belongs to one call. */
export interface CallOptions {
  /** Gives up; the call then throws the signal's reason. What was begun is not undone. */
  readonly signal?: AbortSignal;
  /** Ms until the answer has to begin; in place of the client's own. */
  readonly timeout?: number;
}

/** What belongs to one subscription. */
export interface SubscribeOptions<N extends SubscriptionName = SubscriptionName> {
  /** Ends it, without an error. */
  readonly signal?: AbortSignal;
  /** Ms until it has to begin; in place of the client's own. */
  readonly timeout?: number;
  /**
   * Goes on after the connection was lost or upkeep was started anew, with the first event that was not seen, until the
   * signal ends it. Only what upkeep refuses ends it too: that its token was revoked, for one.
   */
  readonly resume?: N extends 'event.stream' ? boolean : never;
}

/** Every operation by its name. */
export interface OperationCalls {
  /**
   * Calls a query or a command.
   *
   * @throws {@link ClientError} for what upkeep refuses, {@link NoDaemon} where none runs, {@link BrokenAnswer} where the
   *   connection breaks or the answer is late.
   */
  call<N extends CallName>(name: N, input: InputOf<N>, options?: CallOptions): Promise<OutputOf<N>>;
  /**
   * Listens to a subscription; leaving the loop hangs up. It ends when upkeep does.
   *
   * @throws as `call`, on the first read.
   */
  subscribe<N extends SubscriptionName>(
    name: N,
    input: InputOf<N>,
    options?: SubscribeOptions<N>,
  ): AsyncIterable<OutputOf<N>>;
}

/** What every operation of the table can be called by: `call('service.get', …)`, or `service.get(…)`. */
export interface Client extends OperationCalls, Nouns {
  /** Lets go of idle connections. */
  close(): void;
}

/** How a client behaves. */
export interface ClientOptions {
  /** Who calls: recorded with what is changed. Only over the Unix socket is it believed. */
  readonly actor?: ClientActor;
  /** Ms until an answer has to begin; for ever without it. */
  readonly timeout?: number;
}

/**
 * A client of the upkeep at `target`: the path of its socket, or a URL with a token. It connects with the first call.
 *
 * @example
 * ```ts
 * const client = createClient({ url: 'http://127.0.0.1:8080', token });
 * const { items } = await client.service.list();
 * await client.service.restart({ name: 'shop', wait: true });
 * for await (const event of client.event.stream({}, { resume: true })) console.log(event.message);
 * ```
 */
export function createClient(target: ClientTarget, options: ClientOptions = {}): Client {
  const transport = openTransport(target, { 'upkeep-client': options.actor ?? 'http' });
  const { timeout: always } = options;

  const call: OperationCalls['call'] = async (name, input, { signal, timeout = always } = {}) => {
    const response = await send(transport, name, input, {
      ...(signal !== undefined ? { signal } : {}),
      ...(timeout !== undefined ? { timeout } : {}),
    });
    const text = await textOf(response, transport, signal);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new BrokenAnswer(`${transport.where} answered ${name} with what is no JSON`, { cause: error });
    }
  };

  async function* once<N extends SubscriptionName>(
    name: N,
    input: InputOf<N>,
    { signal, timeout = always }: SubscribeOptions<N>,
    position: Position = {},
  ): AsyncGenerator<OutputOf<N>, void, undefined> {
    let response: IncomingMessage | null = null;
    try {
      response = await send(transport, name, input, {
        headers: {
          accept: name === 'job.log' ? 'text/plain' : 'text/event-stream',
          ...(position.last_event_id !== undefined ? { 'last-event-id': position.last_event_id } : {}),
        },
        ...(signal !== undefined ? { signal } : {}),
        ...(timeout !== undefined ? { timeout } : {}),
      });
      position.connected?.();
      const items = name === 'job.log' ? response : streamedItems(response);
      // The route says what it carries: bytes for a log, one JSON document a message for everything else.
      for await (const item of items) yield item as OutputOf<N>;
    } catch (error) {
      if (signal?.aborted !== true) throw failure(error, transport);
    } finally {
      response?.destroy();
    }
  }

  const subscribe: OperationCalls['subscribe'] = (name, input, wishes = {}) => {
    if (wishes.resume !== true) return once(name, input, wishes);
    const { signal, timeout } = wishes;
    const both = {
      ...(signal !== undefined ? { signal } : {}),
      ...(timeout !== undefined ? { timeout } : {}),
    };
    const events = resumed(
      // Only events can be gone on with: see `resume`.
      (position) => once('event.stream', input as InputOf<'event.stream'>, both, position),
      async () => (await call('event.list', { limit: 1 }, both)).items.at(-1)?.seq ?? 0,
      (input as InputOf<'event.stream'>).after,
      signal,
    );
    return events as AsyncIterable<never>;
  };

  const calls: OperationCalls = { call, subscribe };
  return { ...calls, ...nounsOf(calls), close: transport.close };
}

async function* streamedItems(response: IncomingMessage): AsyncGenerator<unknown, void, undefined> {
  for await (const message of sseMessages(response)) {
    if (message.event === 'problem') throw new ClientError(JSON.parse(message.data));
    yield JSON.parse(message.data);
  }
}
