/**
 * What health checks cost: N services, each with a TCP check every INTERVAL; the supervisor's processor time, and how
 * evenly the looks are spread over the interval. Beside it the same services without checks.
 *
 * COUNT=1000, INTERVAL=10 (seconds), SETTLE_SECONDS=15, SECONDS=60
 */
import { join } from 'node:path';
import type { Peer, Service } from './peer.ts';
import { upkeep } from './peers/upkeep.ts';
import type { Bench } from './support/bench.ts';
import { cpuBetween, cpuOf, memoryOf, supervisorsOf } from './support/processes.ts';
import { setting } from './support/settings.ts';
import { Stamps } from './support/stamps.ts';
import { formatTable, megabytes } from './support/table.ts';

/** How long all may take to come up, in ms. */
const GIVE_UP = 180_000;
/** The width of a burst, in ms. */
const BURST = 100;

interface Load {
  readonly name: string;
  /** Share of one core. */
  readonly cpu: number;
  readonly rss: number;
  /** Looks that began within the same {@link BURST} ms: the most, and the mean. */
  readonly most: number;
  readonly mean: number;
  /** Services whose last look passed. */
  readonly passing: number;
}

/** As much of the answer of `upkeep status --json` as is needed here. */
interface Status {
  readonly items: readonly {
    readonly actions: readonly {
      readonly checks: readonly { readonly looked_at: number | null; readonly status: string | null }[];
    }[];
  }[];
}

/** When the last look at each service began, ms since the epoch, and how many passed. */
function lastLooks({ items }: Status): { looks: number[]; passing: number } {
  const checks = items.flatMap(({ actions }) => actions.flatMap((action) => action.checks));
  return {
    looks: checks.flatMap(({ looked_at }) => (looked_at === null ? [] : [looked_at])),
    passing: checks.filter(({ status }) => status === 'pass').length,
  };
}

function bursts(looks: readonly number[], interval: number): { most: number; mean: number } {
  const counts = new Map<number, number>();
  for (const at of looks) {
    const slot = Math.floor((at % (interval * 1000)) / BURST);
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
  }
  return { most: Math.max(0, ...counts.values()), mean: looks.length / ((interval * 1000) / BURST) };
}

async function one(bench: Bench, peer: Peer, count: number, interval: number): Promise<Load> {
  const place = bench.place(peer.name);
  const stamps = new Stamps(join(place.dir, 'stamps'));
  bench.reusePorts();
  const ports = await bench.freePorts(count);
  const services = ports.map((port, n): Service => {
    const name = `s${n}`;
    const argv = [bench.worker, name, stamps.path, '-p', `${port}`, '-a'];
    return { name, argv, port, socket: null, output: join(place.dir, 'out', `${name}.log`) };
  });
  const handle = await peer.start(services, place);
  try {
    if (!(await bench.until(() => stamps.read().length >= count, GIVE_UP, 50)))
      throw new Error('not all came up');
    await bench.pause(setting('SETTLE_SECONDS', 15) * 1000);
    const before = cpuOf(supervisorsOf(place.dir, place.worker));
    const from = performance.now();
    await bench.pause(setting('SECONDS', 60) * 1000);
    const after = cpuOf(supervisorsOf(place.dir, place.worker));
    const cpu = cpuBetween(before, after) / ((performance.now() - from) / 1000);
    const { rss } = memoryOf(supervisorsOf(place.dir, place.worker));
    const { looks, passing } = lastLooks(JSON.parse((await handle.status?.()) ?? '{"items":[]}'));
    return { name: peer.name, cpu, rss, passing, ...bursts(looks, interval) };
  } finally {
    await bench.leave(place, handle);
  }
}

/** Measures, and prints a table. */
export async function healthLoad(bench: Bench): Promise<void> {
  const count = setting('COUNT', 1000);
  const interval = setting('INTERVAL', 10);
  const check = (service: Service): unknown[] => [
    { type: 'tcp', host: '127.0.0.1', port: service.port, interval: `${interval}s` },
  ];
  const loads: Load[] = [];
  for (const peer of [
    upkeep({ name: 'without checks' }),
    upkeep({ name: 'a TCP check each', health: check }),
  ]) {
    const load = await bench.attempt(peer.name, () => one(bench, peer, count, interval));
    if (load !== null) loads.push(load);
  }
  console.log(`\n${count} services, a look every ${interval} s`);
  console.log(
    formatTable(
      ['', 'CPU, % of a core', 'RSS, MB', 'passing', `most looks in ${BURST} ms`, 'mean'],
      loads.map(({ name, cpu, rss, passing, most, mean }) => [
        name,
        (cpu * 100).toFixed(2),
        megabytes(rss),
        `${passing}`,
        `${most}`,
        mean.toFixed(1),
      ]),
    ),
  );
}
