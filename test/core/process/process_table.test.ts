import { spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeHost } from '../../../core/host/node_host.ts';
import { ProcessTable, TableSnapshot } from '../../../core/process/process_table.ts';
import { until } from '../../support/until.ts';
import { FakeMachine, type FakeProcess } from './fake_machine.ts';

function snapshotOf(...processes: FakeProcess[]): TableSnapshot {
  const machine = new FakeMachine(...processes);
  return new TableSnapshot(
    processes.flatMap(({ pid }) => {
      const stat = machine.host.processes.stat(pid);
      return stat === null ? [] : [stat];
    }),
  );
}

const pids = (stats: readonly { readonly pid: number }[]): number[] =>
  stats.map(({ pid }) => pid).sort((a, b) => a - b);

describe('TableSnapshot', () => {
  it('knows everything below a process, without itself', () => {
    const snapshot = snapshotOf(
      { pid: 100 },
      { pid: 101, ppid: 100 },
      { pid: 102, ppid: 100 },
      { pid: 103, ppid: 102 },
      { pid: 200 },
    );
    expect(pids(snapshot.descendants(100))).toEqual([101, 102, 103]);
    expect(pids(snapshot.descendants(103))).toEqual([]);
    expect(pids(snapshot.descendants(7))).toEqual([]);
  });

  it('knows the sessions that somebody lives in', () => {
    const snapshot = snapshotOf({ pid: 100 }, { pid: 101, session: 7 }, { pid: 102, zombie: true });
    expect(snapshot.sessions).toEqual(new Set([100, 7]));
  });

  it('comes to an end in a circle', () => {
    const snapshot = snapshotOf({ pid: 100, ppid: 101 }, { pid: 101, ppid: 100 });
    expect(pids(snapshot.descendants(100))).toEqual([101]);
  });

  it('knows the members of a group: of its session too, and no older than the leader', () => {
    const snapshot = snapshotOf(
      { pid: 100, start_time: 1000 },
      { pid: 101, pgrp: 100, session: 100, start_time: 1001 },
      { pid: 102, pgrp: 100, session: 100, start_time: 999 },
      { pid: 103, pgrp: 103, session: 100, start_time: 1001 },
      { pid: 104, pgrp: 100, session: 104, start_time: 1001 },
      { pid: 105, pgrp: 100, session: 100, start_time: 1001, zombie: true },
    );
    expect(pids(snapshot.members({ boot_id: 'boot', pid: 100, start_time: 1000 }))).toEqual([100, 101]);
  });

  it('knows no members of a group whose number another process has by now', () => {
    const member = { pid: 101, pgrp: 100, session: 100, start_time: 2001 };
    const main = { boot_id: 'boot', pid: 100, start_time: 1000 };
    expect(pids(snapshotOf({ pid: 100, start_time: 2000 }, member).members(main))).toEqual([]);
    expect(pids(snapshotOf({ pid: 100, start_time: 1000, zombie: true }, member).members(main))).toEqual([
      101,
    ]);
  });
});

describe('ProcessTable', () => {
  it('shares a look that is young enough, done or under way', async () => {
    const machine = new FakeMachine({ pid: 100 });
    const table = new ProcessTable(machine.host);
    const [one, other] = await Promise.all([table.snapshot(20), table.snapshot(20)]);
    expect(other).toBe(one);
    machine.clock.advance(10);
    expect(await table.snapshot(20)).toBe(one);
    machine.clock.advance(20);
    expect(await table.snapshot(20)).not.toBe(one);
    expect(machine.walks).toBe(2);
  });

  it('looks afresh for whoever wants a look that begins now', async () => {
    const machine = new FakeMachine({ pid: 100 });
    const table = new ProcessTable(machine.host);
    const early = table.snapshot(0);
    machine.add({ pid: 200 });
    const late = table.snapshot(0);
    expect((await early).processes.has(200)).toBe(false);
    expect((await late).processes.has(200)).toBe(true);
    expect(machine.walks).toBe(2);
  });

  it('shares one look among all who may not have the one that is under way', async () => {
    const machine = new FakeMachine({ pid: 100 });
    const table = new ProcessTable(machine.host);
    const early = table.snapshot(0);
    machine.add({ pid: 200 });
    const late = await Promise.all(Array.from({ length: 20 }, () => table.snapshot(0)));
    expect(new Set(late).size).toBe(1);
    expect(late[0]?.processes.has(200)).toBe(true);
    expect(late[0]).not.toBe(await early);
    expect(machine.walks).toBe(2);
    // Whoever asks later still may have neither.
    expect(await table.snapshot(0)).not.toBe(late[0]);
    expect(machine.walks).toBe(3);
  });

  it('looks again after a look that failed', async () => {
    const machine = new FakeMachine({ pid: 100 });
    let failures = 1;
    const list = (): number[] => {
      if (failures-- > 0) throw new Error('no /proc');
      return machine.host.processes.list() as number[];
    };
    const processes = { ...machine.host.processes, list };
    const table = new ProcessTable({ ...machine.host, processes });
    const failing = table.snapshot(0);
    const next = table.snapshot(0);
    await expect(failing).rejects.toThrow('no /proc');
    expect((await next).processes.has(100)).toBe(true);
  });

  it('sees the processes of this machine', async () => {
    const child = spawn('sh', ['-c', 'sleep 1000 & exec sleep 1001'], { detached: true, stdio: 'ignore' });
    const pid = child.pid ?? 0;
    onTestFinished(() => void process.kill(-pid, 'SIGKILL'));
    const table = new ProcessTable(nodeHost());
    let below: number[] = [];
    await until(async () => {
      below = pids((await table.snapshot(0)).descendants(pid));
      return below.length === 1;
    });
    const snapshot = await table.snapshot(0);
    const started = snapshot.processes.get(pid)?.start_time ?? 0;
    expect(pids(snapshot.members({ boot_id: '', pid, start_time: started }))).toEqual(
      pids([{ pid }, ...below.map((one) => ({ pid: one }))]),
    );
    expect(pids(snapshot.descendants(process.pid))).toContain(pid);
  });
});
