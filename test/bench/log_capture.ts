/**
 * A program that writes numbered lines of 100 bytes as fast as it can: by itself into a file, and under supervisors
 * that capture its output. How fast it gets rid of them, what that costs the supervisor, and whether every line is
 * there afterwards.
 *
 * The worker stamps its own begin and end; its processor time stands beside that. The supervisor's is counted from
 * before the first line until its files have not changed for a second.
 *
 * LINES=1000000, LINES_PER_WRITE=1 (40: as a program does that fills a buffer first), ROUNDS=5, PEERS=…
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';
import { bareNode } from './peers/bare_node.ts';
import { pm2 } from './peers/pm2.ts';
import { supervisord } from './peers/supervisord.ts';
import { upkeep } from './peers/upkeep.ts';
import type { Bench } from './support/bench.ts';
import { monotonic } from './support/clock.ts';
import { countLines, filesBelow, LINE, type LineCount } from './support/line_count.ts';
import { present, rotated } from './support/present.ts';
import { cpuBetween, cpuOf, executableOf, killAll, supervisorsOf } from './support/processes.ts';
import { setting } from './support/settings.ts';
import { Stamps } from './support/stamps.ts';
import { median, quantile } from './support/statistics.ts';
import { formatTable, ratio } from './support/table.ts';

const ROTATE_AT = 10 * 2 ** 20;
/** How long the lines may take, in ms. */
const GIVE_UP = 300_000;

/** The program with nobody above it: what the others are compared with. */
const ALONE: Peer = {
  name: 'by itself',
  async available() {
    return null;
  },
  async start([service], place) {
    if (service === undefined) throw new RangeError('Cannot start no service');
    const [command = '', ...args] = service.argv;
    const output = openSync(service.output, 'a');
    const startedAt = monotonic();
    const child = spawn(command, args, { env: place.env, detached: true, stdio: ['ignore', output, output] });
    closeSync(output);
    await once(child, 'spawn');
    return { startedAt, logs: join(place.dir, 'out'), stop: () => killAll(place.dir, place.worker) };
  },
};

/** What one run showed. */
interface Result extends LineCount {
  /** MB (10⁶ bytes) a second, as the program saw it. */
  readonly rate: number;
  /** Seconds of processor time of the program: what is left of its speed on a machine that is busy otherwise. */
  readonly writerCpu: number;
  /** Seconds of processor time of the supervisor. */
  readonly cpu: number;
}

/** The names and sizes of all files, to see when nothing changes any more. */
function fingerprint(dir: string): string {
  return filesBelow(dir)
    .map((path) => `${path} ${statSync(path, { throwIfNoEntry: false })?.size}`)
    .sort()
    .join('\n');
}

async function untilQuiet(bench: Bench, dir: string): Promise<void> {
  let last = '';
  let since = performance.now();
  const quiet = (): boolean => {
    const now = fingerprint(dir);
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since >= 1000;
  };
  if (!(await bench.until(quiet, GIVE_UP, 100))) throw new Error(`${dir} did not come to rest`);
}

async function one(bench: Bench, peer: Peer, lines: number, perWrite: number): Promise<Result> {
  const place = bench.place(peer.name);
  const stamps = new Stamps(join(place.dir, 'stamps'));
  const argv = [bench.worker, 'a', stamps.path, '-l', `${lines}`, '-w', `${perWrite}`];
  const output = join(place.dir, 'out/a.log');
  const handle = await peer.start([{ name: 'a', argv, port: null, socket: null, output }], place);
  try {
    const at = (name: string): number | undefined => stamps.read().find((stamp) => stamp.name === name)?.at;
    if (!(await bench.until(() => at('a') !== undefined, GIVE_UP)))
      throw new Error(`${peer.name} did not start it`);
    await bench.pause(2000);
    const pid = stamps.read()[0]?.pid ?? 0;
    if (executableOf(pid) !== bench.worker) throw new Error(`${peer.name} lost its worker`);
    const before = cpuOf(supervisorsOf(place.dir, place.worker));
    process.kill(pid, 'SIGUSR1');
    if (!(await bench.until(() => at('a.end') !== undefined, GIVE_UP)))
      throw new Error(`${peer.name} did not end`);
    const writerCpu = cpuBetween(new Map(), cpuOf([pid]));
    await untilQuiet(bench, handle.logs);
    const cpu = cpuBetween(before, cpuOf(supervisorsOf(place.dir, place.worker)));
    const seconds = ((at('a.end') ?? 0) - (at('a.begin') ?? 0)) / 1e9;
    return { rate: (lines * LINE) / 1e6 / seconds, writerCpu, cpu, ...countLines(handle.logs, lines) };
  } finally {
    await bench.leave(place, handle);
  }
}

function report(results: ReadonlyMap<Peer, readonly Result[]>): void {
  const rates = (peer: Peer): number[] => (results.get(peer) ?? []).map((result) => result.rate);
  console.log(
    formatTable(
      [
        '',
        'MB/s',
        'best',
        'MB/s / alone',
        'best / alone',
        'its CPU, s',
        'supervisor CPU, s',
        'files',
        'lost',
        'twice',
        'broken',
      ],
      [...results].map(([peer, runs]) => {
        const sum = (field: 'lost' | 'twice' | 'broken'): string =>
          `${runs.reduce((total, run) => total + run[field], 0)}`;
        return [
          peer.name,
          median(rates(peer)).toFixed(0),
          quantile(rates(peer), 1).toFixed(0),
          ratio(median(rates(peer)), median(rates(ALONE))),
          ratio(quantile(rates(peer), 1), quantile(rates(ALONE), 1)),
          median(runs.map((run) => run.writerCpu)).toFixed(2),
          median(runs.map((run) => run.cpu)).toFixed(2),
          `${median(runs.map((run) => run.files))}`,
          sum('lost'),
          sum('twice'),
          sum('broken'),
        ];
      }),
    ),
  );
}

/** Measures, and prints a table. */
export async function logCapture(bench: Bench): Promise<void> {
  const lines = setting('LINES', 1_000_000);
  const perWrite = setting('LINES_PER_WRITE', 1);
  const rounds = setting('ROUNDS', 5);
  const kept = { keep: 10_000, max_total: '100GiB' };
  const rotate = [{ type: 'size', max: '10MiB' }];
  const peers = await present([
    ALONE,
    bareNode,
    upkeep({ name: 'upkeep, no rotation', logs: { ...kept, rotate: [] } }),
    upkeep({ name: 'upkeep, 10 MiB', logs: { ...kept, rotate, compress: 'none' } }),
    upkeep({ name: 'upkeep, 10 MiB, gzip', logs: { ...kept, rotate, compress: 'gzip' } }),
    supervisord(),
    supervisord({ name: 'supervisord, 10 MiB', rotateAt: ROTATE_AT }),
    pm2(bench),
  ]);
  const results = new Map<Peer, Result[]>(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of rotated(peers, round)) {
      const result = await bench.attempt(peer.name, () => one(bench, peer, lines, perWrite));
      if (result === null) continue;
      console.error(
        `round ${round + 1}: ${peer.name}: ${result.rate.toFixed(0)} MB/s, ${result.lost} lines lost`,
      );
      results.get(peer)?.push(result);
    }
  }
  console.log(
    `\n${lines} lines of ${LINE} bytes, ${perWrite} a write; ${rounds} rounds; lines summed over all`,
  );
  report(results);
}
