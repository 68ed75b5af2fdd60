/**
 * The context by which a plugin touches this machine: each call is held against what the plugin asked for and what it
 * was granted, and only then done. Built-in plugins get it as it is; what runs in a process of its own sends its calls
 * here.
 */
import { constants } from 'node:fs';
import { resolve } from 'node:path';
import type { Host } from '../host/host.ts';
import type { FileFacts, PluginContext, RunOptions, RunResult } from './context.ts';
import {
  coversNet,
  coversRead,
  coversRun,
  netText,
  PermissionDenied,
  type PermissionKind,
  type Permissions,
} from './permissions.ts';

/** What a context is made from. */
export interface ContextOptions {
  readonly asked: Permissions;
  readonly granted: Permissions;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
}

/** Ms that a program or a request may take where the plugin does not say. */
const DEFAULT_TIMEOUT = 10_000;
/** Bytes that are kept of an output, a file or a body where the plugin does not say. */
const DEFAULT_BYTES = 1024 * 1024;
/** The most of them that a plugin can ask for. */
const MAX_BYTES = 16 * 1024 * 1024;

/** See the top of this file. */
export function hostContext(host: Host, options: ContextOptions): PluginContext {
  const { asked, granted, signal, log } = options;
  const demand = (
    kind: PermissionKind,
    wanted: string,
    covers: (list: readonly string[]) => boolean,
  ): void => {
    if (!covers(asked[kind]) || !covers(granted[kind])) throw new PermissionDenied(kind, wanted);
  };
  const demandRead = (path: string): void => demand('read', path, (list) => coversRead(list, path));

  return {
    async run(program, args = [], wishes = {}) {
      demand('run', program, (list) => coversRun(list, program));
      return await runProgram(host, program, args, wishes, signal);
    },
    readFile: (path) => readText(host, path, demandRead),
    stat: (path) => factsOf(host, path, demandRead),
    async connect(target) {
      demand('net', netText(target), (list) => coversNet(list, target));
      return await host.net.connect(target, signal);
    },
    async fetch(text, wishes = {}) {
      const url = new URL(text);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        throw new TypeError(`Cannot fetch ${text} as its protocol must be http: or https:`);
      }
      const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
      const target =
        wishes.socket === undefined
          ? { host: url.hostname.replace(/^\[|\]$/g, ''), port }
          : { path: wishes.socket };
      demand('net', netText(target), (list) => coversNet(list, target));
      return await withinTime(host, wishes.timeout ?? DEFAULT_TIMEOUT, signal, (until) =>
        host.net.request(
          {
            url,
            method: wishes.method ?? 'GET',
            headers: wishes.headers ?? {},
            body: wishes.body ?? null,
            socket: wishes.socket ?? null,
            insecure: wishes.insecure ?? false,
            max_body: Math.min(wishes.max_body ?? DEFAULT_BYTES, MAX_BYTES),
          },
          until,
        ),
      );
    },
    now: () => host.clock.wall(),
    signal,
    log,
  };
}

async function runProgram(
  { spawner }: Host,
  program: string,
  args: readonly string[],
  { timeout = DEFAULT_TIMEOUT, max_output = DEFAULT_BYTES, cwd, env }: RunOptions,
  signal: AbortSignal,
): Promise<RunResult> {
  const ran = await spawner.run(program, args, {
    timeout,
    max_output: Math.min(max_output, MAX_BYTES),
    signal,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  const { exit_code, stdout, stderr, error } = ran;
  if (error !== null && !error.startsWith('SIG')) {
    throw Object.assign(new Error(`Cannot run ${program}: ${error}`), { code: error });
  }
  return { exit_code, stdout, stderr };
}

/** What is opened is judged, and not only what was named: a link may be put in its place in between. */
async function readText(
  { files, platform }: Host,
  path: string,
  demand: (path: string) => void,
): Promise<string> {
  const { promises } = files;
  demand(await promises.realpath(path));
  // A FIFO would wait for a writer.
  const handle = await promises.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (platform === 'linux') demand(await promises.readlink(`/proc/self/fd/${handle.fd}`));
    if (!(await handle.stat()).isFile())
      throw new TypeError(`Cannot read ${path} as it must be a regular file`);
    const bytes = Buffer.alloc(DEFAULT_BYTES);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) return bytes.toString('utf8', 0, length);
    }
  } finally {
    await handle.close();
  }
}

async function factsOf(
  { files }: Host,
  path: string,
  demand: (path: string) => void,
): Promise<FileFacts | null> {
  const { promises } = files;
  let real: string;
  try {
    real = await promises.realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    demand(resolve(path));
    return null;
  }
  demand(real);
  const stat = await promises.stat(real, { bigint: true });
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSocket() ? 'socket' : 'other';
  const { dev, ino, size, mtimeNs } = stat;
  return { id: `${dev}:${ino}`, kind, size: Number(size), modified_at: Number(mtimeNs) / 1e6 };
}

/** Aborts what is done when the time is over or the call's own signal aborts. */
async function withinTime<T>(
  { clock }: Host,
  timeout: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const cancel = clock.timer(timeout, () => {
    const error = Object.assign(new Error(`no answer within ${timeout / 1000} s`), { code: 'ETIMEDOUT' });
    late.abort(error);
  });
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    throw late.signal.aborted ? late.signal.reason : error;
  } finally {
    cancel();
  }
}
