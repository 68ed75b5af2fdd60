/** Checks for every instant at which upkeep may die. */
import { basename } from 'node:path';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { inProcess } from '../support/in_process.ts';
import type { Sandbox } from '../support/sandbox.ts';

/** So many fault points the real program may be off what was counted. */
const SLACK = 2;
/** So many upkeeps are killed at a time. */
const LANES = 4;
/**
 * The suite's share: one of so many points, others in each run. `npm run storm` sets EVERY=1 and takes them all.
 */
const EVERY = Number(process.env['EVERY'] ?? 5);

/**
 * Checks fault points from `begin` to `end`, a few at a time: the first, the last, and every so many in between.
 *
 * @returns what each came to, in order.
 */
export async function atEachPoint<T>(
  { begin, end }: { readonly begin: number; readonly end: number },
  check: (point: number) => Promise<T>,
): Promise<T[]> {
  const first = Math.max(1, begin - SLACK);
  const last = end + SLACK;
  const offset = Math.floor(Math.random() * EVERY);
  const points = Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
    (point, index) => point === first || point === last || index % EVERY === offset,
  );
  console.log(`fault points ${points.join(' ')}`);
  const found: T[] = [];
  for (let at = 0; at < points.length; at += LANES) {
    found.push(...(await Promise.all(points.slice(at, at + LANES).map(check))));
  }
  return found;
}

/**
 * The upkeep that comes after one that has died. It is nobody's to kill, and may live in the test's own process: to start
 * another one would take most of the time.
 */
export function nextUpkeep({ dir, file, state }: Sandbox): Promise<Supervisor> {
  return inProcess(dir, basename(state), undefined, basename(file));
}
