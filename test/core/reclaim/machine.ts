/** The real machine for the tests of reclaim: holders as processes of their own, and a world to reclaim in. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { Reason } from '../../../core/job/reason.ts';
import type { Identity } from '../../../core/process/identity.ts';
import { formatMark, MARKER } from '../../../core/process/marker.ts';
import { ProbeHost } from '../../../core/reclaim/look_up.ts';
import { type ReclaimResult, reclaim } from '../../../core/reclaim/reclaim.ts';
import type { ReclaimTarget, ReclaimWorld } from '../../../core/reclaim/target.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { until } from '../../support/until.ts';

const HOLDER = fileURLToPath(new URL('../../fixtures/reclaim_holder.mjs', import.meta.url));
const ODD_HOLDER = fileURLToPath(new URL('../../fixtures/reclaim_unix_odd.py', import.meta.url));

/** The instance and the job that the marks of these tests are about. */
export const INSTANCE = 'c0ffee';

/** Whether what only Python can bind can be tested here. */
export const hasPython = spawnSync('python3', ['--version']).status === 0;

/** What a holder is asked to hold; see the fixture. */
export interface Wish {
  tcp?: { host?: string; port: number };
  udp?: { host?: string; port: number };
  unix?: string;
  ignore_term?: true;
  detached?: true;
  wiped?: true;
  child?: Wish;
}

/** What it holds. */
export interface Held {
  pid: number;
  tcp?: number;
  udp?: number;
  child?: Held;
}

/** A holder that runs. */
export interface Holder extends Held {
  process: ChildProcess;
  identity: Identity;
}

/** The same object with some of its methods replaced; the others keep their own `this`. */
export function replacing<T extends object>(whole: T, methods: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, key) => {
      if (Object.hasOwn(methods, key)) return Reflect.get(methods, key);
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Cleans up after a test: what it started, by identity, and its folder. */
export class Machine {
  readonly host: Host = nodeHost();
  readonly folder = mkdtempSync(join(tmpdir(), 'upkeep-reclaim-'));
  readonly notes: Reason[] = [];
  readonly #started: Identity[] = [];

  /** A path in the test's folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** The environment of incarnation `incarnation` of a job. */
  marked(job_id: string, incarnation: number, instance = INSTANCE): NodeJS.ProcessEnv {
    return { ...process.env, [MARKER]: formatMark({ instance, job_id, incarnation }) };
  }

  /** Starts a holder in a session of its own, and resolves once it holds what it should. */
  async holder(wish: Wish, env: NodeJS.ProcessEnv = process.env): Promise<Holder> {
    return await this.start(process.execPath, [HOLDER, JSON.stringify(wish)], env);
  }

  /** Binds a Unix socket as a datagram one, or as one that never listens. `path` may be relative to the folder. */
  async oddHolder(kind: 'datagram' | 'silent', path: string): Promise<Holder> {
    return await this.start('python3', [ODD_HOLDER, kind, path], process.env);
  }

  async start(file: string, argv: string[], env: NodeJS.ProcessEnv): Promise<Holder> {
    const child = spawn(file, argv, {
      cwd: this.folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of child.stdout) {
      output += chunk;
      if (output.includes('\n')) break;
    }
    const held = JSON.parse(output) as Held;
    const pid = child.pid ?? 0;
    for (let next: Held | undefined = { ...held, pid }; next !== undefined; next = next.child)
      this.#remember(next.pid);
    return { ...held, pid, process: child, identity: this.identityOf(pid) };
  }

  identityOf(pid: number): Identity {
    const identity = this.host.processes.identity(pid);
    if (identity === null) throw new Error(`pid ${pid} is gone`);
    return identity;
  }

  alive(holder: Held): boolean {
    return this.#started.some(({ pid }) => pid === holder.pid && this.host.processes.stat(pid) !== null);
  }

  /** Resolves once it has been reaped too: a zombie is dead, and still a member of its group. */
  async kill(holder: Holder): Promise<void> {
    const exit = once(holder.process, 'exit');
    this.host.processes.signal(holder.identity, 'SIGKILL');
    await exit;
  }

  /** Leaves a dead socket's file at `path`. */
  async staleSocket(path: string): Promise<void> {
    const server = createServer().listen(`${path}.live`);
    await once(server, 'listening');
    // Closing unlinks the path that it was bound to, and no other.
    renameSync(`${path}.live`, path);
    await new Promise((resolve) => server.close(resolve));
  }

  /** A port that nobody had a moment ago. */
  async freePort(): Promise<number> {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  world(changes: Partial<ReclaimWorld> = {}): ReclaimWorld {
    return {
      host: this.host,
      probes: new ProbeHost(this.host, builtInPlugins.probes, () => {}),
      upkeep_pid: process.pid,
      instance: INSTANCE,
      jobOfSession: () => null,
      describeJob: (job_id) =>
        ({ j1: { service: 'shop', action: 'web' }, j9: { service: 'bank', action: 'ledger' } })[job_id] ??
        null,
      ...changes,
    };
  }

  async reclaim(
    target: ReclaimTarget,
    world = this.world(),
    signal = new AbortController().signal,
  ): Promise<ReclaimResult> {
    return await reclaim(target, world, { signal, note: (found) => this.notes.push(found) });
  }

  async dispose(): Promise<void> {
    for (const identity of this.#started) {
      this.host.processes.signal(identity, 'SIGKILL');
      await until(() => !this.host.processes.isAlive(identity));
    }
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true });
  }

  #remember(pid: number): void {
    const identity = this.host.processes.identity(pid);
    if (identity !== null) this.#started.push(identity);
  }
}
