/**
 * Services that are well, ill, and worse, for the tests of health checks.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { nodeHost } from '../../core/host/node_host.ts';
import type { CheckedJob } from '../../core/plugin/context.ts';
import type { HealthCheckPlugin, HealthResult } from '../../core/plugin/definition.ts';
import { inProcessHealthCheck } from '../../core/plugin/health_check.ts';

/** What a look is told, but for the options. */
export interface Wishes {
  readonly job?: Partial<CheckedJob>;
  readonly readLog?: (since: number) => Promise<readonly string[]>;
  readonly signal?: AbortSignal;
}

/** Options as they stand in a service file. */
export type Written = Readonly<Record<string, unknown>>;

/** Looks once through the port, as the supervisor does. */
export async function lookOnce(
  plugin: HealthCheckPlugin,
  written: Written,
  { job, readLog = async () => [], signal = new AbortController().signal }: Wishes = {},
): Promise<HealthResult> {
  const check = inProcessHealthCheck(plugin, nodeHost());
  return await check.look(v.parse(check.options, written), {
    job: {
      service: 'shop',
      action: 'web',
      job_id: 'j1',
      restart_count: 0,
      pid: process.pid,
      started_at: Date.now() - 86_400_000,
      cwd: '/',
      ...job,
    },
    readLog,
    signal,
  });
}

/** Whether options are taken. */
export function isTaken(plugin: HealthCheckPlugin, written: Written): boolean {
  return v.safeParse(plugin.options, written).success;
}

/** A folder, and servers and programs that end with it. */
export class Place {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-health-')));
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #programs: ChildProcess[] = [];

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Listens with a server that was made by somebody else, on a port of its own where none is named. */
  async listen(server: Server, where: ListenOptions = { host: '127.0.0.1', port: 0 }): Promise<number> {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#servers.push(server.listen(where));
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** A TCP server that does this with each connection. */
  async serve(talk: (socket: Socket) => void, where?: ListenOptions): Promise<number> {
    return await this.listen(createServer(talk), where);
  }

  /** A port that nobody listens on. */
  async freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  /** Starts a program that ends with the place. */
  start(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, { cwd: this.dir, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#programs.push(child);
    return child;
  }

  /** Starts a real nginx: `/ok` is answered with `fine`, all else with 404. */
  startNginx(port: number): ChildProcess {
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${this.path(name)};`,
    );
    writeFileSync(
      this.path('nginx.conf'),
      `daemon off; master_process off; pid ${this.path('nginx.pid')}; error_log stderr crit; events {}
       http { access_log off; ${folders.join(' ')} server { listen 127.0.0.1:${port};
         location = /ok { return 200 "fine\\n"; } location / { return 404; } } }`,
    );
    return this.start('nginx', ['-p', this.dir, '-c', this.path('nginx.conf')]);
  }

  /** Starts a real redis that keeps nothing. */
  startRedis(...where: string[]): ChildProcess {
    const quiet = ['--save', '', '--dir', this.dir, '--logfile', this.path('redis.log')];
    return this.start('redis-server', [...where, ...quiet]);
  }

  async end(): Promise<void> {
    const ended = this.#programs.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    });
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(ended);
    await Promise.all(
      this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
    );
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Whether a program is installed here. */
export function has(program: string): boolean {
  return spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Sends bytes again and again until the other end is gone. */
export function flood(socket: Socket, bytes: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes)) {
      // The kernel takes them.
    }
    socket.once('drain', more);
  };
  more();
}

/** Sends a text byte by byte, and its last byte for ever. */
export function drip(socket: Socket, text = 'x'): void {
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(text[Math.min(sent, text.length - 1)] ?? '');
    sent += 1;
  }, 5);
  socket.once('close', () => clearInterval(timer));
}

/** Resolves once the other end is gone. Reads what comes, as it would not be noticed otherwise. */
export function closing(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
