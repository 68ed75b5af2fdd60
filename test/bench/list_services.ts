/**
 * How quickly a supervisor lists its services, and what that costs the restarts of them.
 *
 * All peers are up at once with the same services, each with a port and a socket. One caller a peer, a process of its
 * own, asks for the whole list over one connection that stays, again and again: upkeep by HTTP, supervisord by the
 * XML-RPC that `supervisorctl` uses, pm2 by its own client library; all over Unix sockets. The peers have their turns
 * in each round, so that whatever else the machine does hits all alike. Then services are killed, by turns while
 * nobody asks and while the caller does.
 *
 * COUNT=100, ROUNDS=5, SECONDS=4 (of each peer's turn), KILLS=100 (a peer, and as many under load; 0: none),
 * GAP_MS=100 (from the begin of the calls to the kill), PEERS=…
 */
import { join } from 'node:path';
import type { ListMessage } from './callers/message.ts';
import type { Handle, Peer, Place, Service } from './peer.ts';
import { pm2 } from './peers/pm2.ts';
import { supervisord } from './peers/supervisord.ts';
import { upkeep } from './peers/upkeep.ts';
import type { Bench } from './support/bench.ts';
import { Caller } from './support/caller.ts';
import { present, rotated } from './support/present.ts';
import { cpuBetween, cpuOf, supervisorsOf } from './support/processes.ts';
import { restartTime } from './support/restart_time.ts';
import { setting } from './support/settings.ts';
import { Stamps } from './support/stamps.ts';
import { median, quantile } from './support/statistics.ts';
import { formatTable, ms, ratio } from './support/table.ts';

/** How long all may take to come up, in ms. */
const GIVE_UP = 180_000;
/** Quiet after they have: what comes after a start is over by then. */
const SETTLE = 3000;

/** A peer with its services up and its caller ready. */
interface Subject {
  readonly peer: Peer;
  readonly place: Place;
  readonly handle: Handle;
  readonly caller: Caller<ListMessage>;
  readonly stamps: Stamps;
  /** Calls a second, one a round. */
  readonly rates: number[];
  /** Processor time of the supervisor for one call, seconds; one a round. */
  readonly costs: number[];
  /** ns, one a call. */
  readonly times: number[];
  /** ns, one a kill: while nobody asks, and while somebody does. */
  readonly idle: number[];
  readonly loaded: number[];
}

async function begin(bench: Bench, peer: Peer, count: number): Promise<Subject> {
  const place = bench.place(peer.name);
  const stamps = new Stamps(join(place.dir, 'stamps'));
  const ports = await bench.freePorts(count);
  const services = ports.map((port, n): Service => {
    const name = `s${n}`;
    const socket = join(place.dir, 'sockets', `${n}.sock`);
    const argv = [bench.worker, name, stamps.path, '-p', `${port}`, '-s', socket];
    return { name, argv, port, socket, output: join(place.dir, 'out', `${name}.log`) };
  });
  const handle = await peer.start(services, place);
  try {
    const allUp = (): boolean => new Set(stamps.read().map(({ name }) => name)).size === count;
    if (!(await bench.until(allUp, GIVE_UP, 20))) throw new Error(`${peer.name} did not start all`);
    if (handle.lister === undefined) throw new Error(`${peer.name} cannot be asked`);
    await bench.pause(SETTLE);
    const caller = await Caller.start<ListMessage>('list_caller', [`${count}`, ...handle.lister]);
    return { peer, place, handle, caller, stamps, rates: [], costs: [], times: [], idle: [], loaded: [] };
  } catch (error) {
    await bench.leave(place, handle);
    throw error;
  }
}

/** Lets it ask while `meanwhile` goes on; ns of each call. */
async function asking(
  { caller }: Pick<Subject, 'caller'>,
  meanwhile: () => Promise<void>,
): Promise<readonly number[]> {
  caller.tell('go');
  await meanwhile();
  const answer = await caller.ask('halt');
  return answer.said === 'halted' ? answer.times : [];
}

async function turn(bench: Bench, subject: Subject, seconds: number): Promise<void> {
  const { dir, worker } = subject.place;
  const before = cpuOf(supervisorsOf(dir, worker));
  const times = await asking(subject, () => bench.pause(seconds * 1000));
  subject.costs.push(cpuBetween(before, cpuOf(supervisorsOf(dir, worker))) / times.length);
  // By the time that the calls took: the bench may be late to say that it is over.
  subject.rates.push(times.length / (times.reduce((sum, time) => sum + time, 0) / 1e9));
  for (const time of times) subject.times.push(time);
}

async function kills(bench: Bench, subject: Subject, n: number, count: number, gap: number): Promise<void> {
  const { stamps, idle, loaded } = subject;
  // Two services that have been up for long.
  const [first, second] = [(2 * n) % count, (2 * n + 1) % count];
  await bench.pause(gap);
  idle.push(await restartTime(bench, stamps, `s${first}`));
  await bench.pause(gap);
  await asking(subject, async () => {
    await bench.pause(gap);
    loaded.push(await restartTime(bench, stamps, `s${second}`));
    // What follows the spawn is to be over before the next.
    await bench.pause(gap);
  });
}

function reportRates(subjects: readonly Subject[], count: number, rounds: number, seconds: number): void {
  const own = median(subjects[0]?.rates ?? []);
  console.log(
    `\n${count} services listed over one connection; ${rounds} rounds of ${seconds} s, the rates' medians`,
  );
  console.log(
    formatTable(
      ['', 'requests/s', 'min', 'max', `/ ${subjects[0]?.peer.name}`, 'p50, ms', 'p99, ms', 'its CPU, ms'],
      subjects.map(({ peer, rates, times, costs }) => [
        peer.name,
        ...[0.5, 0, 1].map((q) => quantile(rates, q).toFixed(0)),
        ratio(median(rates), own),
        ...[0.5, 0.99].map((q) => ms(quantile(times, q), 3)),
        (median(costs) * 1000).toFixed(3),
      ]),
    ),
  );
}

function reportKills(subjects: readonly Subject[], number: number): void {
  console.log(
    `\nSIGKILL to the replacement's first instruction, ms; ${number} kills idle and ${number} under load`,
  );
  console.log(
    formatTable(
      ['', 'idle p50', 'idle p99', 'load p50', 'load p99', 'load / idle p50', 'load / idle p99'],
      subjects.map(({ peer, idle, loaded }) => [
        peer.name,
        ...[idle, loaded].flatMap((times) => [0.5, 0.99].map((q) => ms(quantile(times, q)))),
        ...[0.5, 0.99].map((q) => ratio(quantile(loaded, q), quantile(idle, q))),
      ]),
    ),
  );
}

/** Measures, and prints a table of rates and one of restarts. */
export async function listServices(bench: Bench): Promise<void> {
  const count = setting('COUNT', 100);
  const rounds = setting('ROUNDS', 5);
  const seconds = setting('SECONDS', 4);
  const number = setting('KILLS', 100);
  const gap = setting('GAP_MS', 100);
  const peers = await present([
    upkeep({ restart: { policy: 'always', delay: '0ms', stable_after: '20ms' } }),
    supervisord({ control: true }),
    pm2(bench),
  ]);
  const subjects: Subject[] = [];
  try {
    for (const peer of peers) {
      const subject = await bench.attempt(peer.name, () => begin(bench, peer, count));
      if (subject !== null) subjects.push(subject);
    }
    await bench.attempt('the run', async () => {
      for (let round = 0; round < rounds; round += 1) {
        for (const subject of rotated(subjects, round)) await turn(bench, subject, seconds);
      }
      reportRates(subjects, count, rounds, seconds);
      for (let n = 0; n < number; n += 1) {
        for (const subject of rotated(subjects, n)) await kills(bench, subject, n, count, gap);
      }
      if (number > 0) reportKills(subjects, number);
    });
  } finally {
    // A caller of a supervisor that is gone would try to connect again for ever.
    for (const { caller } of subjects) await caller.end();
    for (const { place, handle } of subjects) await bench.leave(place, handle);
  }
}
