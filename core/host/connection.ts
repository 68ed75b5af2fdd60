/**
 * Connections that are read from and written to by hand.
 */
import { connect, type Socket } from 'node:net';
import { abortError } from './abort_error.ts';
import type { Connection, NetTarget } from './host.ts';
import type { Interrupting } from './interrupt.ts';
import { pathError } from './unix_path.ts';

/** See `Net.connect`. */
export function openConnection(target: NetTarget, signal: Interrupting): Promise<Connection> {
  const unusable = 'path' in target ? pathError(target.path) : null;
  if (unusable !== null) return Promise.reject(unusable);
  if (signal.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    // Paused, it does not begin to read once it is there, which would be more than most looks need.
    const socket = connect(target).pause();
    // Node's own way with a signal leaves its listener there when the socket is gone.
    const abort = (): void => void socket.destroy(abortError(signal));
    signal.addEventListener('abort', abort, { once: true });
    // Later ones are told by the next read or write; without a listener they would end the process.
    socket.on('error', () => {});
    socket.once('connect', () => resolve(new OpenConnection(socket)));
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(socket.errored);
    });
  });
}

/** Reads only when asked, so that what nobody reads waits in the kernel. */
class OpenConnection implements Connection {
  readonly #socket: Socket;
  /** Made when it is first read from: it costs more than the connection, and most looks only see that there is one. */
  #chunks: AsyncIterator<Uint8Array> | null = null;
  /** Not the same as the stream's own `closed`, which is true before the descriptor is closed. */
  readonly #closed: Promise<void>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
  }

  write(data: string | Uint8Array): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      socket.write(data, (error) => {
        // Of what was under way when the connection was destroyed, Node says that it is done; and of what comes after,
        // that it is destroyed, and not why.
        if (socket.destroyed) reject(socket.errored ?? error ?? closedError());
        else if (error) reject(error);
        else resolve();
      });
    });
  }

  async read(): Promise<Uint8Array | null> {
    this.#chunks ??= this.#socket[Symbol.asyncIterator]();
    const { value, done } = await this.#chunks.next();
    return done ? null : value;
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}

function closedError(): Error {
  return Object.assign(new Error('The connection was closed'), { code: 'ECONNABORTED' });
}
