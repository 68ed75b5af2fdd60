/**
 * Connections that are read from and written to by hand.
 */
import { connect, type Socket } from 'node:net';
import type { Connection, NetTarget } from './host.ts';
import { pathError } from './unix_path.ts';

/** See `Net.connect`. */
export function openConnection(target: NetTarget, signal: AbortSignal): Promise<Connection> {
  const unusable = 'path' in target ? pathError(target.path) : null;
  if (unusable !== null) return Promise.reject(unusable);
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new OpenConnection(socket));
    });
  });
}

/** Reads only when asked, so that what nobody reads waits in the kernel. */
class OpenConnection implements Connection {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
    // Told by the next read or write; without a listener it would end the process.
    socket.on('error', () => {});
  }

  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(data, (error) => {
        if (!error) resolve();
        // One that is gone says only that, and not what it died of.
        else reject(this.#socket.errored ?? error);
      });
    });
  }

  async read(): Promise<Uint8Array | null> {
    const { value, done } = await this.#chunks.next();
    return done ? null : value;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.closed) {
        resolve();
        return;
      }
      this.#socket.once('close', () => resolve());
      this.#socket.destroy();
    });
  }
}
