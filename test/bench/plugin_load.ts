/**
 * What plugins of others cost the supervisor: its own memory, and the restarts of services that have nothing to do
 * with them; without plugins, with three that behave, and with ones that do not.
 *
 * The variants take turns, so that whatever else the machine does hits all alike. Hostile plugins are quarantined after
 * a while; the kills begin before that.
 *
 * ROUNDS=5 (starts of each variant), KILLS=40 (of its one service, in each), UPTIME_MS=60 (before each kill),
 * SETTLE_MS=3000 (until memory is read)
 */
import { join } from 'node:path';
import { type UpkeepOptions, upkeep } from './peers/upkeep.ts';
import { type Bench, PACKAGE } from './support/bench.ts';
import { monotonic } from './support/clock.ts';
import { present } from './support/present.ts';
import { executableOf, memoryOf, supervisorsOf } from './support/processes.ts';
import { setting } from './support/settings.ts';
import { Stamps } from './support/stamps.ts';
import { median, quantile } from './support/statistics.ts';
import { formatTable, megabytes, ms } from './support/table.ts';

/** How long anything may take, in ms. */
const GIVE_UP = 60_000;

const plugin = (name: string, allow: object = {}): Readonly<Record<string, unknown>> => ({
  path: join(PACKAGE, 'test/fixtures/plugins', name),
  allow,
});

const VARIANTS: readonly UpkeepOptions[] = [
  { name: 'no plugins' },
  {
    name: 'three plugins',
    plugins: [plugin('health_queue.ts'), plugin('probe_folder', { run: ['ss'] }), plugin('rotate_half.ts')],
    logs: { rotate: [{ type: 'restart' }, { type: 'half', size: 10_000_000 }] },
  },
  {
    name: 'hostile plugins',
    plugins: [plugin('hostile_spin.ts'), plugin('hostile_start.ts'), plugin('hostile_gush.ts')],
    logs: { rotate: [{ type: 'restart' }, { type: 'spin' }, { type: 'gush' }] },
  },
];

interface Figures {
  readonly name: string;
  /** Bytes, one a round. */
  readonly memory: number[];
  /** ns, one a kill. */
  readonly latencies: number[];
}

interface Settings {
  readonly kills: number;
  readonly uptime: number;
  readonly settle: number;
}

async function measure(
  bench: Bench,
  options: UpkeepOptions,
  figures: Figures,
  settings: Settings,
): Promise<void> {
  const peer = upkeep({ ...options, restart: { policy: 'always', delay: '0ms', stable_after: '20ms' } });
  const place = bench.place(figures.name);
  const stamps = new Stamps(join(place.dir, 'stamps'));
  const argv = [bench.worker, 'a', stamps.path];
  const service = { name: 'a', argv, port: null, socket: null, output: join(place.dir, 'out/a.log') };
  const handle = await peer.start([service], place);
  try {
    const started =
      (count: number): (() => boolean) =>
      () =>
        stamps.read().length >= count;
    if (!(await bench.until(started(1), GIVE_UP))) throw new Error('the service did not start');
    for (let kill = 1; kill <= settings.kills; kill += 1) {
      await bench.pause(settings.uptime);
      const pid = stamps.read().at(-1)?.pid ?? 0;
      if (executableOf(pid) !== bench.worker) throw new Error('the service was lost');
      const killedAt = monotonic();
      process.kill(pid, 'SIGKILL');
      if (!(await bench.until(started(kill + 1), GIVE_UP, 1)))
        throw new Error('the service did not come back');
      figures.latencies.push((stamps.read()[kill]?.at ?? Number.NaN) - killedAt);
    }
    await bench.pause(settings.settle);
    figures.memory.push(memoryOf(supervisorsOf(place.dir, place.worker)).rss);
  } finally {
    await bench.leave(place, handle);
  }
}

/** Measures, and prints a table. */
export async function pluginLoad(bench: Bench): Promise<void> {
  const rounds = setting('ROUNDS', 5);
  const kills = setting('KILLS', 40);
  const uptime = setting('UPTIME_MS', 60);
  const settle = setting('SETTLE_MS', 3_000);
  if ((await present([upkeep()])).length === 0) return;
  const all = VARIANTS.map((options): { options: UpkeepOptions; figures: Figures } => ({
    options,
    figures: { name: options.name ?? '', memory: [], latencies: [] },
  }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { options, figures } of all) {
      await bench.attempt(figures.name, () => measure(bench, options, figures, { kills, uptime, settle }));
    }
  }
  const floor = median(all[0]?.figures.memory ?? []);
  console.log(
    `\nthe supervisor's own memory (MB, of ${rounds} starts) and SIGKILL to replacement (ms, of ${kills * rounds})`,
  );
  console.log(
    formatTable(
      ['', 'RSS', 'more', 'p50', 'p99', 'max'],
      all.map(({ figures: { name, memory, latencies } }) => [
        name,
        megabytes(median(memory)),
        megabytes(median(memory) - floor),
        ...[0.5, 0.99, 1].map((q) => ms(quantile(latencies, q))),
      ]),
    ),
  );
}
