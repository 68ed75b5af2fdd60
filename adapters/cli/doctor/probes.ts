/**
 * Looks at the probes: whether each can say who holds a port that is held for the purpose.
 */
import { createServer, type Server } from 'node:net';
import type { Host } from '../../../core/host/host.ts';
import type { Probe } from '../../../core/plugin/probe.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** A line for each probe that can work here, and one for all of them together. */
export async function probeFindings(host: Host, probes: readonly Probe[], pid: number): Promise<Finding[]> {
  const server = await held();
  try {
    const { port } = server.address() as { port: number };
    const looks = await Promise.all(probes.map((probe) => look(host, probe, port, pid)));
    const findings = looks.map(({ finding }) => finding);
    if (looks.some(({ sees }) => sees === 'all')) return findings;
    if (looks.some(({ sees }) => sees === 'some')) {
      return [
        ...findings,
        warn(
          'probes',
          'none can see everything: that nobody is found does not mean that nobody is there',
          'run upkeep as root, if services or what is in their way belong to others',
        ),
      ];
    }
    return [
      ...findings,
      fail('probes', 'none can tell who holds a port', 'install lsof, or iproute2 (ss), or mount /proc'),
    ];
  } finally {
    server.close();
  }
}

interface Look {
  readonly sees: 'all' | 'some' | 'nothing';
  readonly finding: Finding;
}

async function look(host: Host, probe: Probe, port: number, pid: number): Promise<Look> {
  const check = `probe ${probe.name}`;
  try {
    if (!(await probe.available(host))) {
      return {
        sees: 'nothing',
        finding: ok(check, 'not available here; it is not needed where another one is'),
      };
    }
    const claim = { kind: 'tcp', address: '127.0.0.1', port } as const;
    const { holders, complete } = await probe.holders(
      { claims: [claim], suspects: [], exhaustive: true },
      host,
    );
    if (!holders.some((holder) => holder.process?.pid === pid)) {
      const message = 'does not find the holder of a port that is held';
      return { sees: 'nothing', finding: warn(check, message, 'leave it out: probes: { order: […] }') };
    }
    return complete
      ? { sees: 'all', finding: ok(check, 'finds holders, and sees everything') }
      : { sees: 'some', finding: ok(check, 'finds holders, but cannot see everything') };
  } catch (error) {
    const message = `fails: ${(error as Error).message}`;
    return { sees: 'nothing', finding: warn(check, message, 'leave it out: probes: { order: […] }') };
  }
}

function held(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
