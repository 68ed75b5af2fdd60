/**
 * Real sockets for the cases of probes, and hosts on which something goes wrong.
 */
import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import type { Probe, ProbeAnswer, ProbeQuery } from '../../core/plugin/probe.ts';
import type { Identity } from '../../core/process/identity.ts';
import { type Claim, claimKey, type PortClaim } from '../../core/reclaim/claim.ts';
import { Fixtures } from './fixture.ts';

/** One probe, and sockets of this process and of others for it to find. */
export class ProbeLab {
  readonly probe: Probe;
  readonly host: Host = nodeHost();
  readonly self: Identity | null = this.host.processes.identity(process.pid);
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-probe-')));
  readonly fixtures = new Fixtures();
  readonly #open = new Set<Server | UdpSocket>();

  constructor(probe: Probe) {
    this.probe = probe;
  }

  /** Closes everything. */
  async close(): Promise<void> {
    for (const socket of this.#open) socket.close();
    await this.fixtures.end();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Listens, until {@link letGo}. */
  async listen(options: ListenOptions): Promise<{ server: Server; port: number }> {
    const server = createServer().listen(options);
    this.#open.add(server);
    await once(server, 'listening');
    const address = server.address();
    return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
  }

  /** Binds a UDP port, until {@link letGo}. */
  async bindUdp(address: string): Promise<{ socket: UdpSocket; port: number }> {
    const socket = createSocket('udp4').bind(0, address);
    this.#open.add(socket);
    await once(socket, 'listening');
    return { socket, port: socket.address().port };
  }

  /** Closes one. */
  async letGo(socket: Server | UdpSocket): Promise<void> {
    this.#open.delete(socket);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  /** Asks for every holder, unless told otherwise. */
  ask(
    claims: readonly Claim[],
    query: Partial<ProbeQuery> = {},
    host: Host = this.host,
  ): Promise<ProbeAnswer> {
    return this.probe.holders({ claims, suspects: [], exhaustive: true, ...query }, host);
  }

  /** Each claim has this process for its one holder. */
  async expectHeld(...claims: Claim[]): Promise<void> {
    const { holders, complete } = await this.ask(claims, { exhaustive: false });
    for (const claim of claims) assert.deepEqual(pidsOf(claim, holders), [process.pid], claimKey(claim));
    assert.equal(complete, true, 'somebody was found for every socket');
  }

  /** Nobody holds any of the claims. */
  async expectFree(...claims: Claim[]): Promise<void> {
    const { holders, complete } = await this.ask(claims);
    assert.deepEqual(holders, []);
    // Some probes cannot tell that nobody is there unless they may see everybody.
    if (process.getuid?.() === 0) assert.equal(complete, true, 'nobody means that nobody is there');
  }
}

/** A claim of a TCP port. */
export function tcp(port: number, address: string | null = null): PortClaim {
  return { kind: 'tcp', address, port };
}

/** A claim of a UDP port. */
export function udp(port: number, address: string | null = null): PortClaim {
  return { kind: 'udp', address, port };
}

/** A claim of a Unix socket. */
export function unix(path: string): Claim {
  return { kind: 'socket', path };
}

/** Who holds a claim, in order. */
export function pidsOf(claim: Claim, holders: ProbeAnswer['holders']): (number | undefined)[] {
  const mine = holders.filter((holder) => claimKey(holder.claim) === claimKey(claim));
  return mine.map((holder) => holder.process?.pid).sort();
}

/** A port that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The same host, on which one process dies at the moment when somebody asks who it is. */
export function dyingWhenLookedAt(host: Host, victim: number): Host {
  const die = (pid: number): void => {
    if (pid !== victim || host.processes.stat(pid) === null) return;
    process.kill(pid, 'SIGKILL');
    // Its threads end one by one, and it is not gone before the last.
    while (host.processes.stat(pid) !== null);
  };
  const processes = new Proxy(host.processes, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (name === 'identity' || name === 'stat') die(args[0] as number);
        return value.apply(target, args);
      };
    },
  });
  return { ...host, processes };
}

/** Helper programs give up the real user as well, which they could go back to. */
export function unprivileged(host: Host): Host {
  const { spawner } = host;
  return {
    ...host,
    spawner: {
      ...spawner,
      run: (file, argv, options) => spawner.run('setpriv', ['--reuid=nobody', '--', file, ...argv], options),
    },
  };
}
