/**
 * What every probe must answer, on real sockets. A probe's own test runs these cases and adds what is particular to it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Probe } from '../../core/plugin/probe.ts';
import type { Claim } from '../../core/reclaim/claim.ts';
import { stillHolds } from '../../core/reclaim/still_holds.ts';
import type { ContractCase } from './contract_case.ts';
import { dyingWhenLookedAt, freePort, ProbeLab, pidsOf, tcp, udp, unix, unprivileged } from './probe_lab.ts';

/** What happens in a case, in a lab of its own. */
type Body = (lab: ProbeLab) => Promise<void>;

/** The cases for one probe. */
export function probeCases(probe: Probe): readonly ContractCase[] {
  return [...portCases, ...pathCases, ...processCases].map(({ name, needs, body }) => ({
    name,
    needs,
    async run() {
      const lab = new ProbeLab(probe);
      try {
        await body(lab);
      } finally {
        await lab.close();
      }
    },
  }));
}

interface Draft {
  readonly name: string;
  readonly needs: readonly string[];
  readonly body: Body;
}

function check(name: string, body: Body, ...needs: string[]): Draft {
  return { name, needs, body };
}

const portCases: readonly Draft[] = [
  check('is available here', async ({ probe, host }) => {
    assert.equal(await probe.available(host), true);
  }),

  check('says nobody, and that it saw everything, where nobody is', async (lab) => {
    const port = await freePort();
    await lab.expectFree(tcp(port), udp(port), unix(join(lab.dir, 'none.sock')));
  }),

  check('names the process, its address and its command', async (lab) => {
    const { port } = await lab.listen({ host: '127.0.0.1', port: 0 });
    const { holders } = await lab.ask([tcp(port)]);
    assert.equal(holders.length, 1);
    assert.deepEqual(holders[0]?.claim, tcp(port));
    assert.deepEqual(holders[0]?.process, lab.self);
    assert.equal(holders[0]?.address, '127.0.0.1');
    assert.match(holders[0]?.command ?? '', /node/);
  }),

  check('names a holder in a way that can be proved again', async (lab) => {
    const { server, port } = await lab.listen({ host: '127.0.0.1', port: 0 });
    const { holders } = await lab.ask([tcp(port)]);
    const [holder] = holders;
    assert.equal(holder && stillHolds(holder, lab.host), true);
    await lab.letGo(server);
    assert.equal(holder && stillHolds(holder, lab.host), false);
  }),

  check('a port of one address: held there and on every address, free on another one', async (lab) => {
    const { port } = await lab.listen({ host: '127.0.0.1', port: 0 });
    await lab.expectHeld(tcp(port), tcp(port, '127.0.0.1'));
    await lab.expectFree(tcp(port, '127.0.0.2'));
  }),

  check('a port of every IPv4 address: held on each', async (lab) => {
    const { port } = await lab.listen({ host: '0.0.0.0', port: 0 });
    await lab.expectHeld(tcp(port), tcp(port, '127.0.0.1'), tcp(port, '0.0.0.0'));
  }),

  check(
    'a port of one IPv6 address',
    async (lab) => {
      const { port } = await lab.listen({ host: '::1', port: 0 });
      await lab.expectHeld(tcp(port), tcp(port, '::1'));
      await lab.expectFree(tcp(port, '127.0.0.1'));
    },
    'IPv6',
  ),

  check(
    'a port of every address: held in IPv4 too',
    async (lab) => {
      const { port } = await lab.listen({ host: '::', port: 0 });
      await lab.expectHeld(tcp(port), tcp(port, '::1'), tcp(port, '127.0.0.1'));
    },
    'IPv6',
  ),

  check(
    'an IPv4 address mapped into IPv6',
    async (lab) => {
      const { port } = await lab.listen({ host: '::ffff:127.0.0.1', port: 0 });
      await lab.expectHeld(tcp(port), tcp(port, '127.0.0.1'));
      await lab.expectFree(tcp(port, '127.0.0.2'), tcp(port, '::1'));
    },
    'IPv6',
  ),

  check('a UDP port, which is no TCP port', async (lab) => {
    const { port } = await lab.bindUdp('127.0.0.1');
    await lab.expectHeld(udp(port), udp(port, '127.0.0.1'));
    await lab.expectFree(udp(port, '127.0.0.2'), tcp(port));
  }),

  check('a TCP connection holds nothing, on either side', async (lab) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const client = connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [Socket];
    server.close();
    try {
      await lab.expectFree(tcp(port), tcp(client.localPort ?? 0));
    } finally {
      client.destroy();
      accepted.destroy();
    }
  }),

  check('a connected UDP socket holds nothing, on either side', async (lab) => {
    const server = await lab.bindUdp('127.0.0.1');
    const client = await lab.bindUdp('127.0.0.1');
    client.socket.connect(server.port, '127.0.0.1');
    await once(client.socket, 'connect');
    await lab.expectHeld(udp(server.port));
    await lab.letGo(server.socket);
    await lab.expectFree(udp(client.port), udp(server.port));
  }),
];

const pathCases: readonly Draft[] = [
  check('a Unix socket', async (lab) => {
    const path = join(lab.dir, 'a.sock');
    await lab.listen({ path });
    await lab.expectHeld(unix(path));
    await lab.expectFree(unix(`${path}2`), unix(join(lab.dir, 'x', 'a.sock')));
  }),

  check('a path with a space in it', async (lab) => {
    const path = join(lab.dir, 'a b.sock');
    await lab.listen({ path });
    await lab.expectHeld(unix(path));
  }),

  check('a path with a line break in it', async (lab) => {
    const path = join(lab.dir, 'a\nb.sock');
    await lab.listen({ path });
    await lab.expectHeld(unix(path));
  }),

  check('takes no path for another that begins as it does', async (lab) => {
    await lab.listen({ path: join(lab.dir, 'a b.sock') });
    await lab.listen({ path: join(lab.dir, 'c\nd.sock') });
    await lab.expectFree(unix(join(lab.dir, 'a')), unix(join(lab.dir, 'c')));
  }),

  check('a path through a symlinked folder', async (lab) => {
    mkdirSync(join(lab.dir, 'run'));
    symlinkSync('run', join(lab.dir, 'var'));
    await lab.listen({ path: join(lab.dir, 'run', 'a.sock') });
    await lab.expectHeld(unix(join(lab.dir, 'var', 'a.sock')));
  }),

  check('an abstract socket', async (lab) => {
    const name = `upkeep-probe-${process.pid}`;
    await lab.listen({ path: `\0${name}` });
    await lab.expectHeld(unix(`@${name}`));
  }),

  check(
    'a Unix datagram socket',
    async (lab) => {
      const path = join(lab.dir, 'd.sock');
      const { pids } = await lab.fixtures.start('hold_odd.py', 'datagram', path);
      assert.deepEqual(pidsOf(unix(path), (await lab.ask([unix(path)])).holders), pids);
    },
    'python3',
  ),

  check(
    'a connection whose listener is gone',
    async (lab) => {
      const path = join(lab.dir, 'c.sock');
      const { pids } = await lab.fixtures.start('hold_odd.py', 'accepted', path);
      assert.deepEqual(pidsOf(unix(path), (await lab.ask([unix(path)])).holders), pids);
    },
    'python3',
  ),
];

const processCases: readonly Draft[] = [
  check('a listener that a child has inherited: both hold the one socket', async (lab) => {
    const { port, pids } = await lab.fixtures.start('hold_shared.mjs');
    const { holders, complete } = await lab.ask([tcp(port)]);
    assert.deepEqual(pidsOf(tcp(port), holders), [...pids].sort());
    assert.equal(new Set(holders.map((holder) => holder.inode)).size, 1);
    assert.equal(complete, true);
  }),

  check(
    'two sockets on one port (SO_REUSEPORT): both',
    async (lab) => {
      const { port, pids } = await lab.fixtures.start('hold_odd.py', 'reuseport');
      const { holders } = await lab.ask([tcp(port)]);
      assert.deepEqual(pidsOf(tcp(port), holders), [...pids].sort());
      assert.equal(new Set(holders.map((holder) => holder.inode)).size, 2);
    },
    'python3',
  ),

  check('many claims in one pass', async (lab) => {
    const claims: Claim[] = [];
    for (let n = 0; n < 150; n += 1)
      claims.push(tcp((await lab.listen({ host: '127.0.0.1', port: 0 })).port, '127.0.0.1'));
    for (let n = 0; n < 100; n += 1) {
      const path = join(lab.dir, `${n}.sock`);
      await lab.listen({ path });
      claims.push(unix(path));
    }
    await lab.expectHeld(...claims);
  }),

  check('is satisfied with suspects where it need not be exhaustive', async (lab) => {
    const { port } = await lab.listen({ host: '127.0.0.1', port: 0 });
    const { holders } = await lab.ask([tcp(port)], { suspects: [process.pid], exhaustive: false });
    assert.deepEqual(
      holders.map((holder) => holder.process),
      [lab.self],
    );
  }),

  check('a process that ends while it is looked at holds nothing any more', async (lab) => {
    const { port, pids } = await lab.fixtures.start('hold_shared.mjs');
    const [parent = 0, child = 0] = pids;
    const { holders } = await lab.ask([tcp(port)], {}, dyingWhenLookedAt(lab.host, child));
    assert.deepEqual(pidsOf(tcp(port), holders), [parent]);
  }),

  check(
    'says what it may not see: unknown, not free',
    async (lab) => {
      const { port } = await lab.fixtures.start('hold_shared.mjs');
      process.seteuid?.('nobody');
      try {
        const { holders, complete } = await lab.ask([tcp(port)], {}, unprivileged(lab.host));
        assert.equal(complete, false);
        assert.deepEqual(
          holders.filter((holder) => holder.process !== null),
          [],
        );
      } finally {
        process.seteuid?.(0);
      }
    },
    'root',
    'setpriv',
  ),
];
