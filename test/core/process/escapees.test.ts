import { spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FileId } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { EscapeeFinder, type Successor, type Traces } from '../../../core/process/escapees.ts';
import { formatMark, MARKER } from '../../../core/process/marker.ts';
import { ProcessTable } from '../../../core/process/process_table.ts';
import { until } from '../../support/until.ts';
import { FakeMachine, type FakeProcess } from './fake_machine.ts';

const INSTANCE = 'c0ffee';
const UPKEEP = 50;
const MAIN = 100;
const NEXT = 110;
const LOG: FileId = { dev: 1n, ino: 2n };

const mark = (incarnation: number, job_id = 'j', instance = INSTANCE): Record<string, string> => ({
  [MARKER]: formatMark({ instance, job_id, incarnation }),
});

const traces = (more: Partial<Traces> = {}): Traces => ({
  job_id: 'j',
  incarnation: 2,
  identity: { boot_id: 'boot', pid: MAIN, start_time: 1000 },
  sessions: new Set(),
  files: [],
  isLog: () => true,
  since: 500,
  successor: () => null,
  ...more,
});

const later = (more: Partial<Successor> = {}): Successor => ({
  job_id: 'j',
  incarnation: 3,
  main: { boot_id: 'boot', pid: NEXT, start_time: 3000 },
  since: 3000,
  sessions: new Set([310]),
  log: LOG,
  ...more,
});

function finderOn(...processes: FakeProcess[]): { machine: FakeMachine; finder: EscapeeFinder } {
  const machine = new FakeMachine(...processes);
  return {
    machine,
    finder: new EscapeeFinder(machine.host, new ProcessTable(machine.host), INSTANCE, UPKEEP),
  };
}

async function found(wanted: Traces, ...processes: FakeProcess[]): Promise<number[]> {
  const { finder } = finderOn(...processes);
  return (await finder.find(wanted)).processes.map(({ pid }) => pid).sort((a, b) => a - b);
}

const born = (pid: number, more: Partial<FakeProcess> = {}): FakeProcess => ({
  pid,
  start_time: 2000,
  ...more,
});

describe('EscapeeFinder', () => {
  it('finds by the marker of this incarnation and of earlier ones, and of no other job or upkeep', async () => {
    const processes = [
      born(200, { environ: mark(2) }),
      born(201, { environ: mark(0) }),
      born(202, { environ: mark(3) }),
      born(203, { environ: mark(2, 'other') }),
      born(204, { environ: mark(2, 'j', 'beef') }),
      born(205),
    ];
    expect(await found(traces(), ...processes)).toEqual([200, 201]);
  });

  it('finds whoever is in the session of the main process, in whatever group, dead leader or not', async () => {
    const escapee = born(200, { session: MAIN });
    expect(await found(traces(), escapee)).toEqual([200]);
    expect(await found(traces(), born(MAIN, { start_time: 1000, environ: mark(2) }), escapee)).toEqual([
      MAIN,
      200,
    ]);
    expect(await found(traces(), born(MAIN, { start_time: 1000, zombie: true }), escapee)).toEqual([200]);
  });

  it('leaves a session alone whose leader has the main process’s pid and is another', async () => {
    expect(await found(traces(), born(MAIN), born(200, { session: MAIN }))).toEqual([]);
  });

  it('finds by a session that was seen in the tree', async () => {
    const processes = [born(200, { session: 300 }), born(201, { session: 301 })];
    expect(await found(traces({ sessions: new Set([300]) }), ...processes)).toEqual([200]);
  });

  it('finds by the log that it writes to', async () => {
    const processes = [born(200, { writes: ['1:2'] }), born(201, { writes: ['1:3'] })];
    expect(await found(traces({ files: [LOG] }), ...processes)).toEqual([200]);
  });

  it('takes nobody for his who writes to what has got the number of a log that is gone', async () => {
    const other: FileId = { dev: 1n, ino: 3n };
    const wanted = traces({ files: [LOG, other], isLog: (file) => file === other });
    const processes = [born(200, { writes: ['1:2'] }), born(201, { writes: ['1:2', '1:3'] })];
    expect(await found(wanted, ...processes)).toEqual([201]);
  });

  it('takes nobody for his session who is older than the main process, or as young as the next one', async () => {
    const sign = { session: MAIN };
    const processes = [
      born(200, { ...sign, start_time: 999 }),
      born(201, { ...sign, start_time: 1000 }),
      born(202, { ...sign, start_time: 2999 }),
      born(203, { ...sign, start_time: 3000 }),
    ];
    expect(await found(traces({ successor: () => later() }), ...processes)).toEqual([201, 202]);
    // A main process that was forked ahead of time is older than what was begun while it waited.
    const waited = later({ main: { boot_id: 'boot', pid: NEXT, start_time: 1001 } });
    expect(await found(traces({ successor: () => waited }), ...processes)).toEqual([201, 202]);
  });

  it('takes who writes to the log and is older than the main process, unless he is older than the job', async () => {
    const writes = ['1:2'];
    const processes = [
      born(200, { writes, start_time: 499 }),
      born(201, { writes, start_time: 500 }),
      born(202, { writes, start_time: 999 }),
    ];
    expect(await found(traces({ files: [LOG] }), ...processes)).toEqual([201, 202]);
    // A job whose record was made anew is younger than its own main process.
    const own = [born(200, { writes, start_time: 999 }), born(201, { writes, start_time: 1000 })];
    expect(await found(traces({ files: [LOG], since: 9000 }), ...own)).toEqual([201]);
  });

  it('finds by the log alone where nobody knows the main process any more', async () => {
    const processes = [
      born(200, { writes: ['1:2'] }),
      born(201, { session: 0 }),
      born(202, { environ: mark(1) }),
    ];
    expect(await found(traces({ identity: null, files: [LOG] }), ...processes)).toEqual([200, 202]);
  });

  it('leaves alone who may be of a later incarnation that shares the log', async () => {
    const writes = ['1:2'];
    const processes = [
      born(NEXT, { writes, start_time: 3000 }),
      born(200, { writes, start_time: 2999 }),
      born(201, { writes, start_time: 3000 }),
    ];
    expect(await found(traces({ files: [LOG], successor: () => later() }), ...processes)).toEqual([200]);
    const unknown = later({ log: null });
    expect(await found(traces({ files: [LOG], successor: () => unknown }), ...processes)).toEqual([200]);
  });

  it('takes whoever writes to a log that was set aside, but for the tree of a later incarnation', async () => {
    const writes = ['1:2'];
    const processes = [
      born(NEXT, { writes, start_time: 3000 }),
      born(200, { writes, start_time: 3000 }),
      born(201, { writes, start_time: 3001, ppid: NEXT }),
      born(202, { writes, start_time: 3001, session: 310 }),
    ];
    const next = later({ log: { dev: 1n, ino: 3n } });
    expect(await found(traces({ files: [LOG], successor: () => next }), ...processes)).toEqual([200]);
  });

  it('takes no helper of upkeep that works on a log, and nothing that upkeep was started from', async () => {
    const writes = ['1:2'];
    const processes = [
      born(40, { writes }),
      born(45, { writes, ppid: 40 }),
      born(UPKEEP, { writes, ppid: 45 }),
      born(200, { writes, ppid: UPKEEP }),
    ];
    expect(await found(traces({ files: [LOG] }), ...processes)).toEqual([]);
  });

  it('takes nobody who carries the marker of another incarnation, whatever else it has', async () => {
    const sign = { session: MAIN, writes: ['1:2'] };
    const processes = [
      born(200, { ...sign, environ: mark(3) }),
      born(201, { ...sign, environ: mark(0, 'other') }),
    ];
    expect(await found(traces({ files: [LOG] }), ...processes)).toEqual([]);
  });

  it('takes neither upkeep, nor init, nor the kernel, nor a zombie', async () => {
    const sign = { environ: mark(2) };
    const processes = [
      born(1, sign),
      born(2, sign),
      born(9, { ...sign, ppid: 2 }),
      born(UPKEEP, sign),
      born(200, { ...sign, zombie: true }),
    ];
    expect(await found(traces(), ...processes)).toEqual([]);
  });

  it('says where it could not look into everybody', async () => {
    const { finder } = finderOn(born(200, { writes: null }));
    expect(await finder.find(traces({ files: [LOG] }))).toEqual({ processes: [], complete: false });
    const { finder: other } = finderOn(born(200, { writes: null, environ: mark(2) }));
    expect((await other.find(traces({ files: [LOG] }))).complete).toBe(true);
  });

  it('answers everybody who asks meanwhile with one walk more', async () => {
    const { machine, finder } = finderOn(
      born(200, { environ: mark(2) }),
      born(300, { environ: mark(2, 'k') }),
    );
    const answers = await Promise.all([
      finder.find(traces()),
      finder.find(traces()),
      finder.find(traces({ job_id: 'k' })),
      finder.find(traces({ job_id: 'none', identity: { boot_id: 'boot', pid: 7, start_time: 1000 } })),
    ]);
    expect(answers.map(({ processes }) => processes.map(({ pid }) => pid))).toEqual([
      [200],
      [200],
      [300],
      [],
    ]);
    expect(machine.walks).toBe(2);
  });

  it('asks how young is too young when the look begins, and not before', async () => {
    const { finder } = finderOn(born(200, { session: MAIN }));
    let next: Successor | null = null;
    const looking = finder.find(traces({ successor: () => next }));
    next = later({ since: 1500 });
    expect((await looking).processes).toEqual([]);
  });
});

describe('EscapeeFinder on this machine', () => {
  it('finds a pipeline of a shell with job control that has neither marker nor log', async () => {
    const host = nodeHost();
    const finder = new EscapeeFinder(host, new ProcessTable(host), INSTANCE, process.pid);
    const script = 'set -m; env -i sleep 1234 >/dev/null 2>&1 & echo $!; exec sleep 1000';
    const main = spawn('bash', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = main.pid ?? 0;
    onTestFinished(() => void main.kill('SIGKILL'));
    let said = '';
    main.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.endsWith('\n'));
    const escapee = Number(said);
    onTestFinished(() => void process.kill(escapee, 'SIGKILL'));
    const identity = host.processes.identity(pid);
    if (identity === null) throw new Error('it has ended');
    await until(() => host.processes.environ(escapee)?.size === 0);
    main.kill('SIGKILL');
    await until(() => !host.processes.isAlive(identity));
    const left = await finder.find(traces({ identity }));
    expect(left.processes.map((stat) => stat.pid)).toEqual([escapee]);
  });
});
