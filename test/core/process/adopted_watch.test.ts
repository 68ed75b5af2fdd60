import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { AdoptedWatch } from '../../../core/process/adopted_watch.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { until } from '../../support/until.ts';
import { FakeMachine } from './fake_machine.ts';

/** By which an end must be noticed, in ms. */
const INTERVAL = 250;
/** By which each is looked at, whatever the lists say, in ms. */
const TURN = 60 * (INTERVAL + 1);

function pidsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => first + n);
}

function watchOn(machine: FakeMachine): {
  watch: AdoptedWatch;
  told: string[];
  add(...pids: number[]): void;
} {
  const watch = new AdoptedWatch(machine.host, machine.agenda);
  const told: string[] = [];
  return {
    watch,
    told,
    add: (...pids) => {
      for (const pid of pids) watch.add(`job ${pid}`, machine.identity(pid), () => told.push(`job ${pid}`));
    },
  };
}

describe('AdoptedWatch', () => {
  it('tells each end once, within its interval, whatever else happens', () => {
    const machine = new FakeMachine({ pid: 100 }, { pid: 200 }, { pid: 300 });
    const { told, add } = watchOn(machine);
    add(100, 200, 300);
    machine.clock.advance(10_000);
    expect(told).toEqual([]);
    machine.remove(100);
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 100']);
    machine.remove(200, 300);
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 100', 'job 200', 'job 300']);
    machine.clock.advance(10_000);
    expect(told).toHaveLength(3);
  });

  it('takes another process with the pid of one for its end', () => {
    const machine = new FakeMachine({ pid: 100 });
    const { told, add } = watchOn(machine);
    add(100);
    machine.clock.advance(1_000);
    machine.add({ pid: 100, start_time: 5000 });
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 100']);
  });

  it('does so in its turn where it is in the list', () => {
    const machine = new FakeMachine(...pidsFrom(100, 20).map((pid) => ({ pid, cgroup: 'a' })));
    const { told, add } = watchOn(machine);
    add(...pidsFrom(100, 20));
    machine.clock.advance(1_000);
    machine.add({ pid: 105, cgroup: 'a', start_time: 5000 });
    machine.clock.advance(TURN);
    expect(told).toEqual(['job 105']);
  });

  it.each([
    ['looked at each time', {}],
    ['in a list', { cgroup: 'a' }],
  ])('takes a zombie that nobody reaps for dead within an interval: %s', (_which, place) => {
    const pids = pidsFrom(100, 20);
    const machine = new FakeMachine(...pids.map((pid) => ({ pid, ...place })));
    const { told, add } = watchOn(machine);
    add(...pids);
    machine.clock.advance(1_000);
    machine.add({ pid: 103, zombie: true, ...place }, { pid: 117, zombie: true, ...place });
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 103', 'job 117']);
  });

  it('tells ends within an interval, whichever cgroup they were in', () => {
    const cgroupOf = (pid: number): { cgroup?: string } =>
      pid < 120 ? { cgroup: 'a' } : pid < 140 ? { cgroup: 'b' } : {};
    const pids = pidsFrom(100, 42);
    const machine = new FakeMachine(...pids.map((pid) => ({ pid, ...cgroupOf(pid) })));
    const { told, add } = watchOn(machine);
    add(...pids);
    machine.clock.advance(1_000);
    machine.remove(102, 133, 141);
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 102', 'job 133', 'job 141']);
    machine.clock.advance(TURN);
    expect(told).toHaveLength(3);
  });

  it('takes nobody for dead who has left the cgroup', () => {
    const machine = new FakeMachine(...pidsFrom(100, 20).map((pid) => ({ pid, cgroup: 'a' })));
    const { told, add } = watchOn(machine);
    add(...pidsFrom(100, 20));
    machine.clock.advance(1_000);
    machine.add({ pid: 107, cgroup: 'b' }, { pid: 108 });
    machine.clock.advance(TURN);
    expect(told).toEqual([]);
    machine.remove(107, 108);
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 107', 'job 108']);
  });

  it('takes nobody for dead while a list cannot be read any more', () => {
    const machine = new FakeMachine(...pidsFrom(100, 20).map((pid) => ({ pid, cgroup: 'a' })));
    const { told, add } = watchOn(machine);
    add(...pidsFrom(100, 20));
    machine.clock.advance(1_000);
    vi.spyOn(machine.host.processes, 'living').mockReturnValue(false);
    machine.clock.advance(1_000);
    expect(told).toEqual([]);
    machine.remove(107);
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 107']);
  });

  it('tells at once of one that has ended already', () => {
    const machine = new FakeMachine();
    const { told, add } = watchOn(machine);
    add(100);
    expect(told).toEqual(['job 100']);
    expect(machine.clock.pending).toBe(0);
  });

  it('costs a read of the list an interval, and one a process in 60 of them, while nobody ends', () => {
    const pids = pidsFrom(100, 20);
    const machine = new FakeMachine(...pids.map((pid) => ({ pid, cgroup: 'a' })));
    const { add } = watchOn(machine);
    expect(machine.clock.pending).toBe(0);
    add(...pids);
    machine.clock.advance(INTERVAL + 1);
    // The first look finds the list through the first process.
    expect([machine.reads, machine.lists]).toEqual([1, 1]);
    machine.reads = 0;
    machine.clock.advance(TURN);
    expect([machine.reads, machine.lists]).toEqual([20, 61]);
    // Others come and go beside them.
    machine.add({ pid: 900, cgroup: 'a' });
    machine.clock.advance(TURN);
    expect([machine.reads, machine.lists]).toEqual([40, 121]);
    machine.remove(...pids);
    machine.clock.advance(INTERVAL + 1);
    expect([machine.open, machine.clock.pending]).toEqual([0, 0]);
  });

  it.each([
    ['few are in it', pidsFrom(100, 15), []],
    ['it names many others', pidsFrom(100, 20), pidsFrom(1000, 61)],
  ])('reads no list that is not worth it: %s', (_why, pids, strangers) => {
    const machine = new FakeMachine(...[...pids, ...strangers].map((pid) => ({ pid, cgroup: 'a' })));
    const { add } = watchOn(machine);
    add(...pids);
    machine.clock.advance(INTERVAL + 1);
    machine.clock.advance(40 * (INTERVAL + 1));
    // What it said in the first look held for that one.
    expect([machine.reads, machine.lists]).toEqual([1 + 40 * pids.length, 1]);
    // With those that are added it is.
    machine.add(...pidsFrom(200, 20).map((pid) => ({ pid, cgroup: 'a' })));
    add(...pidsFrom(200, 20));
    machine.clock.advance(INTERVAL + 1);
    machine.reads = 0;
    machine.clock.advance(TURN);
    expect([machine.reads, machine.lists]).toEqual([pids.length + 20, 62]);
  });

  it('goes on for one that is added where another has just ended', () => {
    const machine = new FakeMachine({ pid: 100 }, { pid: 200 });
    const { watch, told, add } = watchOn(machine);
    watch.add('first', machine.identity(100), () => add(200));
    machine.remove(100);
    machine.clock.advance(INTERVAL + 1);
    machine.remove(200);
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 200']);
  });

  it('lets everything go', () => {
    const machine = new FakeMachine({ pid: 100 }, { pid: 200 });
    const { watch, told, add } = watchOn(machine);
    add(100, 200);
    watch.close();
    machine.remove(100, 200);
    machine.clock.advance(1_000);
    expect([machine.open, told]).toEqual([0, []]);
  });
});

describe('AdoptedWatch on this machine', () => {
  const HAS_CGROUPS = unifiedHierarchy() !== null;

  /** Processes of somebody else, who reaps them or does not. */
  async function strangersChildren(
    reaps: boolean,
    count: number,
    cgroup: string | null,
  ): Promise<readonly number[]> {
    const move = cgroup === null ? '' : `echo $$ > ${cgroup}/cgroup.procs; `;
    const start = `i=0; while [ $i -lt ${count} ]; do sleep 1000 & echo $!; i=$((i+1)); done`;
    const rest = reaps ? 'wait; exec sleep 1000' : 'exec sleep 1000';
    const parent = spawn('sh', ['-c', `${move}${start}; ${rest}`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // With all that it has started.
    onTestFinished(async () => {
      const ended = once(parent, 'exit');
      process.kill(-(parent.pid ?? Number.NaN), 'SIGKILL');
      await ended;
      await until(() => cgroup === null || readFileSync(`${cgroup}/cgroup.procs`, 'latin1') === '');
      if (cgroup !== null) rmdirSync(cgroup);
    });
    let said = '';
    parent.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.split('\n').length > count);
    return said.trim().split('\n').map(Number);
  }

  function stateOf(pid: number): string {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch {
      return 'gone';
    }
  }

  /** A folder in which root can make a cgroup; null where there is none. */
  function unifiedHierarchy(): string | null {
    const roots = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
    const root = roots.find((folder) => existsSync(`${folder}/cgroup.controllers`)) ?? null;
    if (root === null) return null;
    try {
      const probe = mkdtempSync(`${root}/upkeep-test-`);
      rmdirSync(probe);
      return root;
    } catch {
      return null;
    }
  }

  async function noticesEnds(pids: readonly number[], end: string): Promise<{ reads: number }> {
    const clock = new FakeClock();
    const host = { ...nodeHost(), clock };
    const { processes } = host;
    let reads = 0;
    const open = processes.watch.bind(processes);
    vi.spyOn(processes, 'watch').mockImplementation((identity) => {
      const liveness = open(identity);
      const alive = (): boolean => {
        reads += 1;
        return liveness?.alive() === true;
      };
      return liveness && { alive, close: () => liveness.close() };
    });
    const watch = new AdoptedWatch(host, new Agenda(clock));
    onTestFinished(() => watch.close());
    const told: number[] = [];
    for (const pid of pids) {
      const identity = processes.identity(pid);
      if (identity === null) throw new Error('it has ended');
      watch.add(`${pid}`, identity, () => told.push(pid));
    }
    clock.advance(1_000);
    expect(told).toEqual([]);
    reads = 0;
    clock.advance(INTERVAL);
    const atRest = reads;
    const [first = 0, second] = pids;
    process.kill(first, 'SIGKILL');
    await until(() => stateOf(first) === end);
    clock.advance(INTERVAL);
    expect(told).toEqual([first]);
    if (second === undefined) return { reads: atRest };
    process.kill(second, 'SIGKILL');
    await until(() => stateOf(second) === end);
    clock.advance(INTERVAL);
    expect(told).toEqual([first, second]);
    return { reads: atRest };
  }

  const ENDS = [
    ['that is reaped', true, 'gone'],
    ['that nobody reaps', false, 'Z'],
  ] as const;

  it.each(ENDS)('notices an end %s with the next look', async (_which, reaps, end) => {
    await noticesEnds(await strangersChildren(reaps, 1, null), end);
  });

  it.skipIf(!HAS_CGROUPS).each(ENDS)(
    'notices an end %s by the list of its cgroup (needs to make one)',
    async (_which, reaps, end) => {
      const cgroup = mkdtempSync(`${unifiedHierarchy()}/upkeep-test-`);
      const pids = await strangersChildren(reaps, 20, cgroup);
      // At most the one whose turn it is.
      expect((await noticesEnds(pids, end)).reads).toBeLessThanOrEqual(1);
    },
  );
});
