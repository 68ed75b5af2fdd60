/**
 * What a plugin touches the world through. It carries exactly what was granted, so that a grant is a fact, and a test
 * hands in an object of its own and needs no machine.
 */
import type { Connection, HttpResponse, NetTarget } from '../host/host.ts';

/** How a program is run. */
export interface RunOptions {
  /** Ms after which it is killed with everything that it started, and the call rejects. Default: 10 s. */
  readonly timeout?: number;
  /** Bytes kept of each output; the rest is read and thrown away. Default: 1 MiB. */
  readonly max_output?: number;
  /** The folder to run in. Default: upkeep's. */
  readonly cwd?: string;
  /**
   * Variables on top of upkeep's own; `LC_ALL=C` in any case. Those that decide what a program loads or runs (`PATH`,
   * `LD_PRELOAD`, `NODE_OPTIONS` …) need `run: *`.
   */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a program ended, and what it printed. */
export interface RunResult {
  /** Null where a signal ended it. */
  readonly exit_code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is known of a file. */
export interface FileFacts {
  /** The same for every path that leads to one file, and for no other file as long as that one is there. */
  readonly id?: string;
  readonly kind: 'file' | 'folder' | 'socket' | 'other';
  /** Bytes. */
  readonly size: number;
  /** When it was last changed, ms since the epoch. */
  readonly modified_at: number;
}

/** An HTTP request. */
export interface FetchOptions {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The Unix socket to ask, in place of the URL's host and port. */
  readonly socket?: string;
  /** True to take any certificate. */
  readonly insecure?: boolean;
  /** Bytes of the answer's body that are read; what is beyond is left. Default: 1 MiB. */
  readonly max_body?: number;
  /** Ms for the whole of it. Default: 10 s. */
  readonly timeout?: number;
}

/**
 * What every function of a plugin is handed.
 *
 * Whatever is not granted rejects with `PermissionDenied`; whatever cannot be done, with an error whose `code` is the
 * system's (`ENOENT`, `ECONNREFUSED`, `ETIMEDOUT`).
 */
export interface PluginContext {
  /** Runs a program to its end; nothing is looked up by a shell. Needs `run`. */
  run(program: string, args?: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Reads a text file of 1 MiB at most; a larger one rejects with `EFBIG`. Needs `read`. */
  readFile(path: string): Promise<string>;
  /** Looks at a file, or what a link leads to, without reading it; null where there is none. Needs `read`. */
  stat(path: string): Promise<FileFacts | null>;
  /** Connects by TCP or to a Unix stream socket. Needs `net`. */
  connect(target: NetTarget): Promise<Connection>;
  /** Sends an HTTP request. Needs `net`. */
  fetch(url: string, options?: FetchOptions): Promise<HttpResponse>;
  /** Ms since the epoch. */
  now(): number;
  /** Aborts at the call's deadline, and where nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Writes a line into the plugin's own log. */
  log(message: string): void;
}

/** The job that a health check is about. */
export interface CheckedJob {
  readonly service: string;
  readonly action: string;
  readonly job_id: string;
  readonly restart_count: number;
  readonly pid: number;
  /** When this incarnation was spawned, ms since the epoch. */
  readonly started_at: number;
  /** The folder that the action runs in. */
  readonly cwd: string;
}

/** What a health check is handed. */
export interface HealthContext extends PluginContext {
  readonly job: CheckedJob;
  /** The lines that this incarnation has written since a moment (ms since the epoch), the last 1000 of them. */
  readLog(since: number): Promise<readonly string[]>;
}
