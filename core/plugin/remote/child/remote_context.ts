/**
 * The context of a plugin in a process of its own: every call is sent to upkeep, which holds it against what was
 * granted, and does it.
 */
import { systemClock } from '../../../host/clock.ts';
import type { Connection, HttpResponse } from '../../../host/host.ts';
import type { CheckedJob, FileFacts, HealthContext, PluginContext, RunResult } from '../../context.ts';
import { PermissionDenied, type PermissionKind } from '../../permissions.ts';
import { type Incoming, RemoteError, type Rpc } from '../rpc.ts';

const clock = systemClock();

/** The context for one call of upkeep. */
export function remoteContext(rpc: Rpc, { id, signal }: Incoming): PluginContext {
  const ask = <T>(method: string, ...args: unknown[]): Promise<T> => asked<T>(rpc, id, method, args);
  return {
    run: (program, args = [], options = {}) => ask<RunResult>('run', program, args, options),
    readFile: (path) => ask<string>('read_file', path),
    stat: (path) => ask<FileFacts | null>('stat', path),
    async connect(target) {
      return new RemoteConnection(ask, await ask<number>('connect', target));
    },
    fetch: (url, options = {}) => ask<HttpResponse>('fetch', url, options),
    now: () => clock.wall(),
    signal,
    // The output of a plugin's process is its log.
    log: (message) => console.log(message),
  };
}

/** The context for one look at a job. */
export function remoteHealthContext(rpc: Rpc, incoming: Incoming, job: CheckedJob): HealthContext {
  return {
    ...remoteContext(rpc, incoming),
    job,
    readLog: (since) => asked<readonly string[]>(rpc, incoming.id, 'read_log', [since]),
  };
}

type Ask = <T>(method: string, ...args: unknown[]) => Promise<T>;

async function asked<T>(rpc: Rpc, within: number, method: string, args: readonly unknown[]): Promise<T> {
  try {
    return (await rpc.request(method, args, within).answer) as T;
  } catch (error) {
    throw error instanceof RemoteError ? localError(error) : error;
  }
}

/** The error as it would have been thrown here. */
function localError({ name, message, code }: RemoteError): Error {
  const [, kind, wanted] = /^needs the permission (run|read|net): (.*)$/s.exec(message) ?? [];
  if (name === 'PermissionDenied' && kind !== undefined && wanted !== undefined) {
    return new PermissionDenied(kind as PermissionKind, wanted);
  }
  const error = new Error(message);
  error.name = name;
  return code === null ? error : Object.assign(error, { code });
}

/** A connection that upkeep holds. Bytes go in base64, as messages are text. */
class RemoteConnection implements Connection {
  readonly #ask: Ask;
  readonly #id: number;

  constructor(ask: Ask, id: number) {
    this.#ask = ask;
    this.#id = id;
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(data);
    for (let from = 0; from < bytes.length; from += LARGEST_WRITE) {
      const part = bytes.subarray(from, from + LARGEST_WRITE).toString('base64');
      await this.#ask('write', this.#id, part);
    }
  }

  async read(): Promise<Uint8Array | null> {
    const bytes = await this.#ask<string | null>('read', this.#id);
    return bytes === null ? null : Buffer.from(bytes, 'base64');
  }

  async close(): Promise<void> {
    await this.#ask('close', this.#id);
  }
}

/** Bytes in one message. */
const LARGEST_WRITE = 256 * 1024;
