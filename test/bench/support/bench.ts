/**
 * What every measure works in: a temporary folder, the compiled worker, waiting that an interrupt ends, and the
 * certainty that nothing is left behind.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as timer } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Handle, Place } from '../peer.ts';
import { killAll, MARK } from './processes.ts';

/** The folder of the package. */
export const PACKAGE = fileURLToPath(new URL('../../../../', import.meta.url));

function compile(name: string, to: string): string {
  const source = join(PACKAGE, 'test/bench', `${name}.c`);
  // Static where the C library allows: the dynamic loader's time is no supervisor's doing.
  for (const flags of [['-O2', '-static'], ['-O2']]) {
    if (spawnSync('cc', [...flags, '-o', to, source], { stdio: 'ignore' }).status === 0) return to;
  }
  throw new Error(`Cannot compile ${source}: a C compiler called cc is needed`);
}

/** One run of a measure. Use {@link withBench}. */
export class Bench {
  readonly root: string;
  readonly worker: string;
  readonly #signal: AbortSignal;
  #places = 0;
  #nextPort = 20_000;

  constructor(root: string, signal: AbortSignal) {
    this.root = root;
    this.worker = compile('worker', join(root, 'worker'));
    this.#signal = signal;
  }

  /** A program of the folder `test/bench`, compiled. */
  program(name: string): string {
    return compile(name, join(this.root, name));
  }

  /** A folder of its own for one start of a peer. */
  place(name: string): Place {
    this.#places += 1;
    const dir = join(this.root, `${name.replaceAll(/\W+/g, '_')}.${this.#places}`);
    mkdirSync(join(dir, 'out'), { recursive: true });
    mkdirSync(join(dir, 'sockets'));
    return { dir, worker: this.worker, env: { ...process.env, [MARK]: `${dir}/` } };
  }

  /** Ends what was started in a place and removes its files, so that they are not written back under the next one. */
  async leave(place: Place, handle: Handle): Promise<void> {
    await handle.stop();
    rmSync(place.dir, { recursive: true, force: true });
  }

  /** What `measure` gives; null, with the reason printed, where it fails: one peer's fault must not cost the others' figures. */
  async attempt<T>(name: string, measure: () => Promise<T>): Promise<T | null> {
    try {
      return await measure();
    } catch (error) {
      this.#signal.throwIfAborted();
      console.log(`${name} failed: ${error instanceof Error ? error.message : error}`);
      process.exitCode = 1;
      return null;
    }
  }

  /** Waits for so many ms. @throws AbortError if the run was interrupted. */
  async pause(duration: number): Promise<void> {
    await timer(duration, undefined, { signal: this.#signal });
  }

  /** Polls until `done` holds, true, or `timeout` ms have gone by, false. @throws AbortError on an interrupt. */
  async until(done: () => boolean, timeout: number, interval = 5): Promise<boolean> {
    const deadline = performance.now() + timeout;
    while (!done()) {
      if (performance.now() >= deadline) return false;
      await this.pause(interval);
    }
    return true;
  }

  /**
   * So many loopback ports that are free now and that nobody is given by chance: they lie below those from which the
   * kernel serves outgoing connections.
   */
  async freePorts(count: number): Promise<number[]> {
    const ports: number[] = [];
    for (; ports.length < count; this.#nextPort += 1) {
      if (this.#nextPort >= 32_768) throw new RangeError(`Cannot find ${count} free ports`);
      if (await isFree(this.#nextPort)) ports.push(this.#nextPort);
    }
    return ports;
  }

  /** The ports handed out so far may be handed out again: what held them has ended. */
  reusePorts(): void {
    this.#nextPort = 20_000;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Runs `measure` and ends everything that it started, however it ends, on SIGINT and SIGTERM too. */
export async function withBench(measure: (bench: Bench) => Promise<void>): Promise<void> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-bench-')));
  const interrupt = new AbortController();
  const abort = (): void => interrupt.abort();
  process.on('SIGINT', abort).on('SIGTERM', abort);
  try {
    await measure(new Bench(root, interrupt.signal));
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    console.error('interrupted');
    process.exitCode = 130;
  } finally {
    await killAll(root, join(root, 'worker'));
    rmSync(root, { recursive: true, force: true });
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}
