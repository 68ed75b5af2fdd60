/**
 * Stopping one process: a signal, a grace time, SIGKILL. "Asked to stop" is never "stopped".
 */
import type { Clock, Host } from '../host/host.ts';
import type { Identity } from '../process/identity.ts';

/**
 * - `stopped`: it was signalled and is gone.
 * - `gone`: it had left by itself.
 * - `survived`: it is there, {@link KILL_WAIT} ms after SIGKILL.
 * - `denied`: the kernel does not let upkeep signal it.
 * - `aborted`: nobody wants to know any more.
 */
export type StopOutcome = 'stopped' | 'gone' | 'survived' | 'denied' | 'aborted';

/** How long the end by SIGKILL may take, in ms. */
export const KILL_WAIT = 2_000;

const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 50;

/**
 * Stops a process. The host reads its identity again right before each signal, so a pid that was handed out anew
 * meanwhile is never hit.
 *
 * @param grace ms between the first signal and SIGKILL.
 */
export async function stopProcess(
  identity: Identity,
  { signal, grace, abort }: { signal: NodeJS.Signals; grace: number; abort: AbortSignal },
  { processes, clock }: Pick<Host, 'processes' | 'clock'>,
): Promise<StopOutcome> {
  const isGone = (): boolean => !processes.isAlive(identity);
  if (abort.aborted) return 'aborted';
  const first = processes.signal(identity, signal);
  if (first !== 'sent') return first;
  if (await comesTrue(isGone, grace, clock, abort)) return 'stopped';
  if (abort.aborted) return 'aborted';
  const last = processes.signal(identity, 'SIGKILL');
  if (last !== 'sent') return last === 'gone' ? 'stopped' : last;
  if (await comesTrue(isGone, KILL_WAIT, clock, abort)) return 'stopped';
  return abort.aborted ? 'aborted' : 'survived';
}

/** Asks again and again, in growing pauses; false once `limit` ms have gone by, or soon after an abort. */
async function comesTrue(
  ask: () => boolean,
  limit: number,
  clock: Clock,
  abort: AbortSignal,
): Promise<boolean> {
  const until = clock.mono() + limit;
  for (let pause = FIRST_PAUSE; !ask(); pause = Math.min(pause * 1.5, LONGEST_PAUSE)) {
    const left = until - clock.mono();
    if (abort.aborted || left <= 0) return false;
    await new Promise<void>((resolve) => clock.timer(Math.min(pause, left), resolve));
  }
  return true;
}
