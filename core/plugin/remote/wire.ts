/**
 * From bytes to messages, within bounds: what a plugin's process sends is read as one reads a stranger's letter.
 */
import * as v from 'valibot';
import type { Message } from './rpc.ts';

/** What the other end may send. */
export interface WireLimits {
  /** Bytes of one message. */
  readonly message: number;
  /** Bytes a second, and at once after a pause. */
  readonly bytes: number;
  /** Messages a second, and at once after a pause. */
  readonly messages: number;
}

/** What upkeep takes from a plugin. */
export const PLUGIN_LIMITS: WireLimits = { message: 1024 * 1024, bytes: 8 * 1024 * 1024, messages: 5_000 };

/** The other end does not keep to the protocol, or to the bounds. */
export class WireFault extends Error {
  override readonly name = 'WireFault';
  readonly kind: 'flood' | 'nonsense';
  constructor(kind: WireFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** So many levels a message may have, and no plugin needs as many. */
const DEEPEST = 32;

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(4_096));

const messageSchema: v.GenericSchema<Message> = v.union([
  v.strictObject({
    call: id,
    method: text,
    args: v.pipe(v.array(v.unknown()), v.maxLength(8)),
    within: v.nullable(id),
  }),
  v.strictObject({ answer: id, value: v.unknown() }),
  v.strictObject({
    answer: id,
    error: v.strictObject({ name: text, message: text, code: v.nullable(text) }),
  }),
  v.strictObject({ cancel: id }),
]);

/** Reads messages from bytes. */
export class WireReader {
  readonly #limits: WireLimits;
  readonly #mono: () => number;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #bytes: number;
  #messages: number;
  #at: number;

  /** @param mono monotonic ms. */
  constructor(limits: WireLimits, mono: () => number) {
    this.#limits = limits;
    this.#mono = mono;
    this.#bytes = limits.bytes;
    this.#messages = limits.messages;
    this.#at = mono();
  }

  /**
   * The messages that are whole with these bytes.
   *
   * @throws {@link WireFault}; nothing is to be read any more then.
   */
  *read(bytes: Uint8Array): Generator<Message> {
    this.#earn();
    this.#bytes -= bytes.length;
    if (this.#bytes < 0) throw new WireFault('flood', `sends more than ${this.#limits.bytes} bytes a second`);
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from);
      const piece = bytes.subarray(from, end === -1 ? bytes.length : end);
      this.#length += piece.length;
      if (this.#length > this.#limits.message) {
        throw new WireFault('flood', `sends a message of more than ${this.#limits.message} bytes`);
      }
      this.#pieces.push(piece);
      if (end === -1) return;
      const line = Buffer.concat(this.#pieces).toString('utf8');
      this.#pieces = [];
      this.#length = 0;
      from = end + 1;
      this.#messages -= 1;
      if (this.#messages < 0) {
        throw new WireFault('flood', `sends more than ${this.#limits.messages} messages a second`);
      }
      yield parseMessage(line);
    }
  }

  #earn(): void {
    const now = this.#mono();
    const seconds = (now - this.#at) / 1000;
    this.#at = now;
    const { bytes, messages } = this.#limits;
    this.#bytes = Math.min(bytes, this.#bytes + bytes * seconds);
    this.#messages = Math.min(messages, this.#messages + messages * seconds);
  }
}

const NEWLINE = 0x0a;

/** @throws {@link WireFault} */
export function parseMessage(line: string): Message {
  let data: unknown;
  try {
    data = JSON.parse(line);
  } catch {
    throw new WireFault('nonsense', 'sends what is no JSON');
  }
  const parsed = v.safeParse(messageSchema, plain(data, DEEPEST));
  if (!parsed.success) throw new WireFault('nonsense', 'sends what is no message');
  return parsed.output;
}

/**
 * The same data without any key that means something to the language, and not nested without end: it may be merged,
 * stored and written out by code that thinks of neither.
 */
function plain(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw new WireFault('nonsense', `sends what is nested more than ${DEEPEST} levels deep`);
  if (Array.isArray(value)) return value.map((item) => plain(item, levels - 1));
  const kept: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') continue;
    kept[key] = plain(item, levels - 1);
  }
  return kept;
}
