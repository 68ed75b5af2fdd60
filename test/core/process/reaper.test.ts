import { type ChildProcess, spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { EscapeeFinder, type Remains, type Traces } from '../../../core/process/escapees.ts';
import { formatMark, MARKER } from '../../../core/process/marker.ts';
import { ProcessTable } from '../../../core/process/process_table.ts';
import { Reaper, type ReapTarget } from '../../../core/process/reaper.ts';
import { until } from '../../support/until.ts';
import { FakeMachine, type FakeProcess } from './fake_machine.ts';

const INSTANCE = 'c0ffee';
const UPKEEP = 50;
const MAIN = 100;

/** A reaper on a machine, and what it has told. */
interface Scene {
  readonly machine: FakeMachine;
  readonly reaper: Reaper;
  readonly target: ReapTarget;
  readonly told: boolean[];
  end(main_gone: boolean): Promise<void>;
}

function scene(processes: readonly FakeProcess[] = [], Finder: typeof EscapeeFinder = EscapeeFinder): Scene {
  const machine = new FakeMachine({ pid: MAIN, start_time: 1000 }, ...processes);
  const { host, agenda } = machine;
  const table = new ProcessTable(host);
  const reaper = new Reaper(host, agenda, table, new Finder(host, table, INSTANCE, UPKEEP));
  const told: boolean[] = [];
  const target = targetOf({ boot_id: 'boot', pid: MAIN, start_time: 1000 });
  const end = async (main_gone: boolean): Promise<void> => {
    reaper.end(target, 'SIGTERM', main_gone, (complete) => told.push(complete));
    await machine.settle();
  };
  return { machine, reaper, target, told, end };
}

function targetOf(identity: ReapTarget['identity']): ReapTarget {
  return {
    job_id: 'j',
    incarnation: 2,
    identity,
    sessions: new Set(),
    files: [],
    isLog: () => true,
    since: 0,
    successor: () => null,
  };
}

const child = (pid: number, more: Partial<FakeProcess> = {}): FakeProcess => ({
  pid,
  ppid: MAIN,
  pgrp: MAIN,
  session: MAIN,
  start_time: 1001,
  ...more,
});
const marked = { [MARKER]: formatMark({ instance: INSTANCE, job_id: 'j', incarnation: 2 }) };

describe('Reaper', () => {
  it('signals the group, waits to be told of the main process’s end, and then tells', async () => {
    const { machine, reaper, told, end } = scene([child(101)]);
    await end(false);
    expect(machine.signals).toEqual(['TERM -100']);
    await machine.pass(1_000);
    // Everybody is dead, but whoever waits for the exit has not been told yet.
    expect(told).toEqual([]);
    reaper.mainExited('j', 2);
    await machine.settle();
    expect(told).toEqual([true]);
  });

  it('signals those who outlive the leader one by one, each once, and looks until they are gone', async () => {
    const stubborn = ['SIGTERM'] as const;
    const { machine, reaper, told, end } = scene([
      child(101, { ignores: stubborn }),
      child(102, { ignores: stubborn }),
    ]);
    machine.remove(MAIN);
    await end(true);
    await machine.pass(2_000);
    // A group whose leader is dead is never signalled as a whole.
    expect(machine.signals).toEqual(['TERM 101', 'TERM 102']);
    expect(reaper.survivors('j', 2).map(({ pid }) => pid)).toEqual([101, 102]);
    machine.remove(101, 102);
    await machine.pass(200);
    expect(told).toEqual([true]);
    expect(reaper.survivors('j', 2)).toEqual([]);
  });

  it('kills once the grace time is over: the group by its leader, and whoever survived', async () => {
    const { machine, reaper, told, end } = scene([child(101, { ignores: ['SIGTERM'] })]);
    machine.remove(MAIN);
    await end(true);
    await machine.pass(500);
    reaper.escalate('j', 2);
    await machine.pass(200);
    expect(machine.signals).toEqual(['TERM 101', 'KILL 101']);
    expect(told).toEqual([true]);

    const other = scene();
    other.machine.add({ pid: MAIN, start_time: 1000, ignores: ['SIGTERM'] });
    await other.end(false);
    other.reaper.escalate('j', 2);
    expect(other.machine.signals).toEqual(['TERM -100', 'KILL -100']);
  });

  it('never signals a group by the pid of a leader that is gone, or has become another process', async () => {
    const { machine, reaper, told, end } = scene();
    machine.add({ pid: MAIN, start_time: 5000 }, child(101, { start_time: 5001 }));
    await end(true);
    reaper.escalate('j', 2);
    await machine.pass(200);
    expect(machine.signals).toEqual([]);
    expect(told).toEqual([true]);
  });

  it('never signals a survivor whose pid has become another process’s', async () => {
    const { machine, reaper, told, end } = scene([child(101, { ignores: ['SIGTERM'] })]);
    machine.remove(MAIN);
    await end(true);
    machine.add({ pid: 101, start_time: 9000 });
    reaper.escalate('j', 2);
    await machine.pass(200);
    expect(machine.signals).toEqual(['TERM 101']);
    expect(told).toEqual([true]);
  });

  it('learns the sessions of the tree while it can be read, and ends what is in them afterwards', async () => {
    const { machine, reaper, target, told, end } = scene([
      child(101, { session: 101, pgrp: 101 }),
      child(102, { ppid: 101, session: 101, pgrp: 102, ignores: ['SIGTERM'] }),
      child(103, { session: 103, pgrp: 103, start_time: 999 }),
    ]);
    await end(false);
    expect([...target.sessions]).toEqual([101]);
    reaper.mainExited('j', 2);
    await machine.pass(100);
    expect(machine.signals).toEqual(['TERM -100', 'TERM 101', 'TERM 102']);
    reaper.escalate('j', 2);
    await machine.pass(200);
    expect(told).toEqual([true]);
    expect([...machine.table.keys()]).toEqual([103]);
  });

  it('ends what left the group with its marker only once the group is gone', async () => {
    const { machine, told, end } = scene([
      child(200, { session: 200, pgrp: 200, environ: marked }),
      child(101),
    ]);
    machine.remove(MAIN);
    await end(true);
    expect(machine.signals).toEqual(['TERM 101']);
    await machine.pass(200);
    expect(machine.signals).toEqual(['TERM 101', 'TERM 200']);
    expect(told).toEqual([true]);
  });

  it('signals what comes later too', async () => {
    const { machine, told, end } = scene([child(101, { ignores: ['SIGTERM'] })]);
    machine.remove(MAIN);
    await end(true);
    machine.add(child(102, { start_time: 2000 }));
    machine.remove(101);
    await machine.pass(300);
    expect(machine.signals).toEqual(['TERM 101', 'TERM 102']);
    expect(told).toEqual([true]);
  });

  it('waits for no zombie', async () => {
    const { machine, told, end } = scene([child(101, { zombie: true })]);
    machine.remove(MAIN);
    await end(true);
    expect(told).toEqual([true]);
    expect(machine.signals).toEqual([]);
  });

  it('says where somebody could not be looked into', async () => {
    const { machine, target, told, reaper } = scene([{ pid: 300, start_time: 2000, writes: null }]);
    machine.remove(MAIN);
    reaper.end({ ...target, files: [{ dev: 1n, ino: 2n }] }, 'SIGTERM', true, (complete) =>
      told.push(complete),
    );
    await machine.settle();
    expect(told).toEqual([false]);
  });

  it('tells everybody who asked, and signals once for all of them', async () => {
    const { machine, reaper, target, told, end } = scene([child(101, { ignores: ['SIGTERM'] })]);
    machine.remove(MAIN);
    await end(true);
    reaper.end(target, 'SIGINT', true, () => told.push(true));
    await machine.pass(100);
    expect(machine.signals).toEqual(['TERM 101']);
    machine.remove(101);
    await machine.pass(200);
    expect(told).toEqual([true, true]);
  });

  it('knows what survives SIGKILL only once each that a look has found had its time to die', async () => {
    let comeBack = (): void => {};
    const slow = new Promise<void>((resolve) => {
      comeBack = resolve;
    });
    class SlowFinder extends EscapeeFinder {
      override async find(traces: Traces): Promise<Remains> {
        await slow;
        return super.find(traces);
      }
    }
    const escapee = child(200, {
      session: 200,
      pgrp: 200,
      environ: marked,
      ignores: ['SIGTERM', 'SIGKILL'],
    });
    const { machine, reaper, end } = scene([escapee], SlowFinder);
    machine.remove(MAIN);
    await end(true);
    expect(reaper.undecided('j', 2)).toBeNull();
    await machine.pass(100);
    reaper.escalate('j', 2);
    let decided = 0;
    const wait = (): void => void reaper.undecided('j', 2)?.then(() => (decided += 1));
    await machine.pass(5_000);
    wait();
    await machine.pass(5_000);
    expect([machine.signals, decided]).toEqual([[], 0]);
    comeBack();
    await machine.settle();
    expect([machine.signals, decided]).toEqual([['KILL 200'], 0]);
    await machine.pass(1_900);
    expect(decided).toBe(0);
    wait();
    await machine.pass(300);
    expect(decided).toBe(2);
    expect(reaper.undecided('j', 2)).toBeNull();
  });

  it('calls nobody a survivor who has died since the last look, however late the next one is', async () => {
    const { machine, reaper, told, end } = scene([child(101, { ignores: ['SIGTERM', 'SIGKILL'] })]);
    machine.remove(MAIN);
    await end(true);
    reaper.escalate('j', 2);
    await machine.pass(200);
    // The event loop stands still for longer than SIGKILL may take.
    machine.clock.now += 3_000;
    expect(reaper.undecided('j', 2)).toBeNull();
    machine.remove(101);
    const decided = reaper.undecided('j', 2);
    expect(decided).not.toBeNull();
    await machine.pass(200);
    await decided;
    expect(told).toEqual([true]);
  });

  it('waits no longer for a look that hangs than for half a minute, and no longer than there is something', async () => {
    class HungFinder extends EscapeeFinder {
      override find(): Promise<Remains> {
        return new Promise(() => {});
      }
    }
    const hung = scene([], HungFinder);
    hung.machine.remove(MAIN);
    await hung.end(true);
    hung.reaper.escalate('j', 2);
    let decided = false;
    void hung.reaper.undecided('j', 2)?.then(() => {
      decided = true;
    });
    await hung.machine.pass(29_900);
    expect(decided).toBe(false);
    await hung.machine.pass(200);
    expect(decided).toBe(true);

    const { machine, reaper, end } = scene([child(101, { ignores: ['SIGTERM'] })]);
    machine.remove(MAIN);
    await end(true);
    reaper.escalate('j', 2);
    const gone = reaper.undecided('j', 2);
    expect(gone).not.toBeNull();
    await machine.pass(200);
    await gone;
    expect(reaper.undecided('j', 2)).toBeNull();
  });

  it('knows at once of a main process that survives SIGKILL, and waits for the news of one that does not', async () => {
    const { machine, reaper, end } = scene();
    machine.add({ pid: MAIN, start_time: 1000, ignores: ['SIGTERM', 'SIGKILL'] });
    await end(false);
    reaper.escalate('j', 2);
    expect(reaper.undecided('j', 2)).toBeNull();
    machine.remove(MAIN);
    expect(reaper.undecided('j', 2)).not.toBeNull();
  });

  it('looks no more, and tells nobody, once it is told to forget', async () => {
    const { machine, reaper, told, end } = scene([child(101, { ignores: ['SIGTERM'] })]);
    machine.remove(MAIN);
    await end(true);
    reaper.forget('j', 2);
    const walks = machine.walks;
    await machine.pass(1_000);
    expect([machine.walks, machine.clock.pending, told]).toEqual([walks, 0, []]);
    reaper.escalate('j', 2);
    reaper.mainExited('j', 2);
    expect(machine.signals).toEqual(['TERM 101']);
  });

  it('does not walk over /proc again while a survivor that it knows lives', async () => {
    const { machine, end } = scene([
      child(200, { session: 200, pgrp: 200, environ: marked, ignores: ['SIGTERM'] }),
    ]);
    machine.remove(MAIN);
    await end(true);
    const { walks } = machine;
    await machine.pass(2_000);
    expect(machine.walks).toBe(walks);
  });
});

describe('Reaper on this machine', () => {
  function start(script: string): { child: ChildProcess; pid: number; ended: Promise<unknown> } {
    const child = spawn('bash', ['-c', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ...marked },
    });
    const pid = child.pid ?? 0;
    return { child, pid, ended: new Promise((resolve) => child.once('exit', resolve)) };
  }

  function reaperOn(host: Host): Reaper {
    const table = new ProcessTable(host);
    const agenda = new Agenda(host.clock);
    onTestFinished(() => agenda.clear());
    return new Reaper(host, agenda, table, new EscapeeFinder(host, table, INSTANCE, process.pid));
  }

  it('ends a tree whose parts ignore SIGTERM, have left the group, the session, and the environment', async () => {
    const host = nodeHost();
    const reaper = reaperOn(host);
    const stubborn = `trap "" TERM; while :; do sleep 1000; done`;
    const { child, pid, ended } = start(
      [
        `bash -c '${stubborn}' >/dev/null & echo $!`,
        `setsid bash -c '${stubborn}' >/dev/null & echo $!`,
        'set -m',
        'env -i sleep 1234 >/dev/null & echo $!',
        'echo done',
        stubborn,
      ].join('\n'),
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.includes('done\n'));
    const identities = [pid, ...said.split('\n').map(Number).filter(Boolean)].map((one) => {
      const identity = host.processes.identity(one);
      if (identity === null) throw new Error(`${one} has ended`);
      return identity;
    });
    expect(identities).toHaveLength(4);
    const [main, inGroup, inSession, inPipeline] = identities;
    if (main === undefined || inPipeline === undefined) throw new Error('they have ended');
    // It wipes its environment only with its exec.
    await until(() => host.processes.environ(inPipeline.pid)?.size === 0);

    let complete: boolean | null = null;
    reaper.end(targetOf(main), 'SIGTERM', false, (all) => {
      complete = all;
    });
    // All of them ignore it; what is left is proved by looking at them again.
    reaper.escalate('j', 2);
    await ended;
    reaper.mainExited('j', 2);
    await until(() => {
      if (reaper.survivors('j', 2).length > 0) reaper.escalate('j', 2);
      return complete !== null;
    });
    for (const identity of [main, inGroup, inSession, inPipeline]) {
      expect(identity && host.processes.isAlive(identity)).toBe(false);
    }
  });
});
