/**
 * Calls in both directions over one stream of messages: what upkeep and a plugin's process speak. Both ends use this;
 * neither trusts that the other does.
 */

/** An error on its way. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  /** The system's or Node's code; null where it has none. */
  readonly code: string | null;
}

/** What is sent, a line of JSON each. */
export type Message =
  | {
      readonly call: number;
      readonly method: string;
      readonly args: readonly unknown[];
      /** The call of the other side that this one is made for; null where it is made for none. */
      readonly within: number | null;
    }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: WireError }
  | { readonly cancel: number };

/** A call of the other side. */
export interface Incoming {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly within: number | null;
  /** Aborts where the other side waits no longer. */
  readonly signal: AbortSignal;
}

/** What a conversation is connected to. */
export interface RpcPorts {
  send(message: Message): void;
  /** Answers a call of the other side. */
  serve(incoming: Incoming): Promise<unknown>;
}

/** An error that came from the other side. */
export class RemoteError extends Error {
  override readonly name: string;
  readonly code: string | null;
  constructor({ name, message, code }: WireError) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** One end of a conversation. */
export class Rpc {
  readonly #ports: RpcPorts;
  readonly #waiting = new Map<number, Waiting>();
  readonly #serving = new Map<number, AbortController>();
  #last = 0;
  #closed: Error | null = null;

  constructor(ports: RpcPorts) {
    this.#ports = ports;
  }

  /** How many calls of the other side are being answered. */
  get serving(): number {
    return this.#serving.size;
  }

  /** Calls the other side. The answer rejects with a {@link RemoteError}, or with what the end was closed with. */
  request(
    method: string,
    args: readonly unknown[],
    within: number | null = null,
  ): { readonly id: number; readonly answer: Promise<unknown> } {
    this.#last += 1;
    const id = this.#last;
    if (this.#closed !== null) return { id, answer: Promise.reject(this.#closed) };
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#ports.send({ call: id, method, args, within });
    return { id, answer };
  }

  /** Tells the other side that nobody waits for an answer any more; it may still come. */
  cancel(id: number): void {
    if (this.#closed === null && this.#waiting.has(id)) this.#ports.send({ cancel: id });
  }

  /** Takes a message. False where it answers nothing that was asked. */
  receive(message: Message): boolean {
    if (this.#closed !== null) return true;
    if ('call' in message) {
      void this.#serve(message);
      return true;
    }
    if ('cancel' in message) {
      this.#serving.get(message.cancel)?.abort();
      return true;
    }
    const waiting = this.#waiting.get(message.answer);
    if (waiting === undefined) return false;
    this.#waiting.delete(message.answer);
    if ('error' in message) waiting.reject(new RemoteError(message.error));
    else waiting.resolve(message.value);
    return true;
  }

  /** Ends it: whatever is waited for rejects, whatever is being done is aborted. */
  close(error: Error): void {
    if (this.#closed !== null) return;
    this.#closed = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    for (const controller of this.#serving.values()) controller.abort(error);
    this.#serving.clear();
  }

  async #serve({ call, method, args, within }: Extract<Message, { call: number }>): Promise<void> {
    const controller = new AbortController();
    this.#serving.set(call, controller);
    let answer: Message;
    try {
      const value = await this.#ports.serve({ id: call, method, args, within, signal: controller.signal });
      answer = { answer: call, value: value ?? null };
    } catch (error) {
      answer = { answer: call, error: wireError(error) };
    }
    this.#serving.delete(call);
    if (this.#closed !== null) return;
    try {
      this.#ports.send(answer);
    } catch (error) {
      // It cannot be said in JSON: it refers to itself, say.
      this.#ports.send({ answer: call, error: wireError(error) });
    }
  }
}

/** The longest message of an error that is passed on, in characters. */
const LONGEST_MESSAGE = 2_000;

/** What is passed on of an error, or of whatever else was thrown. */
export function wireError(thrown: unknown): WireError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: clipped(String(thrown)), code: null };
  const { code } = thrown as { code?: unknown };
  return {
    name: clipped(String(thrown.name)),
    message: clipped(String(thrown.message)),
    code: typeof code === 'string' ? code : null,
  };
}

function clipped(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text;
}
