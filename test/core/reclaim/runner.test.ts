import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../core/host/host.ts';
import type { Reason } from '../../../core/job/reason.ts';
import type { Probe } from '../../../core/plugin/probe.ts';
import { claimKey } from '../../../core/reclaim/claim.ts';
import { ProbeHost } from '../../../core/reclaim/look_up.ts';
import { MAX_ROUNDS, reclaim } from '../../../core/reclaim/reclaim.ts';
import { KILL_WAIT } from '../../../core/reclaim/stop.ts';
import type { ReclaimTarget } from '../../../core/reclaim/target.ts';
import { aTarget, tcp } from './builders.ts';
import { FakeHost } from './fake_host.ts';

const PORT = tcp(8080);
const NO_PID_FILE = { pid_file: '/nowhere/none.pid' };

/** Ports that processes of the fake host hold, by the key of the claim. */
function machine(host: FakeHost, ports: Record<string, number[]>, complete = true) {
  const holding = (key: string): number[] => (ports[key] ?? []).filter((pid) => host.table.has(pid));
  const probe: Probe = {
    name: 'fake',
    available: async () => true,
    holders: async ({ claims }) => ({
      complete,
      holders: claims.flatMap((claim) =>
        holding(claimKey(claim)).map((pid) => ({
          claim,
          process: host.identity(pid),
          address: null,
          command: '',
          fd: null,
          inode: null,
        })),
      ),
    }),
  };
  host.bind = async (kind, address, port) =>
    holding(claimKey({ kind, address, port })).length > 0 ? 'EADDRINUSE' : 'free';
  const notes: Reason[] = [];
  const world = {
    host: host as Host,
    probes: new ProbeHost(host, [probe], () => {}),
    upkeep_pid: 500,
    instance: 'c0ffee',
    jobOfSession: () => null,
    describeJob: () => null,
  };
  const run = (target: ReclaimTarget) =>
    reclaim(target, world, { signal: new AbortController().signal, note: (found) => notes.push(found) });
  return { run, notes };
}

describe('the runner', () => {
  it('says so where a holder may not be signalled', async () => {
    const host = new FakeHost({ pid: 700, onSignal: () => 'denied' });
    const { run, notes } = machine(host, { 'tcp:8080': [700] });
    expect(await run(aTarget({ singleton: true, tcp_ports: [PORT] }, NO_PID_FILE))).toMatchObject({
      outcome: 'blocked',
      reason: { code: 'PORT_HELD', message: expect.stringContaining('no right to signal') },
    });
    expect(notes).toEqual([]);
    expect(host.signals).toEqual([[700, 'SIGTERM']]);
  });

  it('names the one that survives SIGKILL, after the grace time and the wait', async () => {
    const host = new FakeHost({ pid: 700, onSignal: () => 'sent' });
    const { run } = machine(host, { 'tcp:8080': [700] });
    expect(await run(aTarget({ singleton: true, tcp_ports: [PORT] }, NO_PID_FILE))).toMatchObject({
      outcome: 'blocked',
      reason: { code: 'PORT_HELD', message: expect.stringContaining('survives SIGKILL') },
    });
    expect(host.signals).toEqual([
      [700, 'SIGTERM'],
      [700, 'SIGKILL'],
    ]);
    expect(host.now).toBeGreaterThanOrEqual(1_000 + KILL_WAIT);
  });

  it('waits for a survivor of its own that holds nothing', async () => {
    const host = new FakeHost({ pid: 700, onSignal: () => 'sent' });
    const { run } = machine(host, {});
    expect(await run(aTarget({}, { ...NO_PID_FILE, last: host.identity(700) }))).toMatchObject({
      outcome: 'blocked',
      reason: { code: 'SURVIVORS', evidence: { holder: { pid: 700, class: 'own_earlier' } } },
    });
  });

  it('does not wait for a survivor that only kill_other names, and tells of it once', async () => {
    const host = new FakeHost({ pid: 700, onSignal: () => 'sent' }, { pid: 701 });
    const { run, notes } = machine(host, { 'tcp:9000': [700, 701] });
    const kill_other = { ports: [tcp(9000)], sockets: [], process_filters: ['program 700'] };
    expect(await run(aTarget({ kill_other }, NO_PID_FILE))).toEqual({ outcome: 'free' });
    expect(notes.map(({ code }) => code)).toEqual(['RECLAIMED', 'SURVIVORS']);
    expect(host.signals.filter(([pid]) => pid === 700)).toHaveLength(2);
  });

  it('stops several side by side', async () => {
    const pids = [701, 702, 703, 704];
    const slow = pids.map((pid) => ({
      pid,
      onSignal: (signal: string) => (signal === 'SIGKILL' ? 'ends' : 'sent') as never,
    }));
    const host = new FakeHost(...slow);
    const { run } = machine(host, { 'tcp:8080': pids });
    expect(await run(aTarget({ singleton: true, tcp_ports: [PORT] }, NO_PID_FILE))).toEqual({
      outcome: 'free',
    });
    expect(host.signals.slice(0, 4)).toEqual(pids.map((pid) => [pid, 'SIGTERM']));
  });

  it('proves by another look that a claim is free, and stops who took it meanwhile', async () => {
    const host = new FakeHost({
      pid: 700,
      onSignal: () => {
        host.table.set(701, { pid: 701 });
        return 'ends';
      },
    });
    const { run, notes } = machine(host, { 'tcp:8080': [700, 701] });
    expect(await run(aTarget({ singleton: true, tcp_ports: [PORT] }, NO_PID_FILE))).toEqual({
      outcome: 'free',
    });
    expect(host.signals.map(([pid]) => pid)).toEqual([700, 701]);
    expect(notes).toHaveLength(2);
  });

  it('tells once what it sees in every round', async () => {
    const { run, notes } = machine(new FakeHost({ pid: 700 }), { 'tcp:8080': [700] });
    // A folder is no PID file.
    const target = aTarget({ singleton: true, tcp_ports: [PORT] }, { pid_file: tmpdir() });
    expect(await run(target)).toEqual({ outcome: 'free' });
    expect(notes.map(({ code }) => code)).toEqual(['PIDFILE_REUSED', 'RECLAIMED']);
  });

  it('does not fight a holder that somebody starts again each time', async () => {
    const host = new FakeHost();
    const take = (pid: number): void => {
      const onSignal = (): 'ends' => {
        take(pid + 1);
        return 'ends';
      };
      host.table.set(pid, { pid, onSignal });
    };
    take(700);
    const { run } = machine(host, { 'tcp:8080': Array.from({ length: 20 }, (_, index) => 700 + index) });
    expect(await run(aTarget({ singleton: true, tcp_ports: [PORT] }, NO_PID_FILE))).toMatchObject({
      outcome: 'blocked',
      reason: { code: 'PORT_HELD', message: expect.stringContaining('came back') },
    });
    expect(host.signals).toHaveLength(MAX_ROUNDS);
  });

  it('stops a stranger only once nothing else is in the way', async () => {
    const host = new FakeHost({ pid: 700 }, { pid: 701, environ: null });
    const { run } = machine(host, { 'tcp:8080': [700], 'tcp:8081': [701] });
    const target = aTarget({ singleton: true, tcp_ports: [PORT, tcp(8081)] }, NO_PID_FILE);
    expect(await run(target)).toMatchObject({
      outcome: 'blocked',
      reason: { evidence: { claim: 'tcp:8081' } },
    });
    expect(host.signals).toEqual([]);
    host.table.delete(701);
    expect(await run(target)).toEqual({ outcome: 'free' });
    expect(host.signals).toEqual([[700, 'SIGTERM']]);
  });
});

describe('what binding says', () => {
  const outcomes: [string, boolean, object][] = [
    ['free', false, { outcome: 'free' }],
    ['EADDRNOTAVAIL', false, { outcome: 'free' }],
    ['EAFNOSUPPORT', false, { outcome: 'free' }],
    ['EACCES', true, { outcome: 'free' }],
    ['EACCES', false, { outcome: 'blocked', reason: { code: 'PROBE_UNAVAILABLE' } }],
    ['EMFILE', false, { outcome: 'blocked', reason: { code: 'PROBE_UNAVAILABLE' } }],
    ['EADDRINUSE', true, { outcome: 'blocked', reason: { code: 'PORT_HELD', evidence: { holder: null } } }],
  ];
  it.each(outcomes)('%s, nobody seen, complete: %s', async (outcome, complete, expected) => {
    const host = new FakeHost();
    const { run } = machine(host, {}, complete);
    host.bind = async () => outcome;
    expect(await run(aTarget({ singleton: true, tcp_ports: [PORT] }, NO_PID_FILE))).toMatchObject(expected);
  });

  it('asks again where the holder left before it could be named', async () => {
    const host = new FakeHost();
    const { run } = machine(host, {});
    const outcomes = ['EADDRINUSE', 'free'];
    host.bind = async () => outcomes.shift() ?? 'never asked a third time';
    expect(await run(aTarget({ tcp_ports: [PORT] }, NO_PID_FILE))).toEqual({ outcome: 'free' });
  });

  it('is not asked about two claims of one port at once', async () => {
    const host = new FakeHost();
    const { run } = machine(host, {});
    let busy = false;
    host.bind = async () => {
      if (busy) return 'EADDRINUSE';
      busy = true;
      await new Promise((resolve) => setImmediate(resolve));
      busy = false;
      return 'free';
    };
    const target = aTarget({ tcp_ports: [PORT, tcp(8080, '127.0.0.1'), tcp(8080, '::1')] }, NO_PID_FILE);
    expect(await run(target)).toEqual({ outcome: 'free' });
  });
});
