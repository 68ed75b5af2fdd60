/**
 * The measures, side by side in one run each.
 *
 *   npm run bench -- restart_latency | start_up | log_capture | health_load | who_holds | plugin_load |
 *     list_services | followers
 *
 * Each takes settings from the environment; they stand at the head of its file. Build upkeep first (npm run build);
 * peers that are not installed are named and left out.
 */
import { followers } from './followers.ts';
import { healthLoad } from './health_load.ts';
import { listServices } from './list_services.ts';
import { logCapture } from './log_capture.ts';
import { pluginLoad } from './plugin_load.ts';
import { restartLatency } from './restart_latency.ts';
import { startUp } from './start_up.ts';
import { withBench } from './support/bench.ts';
import { machineLine } from './support/machine.ts';
import { whoHolds } from './who_holds.ts';

const MEASURES = new Map([
  ['restart_latency', restartLatency],
  ['start_up', startUp],
  ['log_capture', logCapture],
  ['health_load', healthLoad],
  ['who_holds', whoHolds],
  ['plugin_load', pluginLoad],
  ['list_services', listServices],
  ['followers', followers],
]);

const names = process.argv.slice(2);
const measures = names.map((name) => MEASURES.get(name));
if (names.length === 0 || measures.includes(undefined)) {
  console.error(`usage: npm run bench -- ${[...MEASURES.keys()].join(' | ')}`);
  process.exitCode = 2;
} else {
  console.log(machineLine());
  await withBench(async (bench) => {
    for (const measure of measures) await measure?.(bench);
  });
}
