/**
 * From SIGKILL to the first instruction of the replacement.
 *
 * All peers are up at once, with one service each that holds a TCP port and a Unix socket, and are killed in turn,
 * one of each a round, so that whatever else the machine does hits all alike. A service is only killed once it has
 * been up for UPTIME_MS, as most peers punish a death within the first second.
 *
 * KILLS=200 (a peer), WARMUP=5 (rounds before that, not counted), UPTIME_MS=1100, GAP_MS=60 (quiet before the next
 * peer's turn), PEERS=bare node,runit,…
 */
import { join } from 'node:path';
import { FLOOR, type Handle, type Peer, type Place } from './peer.ts';
import { bareNode } from './peers/bare_node.ts';
import { pm2 } from './peers/pm2.ts';
import { daemontools, daemontoolsNoShell, runit, runitNoShell, s6 } from './peers/service_folders.ts';
import { supervisord } from './peers/supervisord.ts';
import { upkeep } from './peers/upkeep.ts';
import type { Bench } from './support/bench.ts';
import { monotonic } from './support/clock.ts';
import { present, rotated } from './support/present.ts';
import { executableOf } from './support/processes.ts';
import { setting } from './support/settings.ts';
import { Stamps } from './support/stamps.ts';
import { quantile } from './support/statistics.ts';
import { formatTable, ms, ratio } from './support/table.ts';

/** How long one is waited for before the next has its turn; the slow ones are collected at the end of the round. */
const PATIENCE = 100;
/** How long it may take at all, in ms. */
const GIVE_UP = 30_000;

/** A peer with its one service up. */
interface Subject {
  readonly peer: Peer;
  readonly place: Place;
  readonly handle: Handle;
  readonly stamps: Stamps;
  /** ns from each kill to the next stamp. */
  readonly latencies: number[];
  kills: number;
  killedAt: number;
}

async function begin(bench: Bench, peer: Peer): Promise<Subject> {
  const place = bench.place(peer.name);
  const stamps = new Stamps(join(place.dir, 'stamps'));
  const [port = 0] = await bench.freePorts(1);
  const socket = join(place.dir, 'sockets/a.sock');
  const service = {
    name: 'a',
    argv: [bench.worker, 'a', stamps.path, '-p', `${port}`, '-s', socket],
    port,
    socket,
    output: join(place.dir, 'out/a.log'),
  };
  const handle = await peer.start([service], place);
  const subject = { peer, place, handle, stamps, latencies: [], kills: 0, killedAt: 0 };
  if (!(await bench.until(() => isBack(subject), GIVE_UP))) throw new Error(`${peer.name} did not start it`);
  return subject;
}

function isBack(subject: Subject): boolean {
  return subject.stamps.read().length > subject.kills;
}

async function kill(bench: Bench, subject: Subject, uptime: number): Promise<void> {
  const stamp = subject.stamps.read().at(-1);
  if (stamp === undefined) throw new Error(`${subject.peer.name} has nothing to kill`);
  const age = (monotonic() - stamp.at) / 1e6;
  if (age < uptime) await bench.pause(uptime - age);
  if (executableOf(stamp.pid) !== bench.worker) throw new Error(`${subject.peer.name} lost its worker`);
  subject.kills = subject.stamps.read().length;
  subject.killedAt = monotonic();
  process.kill(stamp.pid, 'SIGKILL');
}

function record(subject: Subject): void {
  const stamp = subject.stamps.read()[subject.kills];
  if (stamp === undefined) throw new Error(`${subject.peer.name} did not bring it back`);
  subject.latencies.push(stamp.at - subject.killedAt);
}

/** Kills each once; resolves when all are back. */
async function round(bench: Bench, subjects: readonly Subject[], uptime: number, gap: number): Promise<void> {
  const late: Subject[] = [];
  for (const subject of subjects) {
    await kill(bench, subject, uptime);
    if (await bench.until(() => isBack(subject), PATIENCE, 2)) record(subject);
    else late.push(subject);
    await bench.pause(gap);
  }
  for (const subject of late) {
    await bench.until(() => isBack(subject), GIVE_UP);
    record(subject);
  }
}

function report(subjects: readonly Subject[], kills: number, uptime: number): void {
  const floor = subjects.find((subject) => subject.peer.name === FLOOR)?.latencies ?? [];
  console.log(
    `\nSIGKILL to the replacement's first instruction, ms; ${kills} kills, each after ${uptime} ms up`,
  );
  console.log(
    formatTable(
      ['', 'p50', 'p99', 'min', 'max', 'p50 / floor', 'p99 / floor', 'starts'],
      subjects.map(({ peer, latencies, stamps }) => [
        peer.name,
        ...[0.5, 0.99, 0, 1].map((q) => ms(quantile(latencies, q))),
        ...[0.5, 0.99].map((q) => ratio(quantile(latencies, q), quantile(floor, q))),
        `${stamps.read().length}`,
      ]),
    ),
  );
}

/** Measures, and prints a table. */
export async function restartLatency(bench: Bench): Promise<void> {
  const kills = setting('KILLS', 200);
  const warmup = setting('WARMUP', 5);
  const uptime = setting('UPTIME_MS', 1100);
  const gap = setting('GAP_MS', 60);
  const peers = await present([
    bareNode,
    upkeep({ restart: { policy: 'always', delay: '0ms', stable_after: '20ms' } }),
    runit,
    runitNoShell,
    daemontools,
    daemontoolsNoShell,
    s6,
    supervisord(),
    pm2(bench),
  ]);
  const subjects: Subject[] = [];
  for (const peer of peers) {
    const subject = await bench.attempt(peer.name, () => begin(bench, peer));
    if (subject !== null) subjects.push(subject);
  }
  await bench.attempt('the run', async () => {
    for (let n = 0; n < warmup + kills; n += 1) {
      if (n === warmup) for (const subject of subjects) subject.latencies.length = 0;
      await round(bench, rotated(subjects, n), uptime, gap);
    }
  });
  report(subjects, kills, uptime);
  console.log(`starts: ${warmup + kills + 1} where every death was followed by one start and no more`);
  for (const subject of subjects) await bench.leave(subject.place, subject.handle);
}
