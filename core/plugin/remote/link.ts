/**
 * The conversation with one incarnation of a plugin's process.
 */
import type { Channel, Clock } from '../../host/host.ts';
import { Broker, type BrokerContext } from './broker.ts';
import { type Incoming, Rpc } from './rpc.ts';
import { PLUGIN_LIMITS, WireFault, WireReader } from './wire.ts';

/** How a plugin failed. */
export type FaultKind = 'deadline' | 'crash' | 'flood' | 'nonsense';

/** A plugin, and not what it was asked about, is at fault. */
export class PluginFault extends Error {
  override readonly name = 'PluginFault';
  readonly kind: FaultKind;
  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Wishes that may be under way at once. */
const MOST_WISHES = 32;
/** Bytes that may wait for a plugin to take them. */
const MOST_UNSENT = 32 * 1024 * 1024;
/**
 * Ms that a plugin gets to answer once it has been told that nobody waits any more. Longer than whoever asked waits for
 * that: on a busy machine an honest plugin is late too, and is not to be ended for it.
 */
const GRACE = 2_000;

/** What a call needs beside its arguments. */
export interface CallOptions {
  /** Ms that the answer may take; without it the signal alone says when it is over. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  /** Null where the plugin is not to touch anything. */
  readonly broker?: ((signal: AbortSignal) => BrokerContext) | null;
}

/** See the top of this file. */
export class Link {
  readonly #clock: Clock;
  readonly #channel: Channel;
  readonly #rpc: Rpc;
  /** By the number of the call that they serve. */
  readonly #brokers = new Map<number, Broker>();
  readonly #ended: (fault: PluginFault) => void;
  #open = true;

  /** @param ended called once where the other side, and not {@link close}, ends it. */
  constructor(channel: Channel, clock: Clock, ended: (fault: PluginFault) => void) {
    this.#channel = channel;
    this.#clock = clock;
    this.#ended = ended;
    this.#rpc = new Rpc({
      send: (message) => this.#send(JSON.stringify(message)),
      serve: (incoming) => this.#serve(incoming),
    });
    const reader = new WireReader(PLUGIN_LIMITS, () => clock.mono());
    channel.listen(
      (bytes) => this.#receive(reader, bytes),
      () => this.fail(new PluginFault('crash', 'its process ended')),
    );
  }

  /**
   * Calls the plugin.
   *
   * @throws a `RemoteError` that the plugin threw, or a {@link PluginFault}, after which the link is closed.
   */
  async call(method: string, args: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    const { deadline, signal, broker = null } = options;
    const over = new AbortController();
    const { id, answer } = this.#rpc.request(method, args);
    const served = broker === null ? null : new Broker(broker(over.signal));
    if (served !== null) this.#brokers.set(id, served);

    let cancelGrace = (): void => {};
    const giveUp = (): void => {
      // What it waits for of us ends now, so that it can answer.
      over.abort(signal?.reason);
      this.#rpc.cancel(id);
      cancelGrace();
      const message = `did not answer '${method}' in time, nor when it was told to stop`;
      cancelGrace = this.#clock.timer(GRACE, () => this.fail(new PluginFault('deadline', message)));
    };
    const cancelDeadline = deadline === undefined ? () => {} : this.#clock.timer(deadline, giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted === true) giveUp();
    try {
      return await answer;
    } finally {
      cancelDeadline();
      cancelGrace();
      signal?.removeEventListener('abort', giveUp);
      over.abort();
      this.#brokers.delete(id);
      served?.close();
    }
  }

  /** Ends it for a fault. Does nothing where it has ended. */
  fail(fault: PluginFault): void {
    if (!this.#open) return;
    this.#end(fault);
    this.#ended(fault);
  }

  /** Ends it. Whoever waits is told. */
  close(why: Error): void {
    if (this.#open) this.#end(why);
  }

  #end(why: Error): void {
    this.#open = false;
    this.#rpc.close(why);
    this.#channel.close();
  }

  #send(line: string): void {
    this.#channel.send(`${line}\n`);
    if (this.#channel.unsent > MOST_UNSENT) {
      this.fail(new PluginFault('flood', 'asks for more than it takes'));
    }
  }

  #receive(reader: WireReader, bytes: Uint8Array): void {
    if (!this.#open) return;
    try {
      for (const message of reader.read(bytes)) {
        const known = this.#rpc.receive(message);
        if (!known) throw new WireFault('nonsense', 'answers what it was not asked');
        if (this.#rpc.serving > MOST_WISHES) throw new WireFault('flood', 'asks for too much at once');
        if (!this.#open) return;
      }
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      this.fail(new PluginFault(error.kind, error.message));
    }
  }

  async #serve(incoming: Incoming): Promise<unknown> {
    const broker = this.#brokers.get(incoming.within ?? -1);
    if (broker === undefined) throw new Error('the call that this was for is over');
    return await broker.serve(incoming);
  }
}
