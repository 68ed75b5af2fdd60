import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { AdoptedWatch } from '../../../core/process/adopted_watch.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { until } from '../../support/until.ts';
import { FakeMachine } from './fake_machine.ts';

/** By which an end must be noticed, in ms. */
const INTERVAL = 250;

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
    // The list of children is the same: its own turn tells.
    machine.add({ pid: 100, start_time: 5000 });
    machine.clock.advance(4 * (INTERVAL + 1));
    expect(told).toEqual(['job 100']);
  });

  it('takes a zombie that nobody reaps for dead within a second, and from then on within an interval', () => {
    const machine = new FakeMachine({ pid: 100 }, { pid: 200 }, { pid: 300 }, { pid: 400 }, { pid: 500 });
    const { told, add } = watchOn(machine);
    add(100, 200, 300, 400, 500);
    machine.clock.advance(1_000);
    machine.add({ pid: 300, zombie: true });
    machine.clock.advance(4 * (INTERVAL + 1));
    expect(told).toEqual(['job 300']);
    machine.clock.advance(INTERVAL + 1);
    machine.add({ pid: 100, zombie: true }, { pid: 200, zombie: true }, { pid: 400, zombie: true });
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 300', 'job 100', 'job 200', 'job 400']);
  });

  it('does so within an interval from the start where a zombie lies there already', () => {
    const machine = new FakeMachine({ pid: 90, zombie: true }, { pid: 100 }, { pid: 200 }, { pid: 300 });
    const { told, add } = watchOn(machine);
    add(100, 200, 300);
    machine.clock.advance(1_000);
    machine.add({ pid: 100, zombie: true }, { pid: 200, zombie: true }, { pid: 300, zombie: true });
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 100', 'job 200', 'job 300']);
  });

  it('tells ends within an interval, whoever the processes were left to', () => {
    const machine = new FakeMachine({ pid: 100 }, { pid: 200, ppid: 7 }, { pid: 300, ppid: 8 });
    const { told, add } = watchOn(machine);
    add(100, 200, 300);
    machine.clock.advance(1_000);
    machine.remove(200, 300);
    machine.clock.advance(INTERVAL + 1);
    expect(told).toEqual(['job 200', 'job 300']);
  });

  it('tells at once of one that has ended already', () => {
    const machine = new FakeMachine();
    const { told, add } = watchOn(machine);
    add(100);
    expect(told).toEqual(['job 100']);
    expect(machine.clock.pending).toBe(0);
  });

  it('costs a read a process and four intervals while nobody ends, and nothing once there are none', () => {
    const machine = new FakeMachine({ pid: 100 }, { pid: 200 });
    const { add } = watchOn(machine);
    expect(machine.clock.pending).toBe(0);
    add(100, 200);
    machine.clock.advance(INTERVAL + 1);
    // The first look is at everybody.
    expect(machine.reads).toBe(2);
    machine.clock.advance(40 * (INTERVAL + 1));
    expect(machine.reads).toBe(2 + 20);
    machine.remove(100, 200);
    machine.clock.advance(INTERVAL + 1);
    expect([machine.open, machine.clock.pending]).toEqual([0, 0]);
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
  /** A process of somebody else, who reaps it or does not. */
  async function strangersChild(reaps: boolean): Promise<{ parent: ChildProcess; pid: number }> {
    const script = `sleep 1000 & echo $!; ${reaps ? 'wait; exec sleep 1000' : 'exec sleep 1000'}`;
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    let said = '';
    parent.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.endsWith('\n'));
    return { parent, pid: Number(said) };
  }

  function stateOf(pid: number): string {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch {
      return 'gone';
    }
  }

  it.each([
    ['that is reaped with the next look', true, 'gone', 1],
    ['that nobody reaps within four looks', false, 'Z', 4],
  ])('notices an end %s', async (_which, reaps, end, looks) => {
    const clock = new FakeClock();
    const host = { ...nodeHost(), clock };
    const watch = new AdoptedWatch(host, new Agenda(clock));
    onTestFinished(() => watch.close());
    const { pid } = await strangersChild(reaps);
    const identity = host.processes.identity(pid);
    if (identity === null) throw new Error('it has ended');
    const told: number[] = [];
    watch.add('j', identity, () => told.push(clock.now));
    clock.advance(1_000);
    expect(told).toEqual([]);
    process.kill(pid, 'SIGKILL');
    await until(() => stateOf(pid) === end);
    clock.advance(looks * INTERVAL);
    expect(told).toHaveLength(1);
  });
});
