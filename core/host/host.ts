/**
 * The host seam: every system call that upkeep makes goes through one of these interfaces, so that a test can
 * swap any of them and a fault test can die between any two.
 */
import type * as fs from 'node:fs';
import type { Identity } from '../process/identity.ts';
import type { Interrupting } from './interrupt.ts';

/** Two clocks. Monotonic time decides; wall time is for people and for what outlives the process. Both ms. */
export interface Clock {
  /** Milliseconds since an arbitrary point; never goes back. */
  mono(): number;
  /** Milliseconds since the epoch; may jump. */
  wall(): number;
  /** Calls `callback` once after `delay` ms; returns what cancels it. The only timer source. */
  timer(delay: number, callback: () => void): () => void;
}

/** One line of the process table. */
export interface ProcessStat {
  readonly pid: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** See {@link Identity.start_time}. */
  readonly start_time: number;
  /** When it started, ms since the epoch by today's clock; a clock step moves it by as much. */
  readonly started_ms: number;
  /** The state letter. Zombies and dead ones are never returned. */
  readonly state: string;
}

/** What became of a signal. `gone` covers both "no such process" and "another one has the pid by now". */
export type SignalOutcome = 'sent' | 'gone' | 'denied';

/** A watched process: a descriptor on its /proc entry, which stays bound to that one process, not to its pid. */
export interface Liveness {
  /** False once the process is gone or a zombie. Costs one short read while it lives (about a microsecond on Linux). */
  alive(): boolean;
  close(): void;
}

/** The process table. All calls are synchronous and cheap on Linux; `null` says gone (or a zombie). */
export interface Processes {
  /** This boot. Another one means that every recorded identity is dead. */
  readonly boot_id: string;
  /** Every pid that is there now, zombies included. */
  list(): number[];
  stat(pid: number): ProcessStat | null;
  identity(pid: number): Identity | null;
  isAlive(identity: Identity): boolean;
  /** The `start_time` of a process that would begin now; never a later one. */
  startTimeNow(): number;
  /** `null`: gone, or not ours to read. */
  argv(pid: number): readonly string[] | null;
  exe(pid: number): string | null;
  environ(pid: number): ReadonlyMap<string, string> | null;
  uid(pid: number): number | null;
  /**
   * The descriptors of a process as `[fd, link]`, where a link is what the kernel shows (`socket:[123]`, a path).
   * `null` where they cannot be read.
   */
  descriptors(pid: number): readonly (readonly [number, string])[] | null;
  /** One descriptor's link; `null` where there is none any more or it cannot be read. */
  descriptor(pid: number, fd: number): string | null;
  /**
   * Pids that have the file (by device and inode) open for writing. `complete` is false where some process could
   * not be looked into.
   */
  writersOf(
    files: readonly FileId[],
    pids: readonly number[],
  ): { writers: Map<string, number[]>; complete: boolean };
  /** Signals the process only if it is still the one named: the identity is read again right before. */
  signal(identity: Identity, signal: NodeJS.Signals): SignalOutcome;
  /** Signals a process group. The caller has proved a live member. */
  signalGroup(pgid: number, signal: NodeJS.Signals): SignalOutcome;
  /** False where the group has no member at all. True may still mean only zombies. Costs one system call. */
  groupExists(pgid: number): boolean;
  /**
   * The list of all who live in the same cgroup as a process, to be given to {@link living}; null where there is none to
   * be read. Costs a few system calls.
   */
  cohort(pid: number): string | null;
  /**
   * Visits everybody who lives in a cgroup: no zombies, reaped or not, but a process that has lost its first thread only
   * is one of them. Much cheaper than a look at each.
   *
   * @param list what {@link cohort} returned.
   * @returns false where that cannot be told any more.
   */
  living(list: string, visit: (pid: number) => void): boolean;
  /** Opens a descriptor to watch the process by; `null` where it is gone already. */
  watch(identity: Identity): Liveness | null;
}

/** A file, whatever it is called. */
export interface FileId {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** `dev:ino`, the key of {@link Processes.writersOf}. */
export function fileKey(id: FileId): string {
  return `${id.dev}:${id.ino}`;
}

/** What trying to bind a port said: `free`, or the errno (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` …). */
export type BindOutcome = 'free' | (string & {});

/** Where a connection goes: a TCP port, or a Unix stream socket by its absolute path. */
export type NetTarget = { readonly host: string; readonly port: number } | { readonly path: string };

/** An open connection. */
export interface Connection {
  /** Resolves once the bytes are handed to the kernel. */
  write(data: string | Uint8Array): Promise<void>;
  /** What has arrived, as soon as there is something; null once the other end is done. */
  read(): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/** An HTTP request. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** The Unix socket to ask, in place of the URL's host and port. */
  readonly socket: string | null;
  /** True to take any certificate. */
  readonly insecure: boolean;
  /** Bytes of the answer's body that are read; what is beyond is left. */
  readonly max_body: number;
}

/** An HTTP answer. Redirections are answers too: nothing is followed. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; what came several times is joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The network: finding out what is free, and asking services how they are. */
export interface Net {
  /** Binds and lets go at once. `address` null: every address, IPv6 and IPv4. */
  tryBind(protocol: 'tcp' | 'udp', address: string | null, port: number): Promise<BindOutcome>;
  /**
   * Connects to a Unix stream socket and hangs up: `connected`, or the errno (`ECONNREFUSED`, `EPROTOTYPE` …). It
   * cannot be done with an abstract one: `ENOTSUP`.
   */
  connectUnix(path: string): Promise<'connected' | (string & {})>;
  /** @throws an `ErrnoException` where nobody answers; an `AbortError` once the signal aborts. */
  connect(target: NetTarget, signal: Interrupting): Promise<Connection>;
  /** One request on a connection of its own. @throws as {@link connect} does, and for what is no HTTP. */
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
}

/** A program, its arguments and what it finds around it. */
export interface Program {
  readonly file: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What to spawn. Standard input is /dev/null; both outputs go to `output_fd`. */
export interface SpawnRequest extends Program {
  readonly output_fd: number;
  /** True for a {@link Channel} to the child, on its descriptor 3. */
  readonly channel?: boolean;
  /** Becomes the program where it still waits for just this one; it is discarded where it does not. */
  readonly standby?: Standby | undefined;
}

/** A process that was forked ahead of time and waits to become a program: what a restart then costs is an exec. */
export interface Standby {
  /** False once it has ended, has become its program, or was discarded. */
  readonly waiting: boolean;
  /** Ends it where it waits. */
  discard(): void;
}

/** One end of a stream of bytes between two processes. */
export interface Channel {
  /** Bytes that the other end has not taken yet. */
  readonly unsent: number;
  /** Never throws: what cannot be sent is lost, and the end is told. */
  send(bytes: string): void;
  /** From now on tells what comes, and once that nothing more will: the other end is closed, or this one. */
  listen(received: (bytes: Uint8Array) => void, ended: () => void): void;
  close(): void;
}

/** How a child ended. Exactly one of the two is not null. */
export interface ExitStatus {
  readonly exit_code: number | null;
  readonly exit_signal: NodeJS.Signals | null;
}

/** A child that runs, leader of its own session and group. */
export interface Child {
  readonly pid: number;
  /** Where one was asked for. */
  readonly channel?: Channel;
  /** Called once. Never before `spawn` has returned to the event loop. */
  onExit(callback: (status: ExitStatus) => void): void;
}

/** How a helper program is run. */
export interface HelperOptions {
  /** Ms after which it is killed, with everything in its group; `error` is `ETIMEDOUT` then. */
  readonly timeout: number;
  /** Descriptors that it inherits, from 3 on. */
  readonly fds?: readonly number[];
  /** Bytes kept of each output. */
  readonly max_output?: number;
  readonly cwd?: string;
  /** On top of upkeep's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends it as the timeout does; `error` is `ABORT_ERR` then. */
  readonly signal?: AbortSignal;
}

/** Starts programs. */
export interface Spawner {
  /**
   * Starts a program detached, in a session of its own.
   *
   * @throws an `ErrnoException` for everything that keeps it from starting; `E2BIG` and NUL bytes too.
   */
  spawn(request: SpawnRequest): Promise<Child> | Child;
  /**
   * Forks ahead of time. It ends by itself with upkeep.
   *
   * @param late the variables of the program's environment that are not known before it is spawned.
   * @returns null where this machine, or this program, does not allow for it.
   */
  standBy(program: Program, late: readonly string[]): Standby | null;
  /** Runs a helper program (`fallocate`, `lsof`, a check) to its end; never throws on its exit code. */
  run(
    file: string,
    argv: readonly string[],
    options: HelperOptions,
  ): Promise<{ exit_code: number | null; stdout: string; stderr: string; error: string | null }>;
}

/** The file system: `node:fs`, no more and no less, so that what is known about it stays true. */
export type Files = Pick<
  typeof fs,
  | 'accessSync'
  | 'chmodSync'
  | 'closeSync'
  | 'copyFileSync'
  | 'existsSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'lstatSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readFileSync'
  | 'readSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'realpathSync'
  | 'renameSync'
  | 'rmSync'
  | 'rmdirSync'
  | 'statSync'
  | 'unlinkSync'
  | 'writeFileSync'
  | 'writeSync'
> & { readonly promises: typeof fs.promises };

/** Everything outside upkeep's own memory, but for the store. */
export interface Host {
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  readonly files: Files;
  readonly processes: Processes;
  readonly net: Net;
  readonly spawner: Spawner;
}
