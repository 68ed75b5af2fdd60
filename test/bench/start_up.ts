/**
 * Time until N services are all running, the supervisor's memory then, and its processor time while they idle.
 *
 * One peer at a time, in turn, in ROUNDS rounds. Running means that the worker's first instruction was executed; the
 * clock starts right before the supervisor's own first process is spawned. Memory and processor time are those of all
 * of a peer's processes but the services. A peer that can adopt living services is killed and started again over
 * them, and measured a second time.
 *
 * COUNTS=100,1000, ROUNDS=3, CLAIMS=0 (1: each service holds a TCP port and a Unix socket), SETTLE_SECONDS=12 (before
 * the idle time begins: what comes after "stable" is over by then), IDLE_SECONDS=60 (0: not measured; only in the
 * last round), PEERS=…
 */
import { join } from 'node:path';
import { FLOOR, type Peer, type Place, type Service } from './peer.ts';
import { bareNode } from './peers/bare_node.ts';
import { pm2 } from './peers/pm2.ts';
import { daemontools, runit, s6 } from './peers/service_folders.ts';
import { supervisord } from './peers/supervisord.ts';
import { upkeep } from './peers/upkeep.ts';
import type { Bench } from './support/bench.ts';
import { present, rotated } from './support/present.ts';
import {
  cpuBetween,
  cpuOf,
  executableOf,
  type Memory,
  markedWith,
  memoryOf,
  supervisorsOf,
} from './support/processes.ts';
import { listSetting, setting } from './support/settings.ts';
import { Stamps } from './support/stamps.ts';
import { median, quantile } from './support/statistics.ts';
import { formatTable, megabytes, ms, ratio } from './support/table.ts';

/** How long all may take to come up, in ms. */
const GIVE_UP = 180_000;
/** Quiet before memory is read, in ms: commands that only start things have ended, first garbage is collected. */
const BREATH = 2000;

/** A peer that was started somewhere. */
interface Run {
  readonly peer: Peer;
  readonly place: Place;
  readonly stamps: Stamps;
}

/** What one run showed. */
interface Result {
  /** ns until all were up. */
  readonly time: number;
  readonly rests: readonly Rest[];
}

/** A supervisor while its services idle. */
interface Rest {
  readonly label: string;
  readonly memory: Memory;
  /** Share of one core; null: not measured. */
  readonly idle: number | null;
}

async function servicesOf(bench: Bench, place: Place, count: number, claims: number): Promise<Service[]> {
  bench.reusePorts();
  const ports = claims === 0 ? [] : await bench.freePorts(count);
  const stamps = join(place.dir, 'stamps');
  return Array.from({ length: count }, (_, n) => {
    const name = `s${n}`;
    const port = ports[n] ?? null;
    const socket = port === null ? null : join(place.dir, 'sockets', `${n}.sock`);
    const held = port === null || socket === null ? [] : ['-p', `${port}`, '-s', socket];
    return {
      name,
      argv: [bench.worker, name, stamps, ...held],
      port,
      socket,
      output: join(place.dir, 'out', `${name}.log`),
    };
  });
}

async function atRest(bench: Bench, label: string, place: Place, idleSeconds: number): Promise<Rest> {
  await bench.pause(BREATH);
  const memory = memoryOf(supervisorsOf(place.dir, place.worker));
  if (idleSeconds === 0) return { label, memory, idle: null };
  await bench.pause(setting('SETTLE_SECONDS', 12) * 1000);
  const before = cpuOf(supervisorsOf(place.dir, place.worker));
  const from = performance.now();
  await bench.pause(idleSeconds * 1000);
  const after = cpuOf(supervisorsOf(place.dir, place.worker));
  return { label, memory, idle: cpuBetween(before, after) / ((performance.now() - from) / 1000) };
}

function liveWorkers(place: Place): number {
  return [...markedWith(place.dir)].filter((pid) => executableOf(pid) === place.worker).length;
}

/** The supervisor alone is killed and started again; all its services must still be the same processes. */
async function takenOver(bench: Bench, run: Run, takeOver: () => Promise<void>, idle: number): Promise<Rest> {
  const { peer, place, stamps } = run;
  const [started, alive] = [stamps.read().length, liveWorkers(place)];
  await takeOver();
  const rest = await atRest(bench, `${peer.name}, adopted`, place, idle);
  const [again, stillAlive] = [stamps.read().length - started, liveWorkers(place)];
  if (again !== 0 || stillAlive !== alive)
    console.log(`${peer.name} did not adopt: ${again} started again, ${stillAlive} of ${alive} alive`);
  return rest;
}

async function one(bench: Bench, peer: Peer, count: number, idle: number): Promise<Result> {
  const place = bench.place(peer.name);
  const stamps = new Stamps(join(place.dir, 'stamps'));
  const services = await servicesOf(bench, place, count, setting('CLAIMS', 0));
  const handle = await peer.start(services, place);
  try {
    const allUp = (): boolean => new Set(stamps.read().map((stamp) => stamp.name)).size === count;
    if (!(await bench.until(allUp, GIVE_UP, 20)))
      throw new Error(`${peer.name} started ${stamps.read().length} of ${count} services`);
    // The first stamp of each: one that died and was started again meanwhile was up before.
    const first = new Map<string, number>();
    for (const { name, at } of stamps.read()) first.set(name, first.get(name) ?? at);
    const time = Math.max(...first.values()) - handle.startedAt;
    const rests = [await atRest(bench, peer.name, place, idle)];
    if (idle > 0 && handle.takeOver !== undefined)
      rests.push(await takenOver(bench, { peer, place, stamps }, handle.takeOver, idle));
    return { time, rests };
  } finally {
    await bench.leave(place, handle);
  }
}

async function measure(bench: Bench, peers: readonly Peer[], count: number): Promise<void> {
  const rounds = setting('ROUNDS', 3);
  const idleSeconds = setting('IDLE_SECONDS', 60);
  const times = new Map<Peer, number[]>(peers.map((peer) => [peer, []]));
  const rests = new Map<Peer, readonly Rest[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of rotated(peers, round)) {
      const idle = round === rounds - 1 ? idleSeconds : 0;
      const result = await bench.attempt(peer.name, () => one(bench, peer, count, idle));
      if (result === null) continue;
      console.error(`round ${round + 1}: ${peer.name}: ${count} up in ${ms(result.time, 0)} ms`);
      times.get(peer)?.push(result.time);
      rests.set(peer, result.rests);
    }
  }

  const floor = peers.find((peer) => peer.name === FLOOR);
  const floorTime = median((floor && times.get(floor)) ?? []);
  console.log(
    `\n${count} services${setting('CLAIMS', 0) === 0 ? '' : ', each with a port and a socket'}; ` +
      `${rounds} rounds, ${idleSeconds} s idle`,
  );
  console.log(
    formatTable(
      ['', 'all up, ms', 'min', '/ floor', 'processes', 'RSS, MB', 'PSS, MB', 'idle, % of a core'],
      peers.flatMap((peer) =>
        (rests.get(peer) ?? []).map(({ label, memory, idle }) => {
          const taken = label === peer.name ? (times.get(peer) ?? []) : [];
          return [
            label,
            ...(taken.length === 0
              ? ['-', '-', '-']
              : [ms(median(taken), 0), ms(quantile(taken, 0), 0), ratio(median(taken), floorTime)]),
            `${memory.processes}`,
            megabytes(memory.rss),
            megabytes(memory.pss),
            idle === null ? '-' : (idle * 100).toFixed(2),
          ];
        }),
      ),
    ),
  );
}

/** Measures, and prints a table for each count. */
export async function startUp(bench: Bench): Promise<void> {
  const peers = await present([bareNode, upkeep(), runit, daemontools, s6, supervisord(), pm2(bench)]);
  for (const count of listSetting('COUNTS') ?? ['100', '1000']) await measure(bench, peers, Number(count));
}
