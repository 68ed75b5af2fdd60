/**
 * A folder with a service file and a state folder of its own, and the real upkeep on it, compiled and in a process
 * of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../adapters/client/client.ts';
import type { EventRecord } from '../../core/store/records.ts';
import type { ServiceView, Why } from '../../core/supervisor/control.ts';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One upkeep's world. */
export class Sandbox {
  readonly dir = mkdtempSync(join(tmpdir(), 'upkeep-e2e-'));
  readonly file = join(this.dir, 'upkeep.yaml');
  readonly state = join(this.dir, 'state');
  daemon: ChildProcess | null = null;
  /** Everything that the daemon has printed. */
  output = '';

  /** Asks the daemon directly: quicker than a command, for what is asked again and again. */
  readonly client: Client = createClient(join(this.state, 'upkeep.sock'));

  /** @param services the `services` part of the service file. */
  constructor(services: object) {
    this.write(services);
  }

  /** Replaces the service file. */
  write(services: object, plugins: readonly object[] = []): void {
    writeFileSync(this.file, JSON.stringify({ services, plugins }, null, 2));
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** Starts upkeep in the foreground and waits until it answers. */
  async up(env: Record<string, string> = {}, ...args: string[]): Promise<void> {
    const daemon = spawn(process.execPath, [MAIN, 'up', '-f', this.file, '--state', this.state, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.daemon = daemon;
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    daemon.stdout?.on('data', keep);
    daemon.stderr?.on('data', keep);
    await until(async () => {
      if (daemon.exitCode !== null || daemon.signalCode !== null) {
        throw new Error(`upkeep ended with ${daemon.exitCode ?? daemon.signalCode}: ${this.output}`);
      }
      return this.client.call('health.get', {}).then(
        () => true,
        () => false,
      );
    });
  }

  /** SIGKILL to the daemon, and waits for its end. Services are not touched. */
  async kill(): Promise<void> {
    const { daemon } = this;
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGKILL');
    await ended;
  }

  /** Ends the daemon in order. */
  async down(): Promise<void> {
    const { daemon } = this;
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }

  /** Runs a command of the CLI against this state folder. */
  cli(command: string, ...args: string[]): Promise<Ran> {
    return run(process.execPath, [MAIN, command, '--state', this.state, ...args]);
  }

  /** Runs a command with `--json` and reads its answer. */
  async json<T>(command: string, ...args: string[]): Promise<T> {
    const ran = await this.cli(command, ...args, '--json');
    if (ran.code !== 0) throw new Error(`upkeep ${command} ${args.join(' ')}: ${ran.code} ${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  }

  async service(name: string): Promise<ServiceView> {
    return this.client.call('service.get', { name });
  }

  /** The only action of a service. */
  async action(name: string): Promise<ServiceView['actions'][number]> {
    const [action] = (await this.service(name)).actions;
    if (action === undefined) throw new Error(`${name} has no action`);
    return action;
  }

  async why(name: string): Promise<Why> {
    return this.client.call('service.why', { name });
  }

  /** All events of a service that are kept, oldest first. */
  async events(name: string): Promise<EventRecord[]> {
    const found: EventRecord[] = [];
    for (let after = 0; ; after = found.at(-1)?.seq ?? after) {
      const { items } = await this.client.call('event.list', { service: name, after, limit: 1000 });
      found.push(...items);
      if (items.length < 1000) return found;
    }
  }

  async log(name: string): Promise<string> {
    return (await this.cli('logs', name)).stdout;
  }

  /** Waits until the only action of a service is as told. */
  async untilAction(name: string, is: (action: ServiceView['actions'][number]) => boolean): Promise<void> {
    await until(async () => is(await this.action(name)));
  }

  /** Every living process that carries the marker of this state folder. */
  marked(): { pid: number; job_id: string; incarnation: number; stat: string }[] {
    const instance = createHash('sha256').update(realpathSync(this.state)).digest('hex').slice(0, 12);
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const environ = readFileSync(`/proc/${name}/environ`, 'latin1');
          const mark = /(?:^|\0)UPKEEP_JOB=([^\0]*)/.exec(environ)?.[1]?.split('/');
          const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
          const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
          if (mark?.[0] !== instance || state === 'Z' || state === 'X') return [];
          return [{ pid: Number(name), job_id: mark[1] ?? '', incarnation: Number(mark[2]), stat }];
        } catch {
          return [];
        }
      });
  }

  /** Ends everything that belongs to this sandbox, and removes it. */
  async remove(): Promise<void> {
    await this.down();
    this.client.close();
    if (existsSync(this.state)) {
      for (const { pid } of this.marked()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended by itself in the meantime.
        }
      }
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Runs a program to its end. */
export function run(file: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A TCP port of the loopback that nobody holds right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** The pid of something that runs. Never 0, which would mean this very process group. */
export function pidOf({ pid }: { readonly pid: number | null }): number {
  if (pid === null) throw new Error('it has no process');
  return pid;
}

/** Whether a process lives: a zombie does not. */
export function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]$/.test(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
  } catch {
    return false;
  }
}

/** Signals a main process. */
export function signalMain(action: { readonly pid: number | null }, signal: NodeJS.Signals): void {
  process.kill(pidOf(action), signal);
}
