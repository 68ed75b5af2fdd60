/**
 * Starting programs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Child, ExitStatus, Spawner, SpawnRequest } from './host.ts';

/** The real spawner. */
export function nodeSpawner(): Spawner {
  return { spawn: spawnDetached, run: runHelper };
}

/**
 * Succeeds synchronously, so that the caller can record the pid before anything else happens. Every failure is a
 * rejection, though Node throws some at once (E2BIG, a NUL byte) and reports others by an event (ENOENT, EAGAIN).
 */
function spawnDetached({ file, argv, cwd, env, output_fd }: SpawnRequest): Child | Promise<Child> {
  let child: ChildProcess;
  try {
    // `detached` is setsid(): a new session, and a group of the same number.
    child = spawn(file, argv, { cwd, env, detached: true, stdio: ['ignore', output_fd, output_fd] });
  } catch (error) {
    return Promise.reject(error);
  }
  const { pid } = child;
  if (pid === undefined) return new Promise((_, reject) => child.once('error', reject));
  return new SpawnedChild(pid, child);
}

/** Keeps nothing of the child but how it ended. */
class SpawnedChild implements Child {
  readonly pid: number;
  #status: ExitStatus | null = null;
  #callback: ((status: ExitStatus) => void) | null = null;

  constructor(pid: number, child: ChildProcess) {
    this.pid = pid;
    child.once('exit', (exit_code, exit_signal) => {
      this.#status = { exit_code, exit_signal };
      this.#callback?.(this.#status);
      this.#callback = null;
    });
  }

  onExit(callback: (status: ExitStatus) => void): void {
    const status = this.#status;
    if (status === null) this.#callback = callback;
    else queueMicrotask(() => callback(status));
  }
}

type RunOptions = Parameters<Spawner['run']>[2];
type RunResult = Awaited<ReturnType<Spawner['run']>>;

/** Bytes kept of each output where the caller does not say. */
const MAX_OUTPUT = 8 * 1024 * 1024;

/** Inherits upkeep's environment, but speaks plain English: what it prints is parsed. */
function runHelper(file: string, argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const { timeout, fds = [], max_output = MAX_OUTPUT } = options;
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      const env = { ...process.env, LC_ALL: 'C' };
      child = spawn(file, argv, { env, stdio: ['ignore', 'pipe', 'pipe', ...fds] });
    } catch (error) {
      resolve({ exit_code: null, stdout: '', stderr: '', error: codeOf(error) });
      return;
    }
    const stdout = new BoundedText(max_output);
    const stderr = new BoundedText(max_output);
    const finish = (exit_code: number | null, error: string | null): void => {
      clearTimeout(deadline);
      resolve({ exit_code, stdout: stdout.text(), stderr: stderr.text(), error });
    };
    const deadline = setTimeout(() => {
      // One that hangs in the kernel does not die of it: neither its pipes nor its exit are waited for.
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      finish(null, 'ETIMEDOUT');
    }, timeout);
    child.stdout?.on('data', (bytes: Buffer) => stdout.add(bytes));
    child.stderr?.on('data', (bytes: Buffer) => stderr.add(bytes));
    child.once('error', (error) => finish(null, codeOf(error)));
    child.once('close', (code, signal) => finish(code, signal));
  });
}

/** Keeps the first bytes and lets the rest pass, so that the writer does not block on a full pipe. */
class BoundedText {
  readonly #chunks: Buffer[] = [];
  #room: number;

  constructor(limit: number) {
    this.#room = limit;
  }

  add(bytes: Buffer): void {
    if (this.#room === 0) return;
    const kept = bytes.subarray(0, this.#room);
    this.#room -= kept.length;
    this.#chunks.push(kept);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
