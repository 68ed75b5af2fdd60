/**
 * What is asked of a probe that need not see everything: that it names nobody wrongly, finds something, and says so
 * where it could not see all. Those that are built in must see everything; see `probe.ts`.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Probe } from '../../core/plugin/probe.ts';
import { type Claim, claimKey } from '../../core/reclaim/claim.ts';
import type { ContractCase } from './contract_case.ts';
import { freePort, ProbeLab, pidsOf, tcp, udp, unix } from './probe_lab.ts';

/** Claims, and whether this process holds them. */
type Scene = readonly { readonly claim: Claim; readonly held: boolean }[];

/** The suite for one probe. */
export function honestProbeCases(probe: Probe): readonly ContractCase[] {
  const inLab = (name: string, body: (lab: ProbeLab) => Promise<void>): ContractCase => ({
    name,
    async run() {
      const lab = new ProbeLab(probe);
      try {
        await body(lab);
      } finally {
        await lab.close();
      }
    },
  });
  return [
    inLab('is available here', async ({ host }) => assert.equal(await probe.available(host), true)),
    inLab('finds at least one of a TCP port, a UDP port and a Unix socket', async (lab) => {
      const scene = await setUp(lab);
      const { holders } = await lab.ask(scene.map(({ claim }) => claim));
      assert.notEqual(holders.length, 0);
    }),
    inLab('names nobody who does not hold what was asked about', async (lab) => {
      const scene = await setUp(lab);
      for (const { claim, held } of scene) {
        const { holders } = await lab.ask([claim]);
        for (const pid of pidsOf(claim, holders))
          assert.deepEqual([pid, held], [process.pid, true], claimKey(claim));
      }
    }),
    inLab('says that it has not seen everything where it misses somebody', async (lab) => {
      const scene = await setUp(lab);
      for (const { claim, held } of scene) {
        const { holders, complete } = await lab.ask([claim]);
        if (held && pidsOf(claim, holders).length === 0) assert.equal(complete, false, claimKey(claim));
      }
    }),
    inLab('answers many claims in one pass as it does one by one', async (lab) => {
      const scene = await setUp(lab);
      const together = await lab.ask(scene.map(({ claim }) => claim));
      for (const { claim } of scene) {
        const alone = await lab.ask([claim]);
        assert.deepEqual(pidsOf(claim, together.holders), pidsOf(claim, alone.holders), claimKey(claim));
      }
    }),
    inLab('has nothing to say of no claims', async (lab) => {
      assert.deepEqual((await lab.ask([])).holders, []);
    }),
  ];
}

async function setUp(lab: ProbeLab): Promise<Scene> {
  const path = join(lab.dir, 'held.sock');
  await lab.listen({ path });
  const held = [
    tcp((await lab.listen({ host: '127.0.0.1', port: 0 })).port),
    udp((await lab.bindUdp('127.0.0.1')).port),
    unix(path),
  ];
  const port = await freePort();
  const free = [tcp(port), udp(port), unix(join(lab.dir, 'free.sock'))];
  return [...held.map((claim) => ({ claim, held: true })), ...free.map((claim) => ({ claim, held: false }))];
}
