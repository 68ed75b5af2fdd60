/**
 * Who holds port P, and socket S, on a machine with many open descriptors.
 *
 * The probe that is asked first is asked in this process, as upkeep asks it; what others use is started once for each
 * question, as others use it. All have their turn in each round, and each round asks about another process, so that
 * whatever else the machine does hits all alike.
 *
 * ROUNDS=30, WARMUP=3 (rounds before that, not counted), PROCESSES=200, DESCRIPTORS=50 (a process)
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Bench, PACKAGE } from './support/bench.ts';
import { monotonic } from './support/clock.ts';
import { missing } from './support/commands.ts';
import { setting } from './support/settings.ts';
import { quantile } from './support/statistics.ts';
import { formatTable, ms, ratio } from './support/table.ts';

/** As much of upkeep as is measured; it is taken from `dist`, as it is shipped. */
interface Upkeep {
  readonly host: object;
  readonly procfs: {
    holders(
      query: { claims: readonly object[]; suspects: readonly number[]; exhaustive: boolean },
      host: object,
    ): Promise<{ holders: readonly Holder[] }>;
  };
  stillHolds(holder: Holder, host: object): boolean;
}

interface Holder {
  readonly process: { readonly pid: number } | null;
}

/** One of the processes that hold something. */
interface Target {
  readonly pid: number;
  readonly port: number;
  readonly socket: string;
}

/** A way of finding out. It throws where it does not find the right process. */
interface Way {
  readonly name: string;
  ask(target: Target): Promise<void> | void;
  readonly times: number[];
}

async function loadUpkeep(): Promise<Upkeep> {
  const load = (path: string) => import(join(PACKAGE, 'dist', path));
  const [plugins, nodeHost, proof] = await Promise.all([
    load('plugins/mod.js'),
    load('core/host/node_host.js'),
    load('core/reclaim/still_holds.js'),
  ]);
  const [procfs] = plugins.builtInPlugins.probes;
  return { host: nodeHost.nodeHost(), procfs, stillHolds: proof.stillHolds };
}

function portOf({ port }: Target): object {
  return { kind: 'tcp', address: null, port };
}

function socketOf({ socket }: Target): object {
  return { kind: 'socket', path: socket };
}

type ClaimOf = (target: Target) => object;

function probing(
  { procfs, host }: Upkeep,
  name: string,
  claimOf: ClaimOf,
  told: { exhaustive: boolean; suspect: boolean },
): Way {
  const ask = async (target: Target): Promise<void> => {
    const suspects = told.suspect ? [target.pid] : [];
    const query = { claims: [claimOf(target)], suspects, exhaustive: told.exhaustive };
    const { holders } = await procfs.holders(query, host);
    if (holders[0]?.process?.pid !== target.pid) throw new Error(`${name} did not find it`);
  };
  return { name, ask, times: [] };
}

/** The last holder is known and proved again, which is what upkeep does while a service runs. */
async function proving({ procfs, host, stillHolds }: Upkeep, targets: readonly Target[]): Promise<Way> {
  const query = { claims: targets.map(portOf), suspects: [], exhaustive: true };
  const { holders } = await procfs.holders(query, host);
  const known = new Map(holders.map((holder) => [holder.process?.pid, holder]));
  const name = 'procfs, last holder known';
  const ask = (target: Target): void => {
    const holder = known.get(target.pid);
    if (holder === undefined || !stillHolds(holder, host)) throw new Error(`${name} did not find it`);
  };
  return { name, ask, times: [] };
}

function running(command: (target: Target) => readonly [string, ...string[]], name: string): Way {
  const ask = (target: Target): void => {
    const [program, ...args] = command(target);
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (!`${stdout}${stderr}`.includes(String(target.pid))) throw new Error(`${name} did not find it`);
  };
  return { name, ask, times: [] };
}

function portWays(upkeep: Upkeep, known: Way): Way[] {
  return [
    probing(upkeep, 'procfs, cold', portOf, { exhaustive: false, suspect: false }),
    probing(upkeep, 'procfs, cold, every holder', portOf, { exhaustive: true, suspect: false }),
    probing(upkeep, 'procfs, told whom to suspect', portOf, { exhaustive: false, suspect: true }),
    known,
    ...installed([
      running(
        ({ port }) => ['lsof', '-nP', `-iTCP:${port}`, '-sTCP:LISTEN'],
        'lsof -nP -iTCP:P -sTCP:LISTEN',
      ),
      running(() => ['ss', '-ltnp'], 'ss -ltnp'),
      running(({ port }) => ['fuser', `${port}/tcp`], 'fuser P/tcp'),
      running(() => ['netstat', '-ltnp'], 'netstat -ltnp'),
    ]),
  ];
}

function socketWays(upkeep: Upkeep): Way[] {
  return [
    probing(upkeep, 'procfs, cold', socketOf, { exhaustive: false, suspect: false }),
    probing(upkeep, 'procfs, cold, every holder', socketOf, { exhaustive: true, suspect: false }),
    probing(upkeep, 'procfs, told whom to suspect', socketOf, { exhaustive: false, suspect: true }),
    ...installed([
      running(({ socket }) => ['lsof', '-nP', socket], 'lsof -nP S'),
      running(() => ['ss', '-lxnp'], 'ss -lxnp'),
      running(({ socket }) => ['fuser', socket], 'fuser S'),
      running(() => ['netstat', '-lxnp'], 'netstat -lxnp'),
    ]),
  ];
}

/** Names those that are not there, and leaves them out. */
function installed(ways: readonly Way[]): Way[] {
  return ways.filter(({ name }) => {
    const absent = missing(name.split(' ', 1)[0] ?? name);
    if (absent !== null) console.log(absent);
    return absent === null;
  });
}

async function measure(
  ways: readonly Way[],
  targets: readonly Target[],
  rounds: number,
  warmup: number,
): Promise<void> {
  for (let round = 0; round < warmup + rounds; round += 1) {
    if (round === warmup) for (const way of ways) way.times.length = 0;
    // Steps that have no divisor in common with the number of processes visit all of them.
    const target = targets[(round * 37) % targets.length];
    if (target === undefined) throw new Error('Nobody holds anything');
    for (const { ask, times } of ways) {
      const begun = monotonic();
      await ask(target);
      times.push(monotonic() - begun);
    }
  }
}

function report(title: string, ways: readonly Way[]): void {
  const cold = quantile(ways[0]?.times ?? [], 0.5);
  const rows = ways.map(({ name, times }) => {
    const [p50 = 0, ...others] = [0.5, 0.99, 0, 1].map((q) => quantile(times, q));
    return [name, ...[p50, ...others].map((value) => ms(value, 3)), ratio(p50, cold)];
  });
  console.log(`\n${title}, ms`);
  console.log(formatTable(['', 'p50', 'p99', 'min', 'max', 'p50 / cold'], rows));
}

async function startHolders(bench: Bench): Promise<{ targets: Target[]; end: () => Promise<void> }> {
  const processes = setting('PROCESSES', 200);
  const { dir, env } = bench.place('holders');
  const argv = [String(processes), String(setting('DESCRIPTORS', 50)), dir];
  const child: ChildProcess = spawn(bench.program('holders'), argv, {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('Cannot read what the holders say');
  const targets: Target[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [pid = 0, port = 0] = line.split(' ').map(Number);
    targets.push({ pid, port, socket: join(dir, `${targets.length}.sock`) });
  }
  if (targets.length !== processes) throw new Error(`Only ${targets.length} holders of ${processes} are up`);
  const end = async (): Promise<void> => {
    child.stdin?.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
  return { targets, end };
}

/** Measures, and prints a table for ports and one for sockets. */
export async function whoHolds(bench: Bench): Promise<void> {
  const rounds = setting('ROUNDS', 30);
  const warmup = setting('WARMUP', 3);
  const { targets, end } = await startHolders(bench);
  await bench.attempt('the run', async () => {
    const upkeep = await loadUpkeep();
    const ports = portWays(upkeep, await proving(upkeep, targets));
    const sockets = socketWays(upkeep);
    await measure([...ports, ...sockets], targets, rounds, warmup);
    const among = `${targets.length} processes with ${setting('DESCRIPTORS', 50)} open descriptors each; ${rounds} rounds`;
    report(`Who holds a port, among ${among}`, ports);
    report(`Who holds a socket, among ${among}`, sockets);
  });
  await end();
}
