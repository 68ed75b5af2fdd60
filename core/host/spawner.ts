/**
 * Starting programs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { socketChannel } from './channel.ts';
import type { Channel, Child, ExitStatus, HelperOptions, Processes, Spawner, SpawnRequest } from './host.ts';
import { isStarted, StandbyShells, type StartedProcess } from './standby.ts';

/**
 * The real spawner.
 *
 * @param processes by which what a helper program leaves behind is found and proved.
 */
export function nodeSpawner(processes: GroupTable): Spawner {
  const standbys = new StandbyShells();
  return {
    spawn(request) {
      const ready = standbys.start(request);
      return ready === null ? spawnDetached(request) : new SpawnedChild(ready);
    },
    standBy: (program, late) => standbys.fork(program, late),
    run: (file, argv, options) => runHelper(file, argv, options, processes),
  };
}

/** What is needed of the process table. */
type GroupTable = Pick<Processes, 'groupExists' | 'identity' | 'list' | 'signal' | 'stat'>;

/**
 * Succeeds synchronously, so that the caller can record the pid before anything else happens. Every failure is a
 * rejection, though Node throws some at once (E2BIG, a NUL byte) and reports others by an event (ENOENT, EAGAIN).
 */
function spawnDetached(request: SpawnRequest): Child | Promise<Child> {
  const { file, argv, cwd, env, output_fd, channel = false } = request;
  let child: ChildProcess;
  try {
    const outputs = ['ignore', output_fd, output_fd] as const;
    // A 'pipe' is a pair of connected Unix sockets: both ends write and read.
    const stdio = channel ? [...outputs, 'pipe' as const] : [...outputs];
    // `detached` is setsid(): a new session, and a group of the same number.
    child = spawn(file, argv, { cwd, env, detached: true, stdio });
  } catch (error) {
    return Promise.reject(error);
  }
  if (!isStarted(child)) return new Promise((_, reject) => child.once('error', reject));
  return new SpawnedChild(child);
}

/** Keeps nothing of the child but how it ended. */
class SpawnedChild implements Child {
  readonly pid: number;
  readonly channel?: Channel;
  #status: ExitStatus | null = null;
  #callback: ((status: ExitStatus) => void) | null = null;

  constructor(child: StartedProcess) {
    this.pid = child.pid;
    const end = child.stdio[3];
    if (end instanceof Socket) this.channel = socketChannel(end);
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

type RunResult = Awaited<ReturnType<Spawner['run']>>;

/** Bytes kept of each output where the caller does not say. */
const MAX_OUTPUT = 8 * 1024 * 1024;

/** Inherits upkeep's environment, but speaks plain English: what it prints is parsed. */
function runHelper(
  file: string,
  argv: readonly string[],
  options: HelperOptions,
  processes: GroupTable,
): Promise<RunResult> {
  const { timeout, fds = [], max_output = MAX_OUTPUT, cwd, signal } = options;
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      const env = { ...process.env, ...options.env, LC_ALL: 'C' };
      // In a group of its own, so that what it starts can be ended with it.
      child = spawn(file, argv, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe', ...fds] });
    } catch (error) {
      resolve({ exit_code: null, stdout: '', stderr: '', error: codeOf(error) });
      return;
    }
    const stdout = new BoundedText(max_output);
    const stderr = new BoundedText(max_output);
    const finish = (exit_code: number | null, error: string | null): void => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', abort);
      endLeftovers(child, processes);
      resolve({ exit_code, stdout: stdout.text(), stderr: stderr.text(), error });
    };
    const giveUp = (error: string): void => {
      endGroup(child);
      // One that hangs in the kernel does not die of it: neither its pipes nor its exit are waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      finish(null, error);
    };
    const abort = (): void => giveUp('ABORT_ERR');
    const deadline = setTimeout(() => giveUp('ETIMEDOUT'), timeout);
    signal?.addEventListener('abort', abort, { once: true });
    child.stdout?.on('data', (bytes: Buffer) => stdout.add(bytes));
    child.stderr?.on('data', (bytes: Buffer) => stderr.add(bytes));
    child.once('error', (error) => finish(null, codeOf(error)));
    child.once('close', (code, exit_signal) => finish(code, exit_signal));
    if (signal?.aborted) abort();
  });
}

/** Its group is its own for as long as its exit was not told to us: until then the kernel keeps the number. */
function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone, or it is still on its way to a group of its own and dies with its pipes.
  }
}

/**
 * Ends what a program has left in its group. A number that has a leader again was given to somebody else, which happens
 * only after the last of the group has gone.
 */
function endLeftovers({ pid, exitCode, signalCode }: ChildProcess, processes: GroupTable): void {
  const isOver = exitCode !== null || signalCode !== null;
  if (pid === undefined || !isOver || !processes.groupExists(pid) || processes.stat(pid) !== null) return;
  for (const member of processes.list()) {
    const identity = processes.identity(member);
    const stat = processes.stat(member);
    if (identity === null || stat?.pgrp !== pid || stat.session !== pid) continue;
    processes.signal(identity, 'SIGKILL');
  }
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
