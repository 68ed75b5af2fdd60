import type { Bench } from './bench.ts';
import { monotonic } from './clock.ts';
import { executableOf } from './processes.ts';
import type { Stamps } from './stamps.ts';

/** How long a service may take to come back, in ms. */
const GIVE_UP = 30_000;

/**
 * Kills a service and waits for it to be back: ns from SIGKILL to the first instruction of the replacement.
 *
 * @throws Error where it does not run, or does not come back.
 */
export async function restartTime(bench: Bench, stamps: Stamps, name: string): Promise<number> {
  const before = stamps.read();
  const count = before.length;
  const pid = before.findLast((stamp) => stamp.name === name)?.pid ?? 0;
  if (executableOf(pid) !== bench.worker) throw new Error(`${name} was lost`);
  const replacement = () => stamps.read().find((stamp, n) => n >= count && stamp.name === name);
  const killedAt = monotonic();
  process.kill(pid, 'SIGKILL');
  if (!(await bench.until(() => replacement() !== undefined, GIVE_UP, 2)))
    throw new Error(`${name} did not come back`);
  return (replacement()?.at ?? Number.NaN) - killedAt;
}
