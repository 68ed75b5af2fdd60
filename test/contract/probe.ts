/**
 * What every probe must answer, on real sockets. A probe's own test runs this suite and adds what is particular to it.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../core/host/host.ts';
import { nodeHost } from '../../core/host/node_host.ts';
import type { Probe, ProbeAnswer } from '../../core/plugin/probe.ts';
import { type Claim, claimKey, type PortClaim } from '../../core/reclaim/claim.ts';
import { stillHolds } from '../../core/reclaim/still_holds.ts';
import { Fixtures, hasPython } from './fixture.ts';

/** What a case needs of the machine. */
type Need = 'IPv6' | 'python3' | 'root';

const HAS: Readonly<Record<Need, boolean>> = {
  IPv6: Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6')),
  python3: hasPython,
  root: process.getuid?.() === 0,
};

/**
 * Defines the suite for one probe.
 *
 * @param excuses cases that this probe cannot see, by name, with the reason why.
 */
export function describeProbe(probe: Probe, excuses: Readonly<Record<string, string>> = {}): void {
  const host = nodeHost();
  const self = host.processes.identity(process.pid);
  let dir: string;
  const fixtures = new Fixtures();
  const open: (Server | UdpSocket)[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'upkeep-probe-'));
  });

  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close();
    await fixtures.end();
    rmSync(dir, { recursive: true, force: true });
  });

  async function listen(options: ListenOptions): Promise<number> {
    const server = createServer().listen(options);
    open.push(server);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async function bindUdp(address: string): Promise<{ socket: UdpSocket; port: number }> {
    const socket = createSocket('udp4').bind(0, address);
    open.push(socket);
    await once(socket, 'listening');
    return { socket, port: socket.address().port };
  }

  function ask(...claims: Claim[]): Promise<ProbeAnswer> {
    return probe.holders({ claims, suspects: [], exhaustive: true }, host);
  }

  /** Asks about each claim by itself, and expects this process to be its one holder, or nobody. */
  async function expectHeld(held: boolean, ...claims: Claim[]): Promise<void> {
    const { holders, complete } = await ask(...claims);
    const seen = claims.map((claim) => [claimKey(claim), pidsOf(claim, holders)]);
    expect(seen).toEqual(claims.map((claim) => [claimKey(claim), held ? [process.pid] : []]));
    // Some probes cannot tell that nobody is there unless they may see everybody.
    if (held || HAS.root) expect(complete).toBe(true);
  }

  const excused = new Set(Object.keys(excuses));

  /** One case. It is skipped by name, with the reason, where the probe is excused from it. */
  function check(name: string, run: () => Promise<void>, skip?: string): void {
    const reason = excuses[name] ?? skip;
    excused.delete(name);
    if (reason === undefined) it(name, run);
    else it.skip(`${name} (${reason})`, run);
  }

  /** One that is skipped, too, where the machine lacks what it needs. */
  function checkWith(need: Need, name: string, run: () => Promise<void>): void {
    check(name, run, HAS[need] ? undefined : `needs ${need}`);
  }

  describe(`probe ${probe.name}`, () => {
    check('is available here', async () => {
      expect(await probe.available(host)).toBe(true);
    });

    check('says nobody, and that it saw everything, where nobody is', async () => {
      const port = await freePort();
      await expectHeld(false, tcp(port), udp(port), { kind: 'socket', path: join(dir, 'none.sock') });
    });

    check('names the process, its address and its command, in a way that can be proved again', async () => {
      const port = await listen({ host: '127.0.0.1', port: 0 });
      const { holders } = await ask(tcp(port));
      expect(holders).toHaveLength(1);
      const [holder] = holders;
      expect(holder).toMatchObject({ claim: tcp(port), process: self, address: '127.0.0.1' });
      expect(holder?.command).toContain('node');
      expect(holder && stillHolds(holder, host)).toBe(true);
      await new Promise((resolve) => open.pop()?.close(() => resolve(undefined)));
      expect(holder && stillHolds(holder, host)).toBe(false);
    });

    check('a port of one address: held there and on every address, free on another one', async () => {
      const port = await listen({ host: '127.0.0.1', port: 0 });
      await expectHeld(true, tcp(port), tcp(port, '127.0.0.1'));
      await expectHeld(false, tcp(port, '127.0.0.2'));
    });

    check('a port of every IPv4 address: held on each', async () => {
      const port = await listen({ host: '0.0.0.0', port: 0 });
      await expectHeld(true, tcp(port), tcp(port, '127.0.0.1'), tcp(port, '0.0.0.0'));
    });

    checkWith('IPv6', 'a port of one IPv6 address', async () => {
      const port = await listen({ host: '::1', port: 0 });
      await expectHeld(true, tcp(port), tcp(port, '::1'));
      await expectHeld(false, tcp(port, '127.0.0.1'));
    });

    checkWith('IPv6', 'a port of every address: held in IPv4 too', async () => {
      const port = await listen({ host: '::', port: 0 });
      await expectHeld(true, tcp(port), tcp(port, '::1'), tcp(port, '127.0.0.1'));
    });

    checkWith('IPv6', 'an IPv4 address mapped into IPv6', async () => {
      const port = await listen({ host: '::ffff:127.0.0.1', port: 0 });
      await expectHeld(true, tcp(port), tcp(port, '127.0.0.1'));
      await expectHeld(false, tcp(port, '127.0.0.2'), tcp(port, '::1'));
    });

    check('a UDP port, which is no TCP port', async () => {
      const { port } = await bindUdp('127.0.0.1');
      await expectHeld(true, udp(port), udp(port, '127.0.0.1'));
      await expectHeld(false, udp(port, '127.0.0.2'), tcp(port));
    });

    check('a TCP connection holds nothing, on either side', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const client = connect(port, '127.0.0.1');
      const [accepted] = (await once(server, 'connection')) as [Socket];
      server.close();
      try {
        await expectHeld(false, tcp(port), tcp(client.localPort ?? 0));
      } finally {
        client.destroy();
        accepted.destroy();
      }
    });

    check('a connected UDP socket holds nothing, on either side', async () => {
      const server = await bindUdp('127.0.0.1');
      const client = await bindUdp('127.0.0.1');
      client.socket.connect(server.port, '127.0.0.1');
      await once(client.socket, 'connect');
      await expectHeld(true, udp(server.port));
      server.socket.close();
      open.splice(open.indexOf(server.socket), 1);
      await expectHeld(false, udp(client.port), udp(server.port));
    });

    check('a Unix socket', async () => {
      const path = join(dir, 'a.sock');
      await listen({ path });
      await expectHeld(true, { kind: 'socket', path });
      await expectHeld(
        false,
        { kind: 'socket', path: `${path}2` },
        { kind: 'socket', path: join(dir, 'x', 'a.sock') },
      );
    });

    check('a path with a space in it', async () => {
      const path = join(dir, 'a b.sock');
      await listen({ path });
      await expectHeld(true, { kind: 'socket', path });
      await expectHeld(false, { kind: 'socket', path: join(dir, 'a') });
    });

    check('an abstract socket', async () => {
      const name = `upkeep-probe-${process.pid}`;
      await listen({ path: `\0${name}` });
      await expectHeld(true, { kind: 'socket', path: `@${name}` });
    });

    checkWith('python3', 'a Unix datagram socket', async () => {
      const path = join(dir, 'd.sock');
      const { pids } = await fixtures.start('hold_odd.py', 'datagram', path);
      const { holders } = await ask({ kind: 'socket', path });
      expect(holders.map((holder) => holder.process?.pid)).toEqual(pids);
    });

    checkWith('python3', 'a connection whose listener is gone', async () => {
      const path = join(dir, 'c.sock');
      const { pids } = await fixtures.start('hold_odd.py', 'accepted', path);
      const { holders } = await ask({ kind: 'socket', path });
      expect(holders.map((holder) => holder.process?.pid)).toEqual(pids);
    });

    check('a listener that a child has inherited: both hold the one socket', async () => {
      const { port, pids } = await fixtures.start('hold_shared.mjs');
      const { holders } = await ask(tcp(port));
      expect(pidsOf(tcp(port), holders)).toEqual([...pids].sort());
      expect(new Set(holders.map((holder) => holder.inode)).size).toBe(1);
    });

    checkWith('python3', 'two sockets on one port (SO_REUSEPORT): both', async () => {
      const { port, pids } = await fixtures.start('hold_odd.py', 'reuseport');
      const { holders } = await ask(tcp(port));
      expect(pidsOf(tcp(port), holders)).toEqual([...pids].sort());
      expect(new Set(holders.map((holder) => holder.inode)).size).toBe(2);
    });

    check('many claims in one pass', async () => {
      const claims: Claim[] = [];
      for (let n = 0; n < 100; n += 1) claims.push(tcp(await listen({ host: '127.0.0.1', port: 0 })));
      for (let n = 0; n < 100; n += 1) {
        const path = join(dir, `${n}.sock`);
        await listen({ path });
        claims.push({ kind: 'socket', path });
      }
      await expectHeld(true, ...claims);
    });

    check('is satisfied with suspects where it need not be exhaustive', async () => {
      const port = await listen({ host: '127.0.0.1', port: 0 });
      const query = { claims: [tcp(port)], suspects: [process.pid], exhaustive: false };
      const { holders } = await probe.holders(query, host);
      expect(holders).toMatchObject([{ process: self }]);
    });

    check('a process that ends while it is looked at holds nothing any more', async () => {
      const { port, pids } = await fixtures.start('hold_shared.mjs');
      const [parent = 0, child = 0] = pids;
      const query = { claims: [tcp(port)], suspects: [], exhaustive: true };
      const { holders } = await probe.holders(query, dyingWhenLookedAt(host, child));
      expect(holders.map((holder) => holder.process?.pid)).toEqual([parent]);
    });

    checkWith('root', 'says what it may not see: unknown, not free', async () => {
      const { port } = await fixtures.start('hold_shared.mjs');
      process.seteuid?.('nobody');
      try {
        const query = { claims: [tcp(port)], suspects: [], exhaustive: true };
        const { holders, complete } = await probe.holders(query, unprivileged(host));
        expect(complete).toBe(false);
        expect(holders.map((holder) => holder.process)).not.toContainEqual(expect.anything());
      } finally {
        process.seteuid?.(0);
      }
    });

    it('is excused from nothing but what is asked here', () => {
      expect([...excused]).toEqual([]);
    });
  });
}

function tcp(port: number, address: string | null = null): PortClaim {
  return { kind: 'tcp', address, port };
}

function udp(port: number, address: string | null = null): PortClaim {
  return { kind: 'udp', address, port };
}

function pidsOf(claim: Claim, holders: ProbeAnswer['holders']): (number | undefined)[] {
  const mine = holders.filter((holder) => claimKey(holder.claim) === claimKey(claim));
  return mine.map((holder) => holder.process?.pid).sort();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The same host, on which one process dies at the moment when somebody asks who it is. */
function dyingWhenLookedAt(host: Host, victim: number): Host {
  const die = (pid: number): void => {
    if (pid !== victim || host.processes.stat(pid) === null) return;
    process.kill(pid, 'SIGKILL');
    while (isRunning(pid));
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

function isRunning(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/\) [ZX] /.test(line);
  } catch {
    return false;
  }
}

/** Helper programs give up the real user as well, which they could go back to. */
function unprivileged(host: Host): Host {
  const { spawner } = host;
  return {
    ...host,
    spawner: {
      spawn: spawner.spawn,
      run: (file, argv, options) => spawner.run('setpriv', ['--reuid=nobody', '--', file, ...argv], options),
    },
  };
}
