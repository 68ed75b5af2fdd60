/**
 * The context by which a plugin touches this machine: each call is held against what the plugin asked for and what it
 * was granted, and only then done. Built-in plugins get it as it is; what runs in a process of its own sends its calls
 * here.
 */
import { constants } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Files, Host } from '../host/host.ts';
import type { Interrupting } from '../host/interrupt.ts';
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

/** The same where the signal is made only when it is asked for. */
export interface CallOptions extends Omit<ContextOptions, 'signal'> {
  readonly signal: () => AbortSignal;
  /** What aborts as the signal does. */
  readonly interrupt: Interrupting;
}

/** Ms that a program or a request may take where the plugin does not say. */
const DEFAULT_TIMEOUT = 10_000;
/** Bytes that are kept of an output, a file or a body where the plugin does not say. */
const DEFAULT_BYTES = 1024 * 1024;
/** The most of them that a plugin can ask for. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Bytes that are read at once. */
const CHUNK = 64 * 1024;
/** As many links are followed in one path as the kernel follows. */
const MAX_LINKS = 40;
/** Variables by which a program that was granted would load, or become, another one. */
const LOADER_VARIABLES =
  /^(?:PATH|IFS|ENV|BASH_ENV|NODE_OPTIONS|NODE_PATH|PERL5(?:OPT|LIB)|PYTHON(?:PATH|HOME|STARTUP)|RUBY(?:OPT|LIB)|GCONV_PATH|(?:LD|DYLD)_.*)$/;

/** See the top of this file. */
export function hostContext(host: Host, { signal, ...options }: ContextOptions): PluginContext {
  return { ...hostCalls(host, { ...options, signal: () => signal, interrupt: signal }), signal };
}

/** All of a context but for its signal. */
export function hostCalls(host: Host, options: CallOptions): Omit<PluginContext, 'signal'> {
  const { asked, granted, signal, interrupt, log } = options;
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
      signal().throwIfAborted();
      demand('run', program, (list) => coversRun(list, program));
      const names = Object.keys(wishes.env ?? {}).filter((name) => LOADER_VARIABLES.test(name));
      for (const name of names) demand('run', `* (to set ${name})`, (list) => list.includes('*'));
      return await runProgram(host, program, args, wishes, signal());
    },
    readFile: (path) => unlessAborted(signal(), () => readText(host, path, demandRead)),
    stat: (path) => unlessAborted(signal(), () => factsOf(host, path, demandRead)),
    async connect(target) {
      if (interrupt.aborted) throw interrupt.reason;
      demand('net', netText(target), (list) => coversNet(list, target));
      return await host.net.connect(target, interrupt);
    },
    async fetch(text, wishes = {}) {
      signal().throwIfAborted();
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
      return await withinTime(host, wishes.timeout ?? DEFAULT_TIMEOUT, signal(), (until) =>
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
    log,
  };
}

async function runProgram(
  { spawner, files }: Host,
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
    // The system says of a missing folder what it says of a missing program.
    const noFolder = error === 'ENOENT' && cwd !== undefined && !files.existsSync(cwd);
    const why = noFolder ? `${error} (there is no folder ${cwd})` : error;
    throw Object.assign(new Error(`Cannot run ${program}: ${why}`), { code: error });
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
  const real = await realTarget(files, path, demand);
  // A FIFO would wait for a writer.
  const handle = await promises.open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (platform === 'linux') demand(await promises.readlink(`/proc/self/fd/${handle.fd}`));
    if (!(await handle.stat()).isFile()) {
      throw new TypeError(`Cannot read ${path} as it must be a regular file`);
    }
    const chunks: Buffer[] = [];
    let length = 0;
    while (length <= DEFAULT_BYTES) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, null);
      if (bytesRead === 0) return Buffer.concat(chunks).toString();
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    const error = new RangeError(`Cannot read ${path} as it must be of ${DEFAULT_BYTES} bytes at most`);
    throw Object.assign(error, { code: 'EFBIG' });
  } finally {
    await handle.close();
  }
}

async function factsOf(
  { files }: Host,
  path: string,
  demand: (path: string) => void,
): Promise<FileFacts | null> {
  const real = await realTarget(files, path, demand);
  try {
    // No link is left in it; one that was put there since is not followed.
    const stat = await files.promises.lstat(real, { bigint: true });
    const kind = stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'folder'
        : stat.isSocket()
          ? 'socket'
          : 'other';
    const { dev, ino, size, mtimeNs } = stat;
    return { id: `${dev}:${ino}`, kind, size: Number(size), modified_at: Number(mtimeNs) / 1e6 };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * The path without a link in it, once it is permitted. What is not there is judged by where it would be: else the
 * difference between missing and forbidden would tell what lies outside of the grant.
 */
async function realTarget(files: Files, path: string, demand: (path: string) => void): Promise<string> {
  let real: string;
  try {
    real = await wouldBe(files, resolve(path), MAX_LINKS);
  } catch (error) {
    demand(resolve(path));
    throw error;
  }
  demand(real);
  return real;
}

async function wouldBe(files: Files, path: string, links: number): Promise<string> {
  try {
    return await files.promises.realpath(path);
  } catch (error) {
    if (!isMissing(error) || links === 0 || path === '/') throw error;
  }
  const target = await files.promises.readlink(path).catch(() => null);
  const next = target === null ? dirname(path) : resolve(dirname(path), target);
  const real = await wouldBe(files, next, target === null ? links : links - 1);
  return target === null ? join(real, basename(path)) : real;
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What was begun may not be stopped by that, but nobody waits for it any more. */
export function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const working = work();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    working.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
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
