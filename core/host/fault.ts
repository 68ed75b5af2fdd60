/**
 * A seam for fault tests only: die, or fail, between any two things that are done to the world.
 */
import { constants, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Host } from './host.ts';

/**
 * Told of each call that changes the world: `files.renameSync` before it, `files.renameSync:done` once it has
 * succeeded. What it throws is thrown at the caller.
 */
export type FaultPoint = (call: string) => void;

const WRITING_FLAGS = constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;

const FILES = new Set([
  'chmodSync',
  'copyFileSync',
  'fsyncSync',
  'ftruncateSync',
  'mkdirSync',
  'renameSync',
  'rmSync',
  'rmdirSync',
  'unlinkSync',
  'writeFileSync',
  'writeSync',
]);
const PROMISES = new Set([
  'appendFile',
  'chmod',
  'copyFile',
  'mkdir',
  'rename',
  'rm',
  'rmdir',
  'truncate',
  'unlink',
  'writeFile',
]);
const HANDLE = new Set([
  'appendFile',
  'chmod',
  'datasync',
  'sync',
  'truncate',
  'write',
  'writeFile',
  'writev',
]);
const PROCESSES = new Set(['signal', 'signalGroup']);
const SPAWNER = new Set(['run', 'spawn', 'standBy']);

/**
 * The same host, with a fault point before and after every call that changes something.
 *
 * @example
 * ```ts
 * const calls: string[] = [];
 * const host = withFaults(nodeHost(), (call) => calls.push(call));
 * ```
 */
export function withFaults(host: Host, at: FaultPoint): Host {
  const promises = guarded(host.files.promises, 'files.promises', at, changesByPath, {
    convert: (call, result) =>
      call === 'open' ? guarded(result as object, 'files.handle', at, (name) => HANDLE.has(name)) : result,
    abandon: (call, result) => (call === 'open' ? (result as FileHandle).close() : undefined),
  });
  const files = guarded(
    host.files,
    'files',
    at,
    (name, args) => (name === 'openSync' ? opensForWriting(args) : FILES.has(name)),
    { abandon: (call, result) => (call === 'openSync' ? host.files.closeSync(result as number) : undefined) },
  );
  return {
    ...host,
    files: new Proxy(files, {
      get: (target, name) => (name === 'promises' ? promises : Reflect.get(target, name)),
    }),
    processes: guarded(host.processes, 'processes', at, (name) => PROCESSES.has(name)),
    spawner: guarded(host.spawner, 'spawner', at, (name) => SPAWNER.has(name)),
  };
}

/**
 * The fault that the environment asks for: `UPKEEP_FAULT=kill@12` kills this very process with SIGKILL at the twelfth
 * fault point. Its last line on stderr names that point, so that a test can tell this death from any other. Null where
 * the variable is not set.
 *
 * @throws where it says anything else.
 */
export function faultFromEnv(env: NodeJS.ProcessEnv): FaultPoint | null {
  const wish = env['UPKEEP_FAULT'];
  if (wish === undefined) return null;
  const [, count] = /^kill@([1-9]\d*)$/.exec(wish) ?? [];
  if (count === undefined) {
    throw new Error(`Cannot inject a fault as UPKEEP_FAULT must be kill@<n>: current value is ${wish}`);
  }
  let left = Number(count);
  return (call) => {
    left -= 1;
    if (left !== 0) return;
    writeSync(process.stderr.fd, `fault point: ${call}\n`);
    process.kill(process.pid, 'SIGKILL');
  };
}

type Changes = (name: string, args: readonly unknown[]) => boolean;

interface Results {
  /** Puts another thing in place of what a call gives. */
  convert?(name: string, result: unknown): unknown;
  /** A fault keeps what a call gives from its caller: nobody else lets go of it. */
  abandon?(name: string, result: unknown): Promise<void> | undefined | void;
}

/** Puts a fault point around the methods of one object. */
function guarded<T extends object>(
  target: T,
  prefix: string,
  at: FaultPoint,
  changes: Changes,
  { convert = (_, result) => result, abandon = () => {} }: Results = {},
): T {
  return new Proxy(target, {
    get(_, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== 'function' || typeof name !== 'string') return method;
      return (...args: unknown[]): unknown => {
        const call = changes(name, args) ? `${prefix}.${name}` : null;
        if (call !== null) at(call);
        const result: unknown = method.apply(target, args);
        const done = (value: unknown): unknown => {
          try {
            if (call !== null) at(`${call}:done`);
          } catch (fault) {
            const abandoned = abandon(name, value);
            if (abandoned === undefined) throw fault;
            return abandoned.then(() => Promise.reject(fault));
          }
          return convert(name, value);
        };
        return result instanceof Promise ? result.then(done) : done(result);
      };
    },
  });
}

function changesByPath(name: string, args: readonly unknown[]): boolean {
  return name === 'open' ? opensForWriting(args) : PROMISES.has(name);
}

function opensForWriting([, flags = 'r']: readonly unknown[]): boolean {
  return typeof flags === 'number' ? (flags & WRITING_FLAGS) !== 0 : /[wa+]/.test(String(flags));
}
