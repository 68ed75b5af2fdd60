/**
 * Asking the probes who holds claims: the first that is there and sees everything, else the one that saw the most.
 */
import type { Clock } from '../host/host.ts';
import type { Probe, ProbeAnswer, ProbeQuery } from '../plugin/probe.ts';
import type { Claim } from './claim.ts';
import type { ReclaimWorld } from './target.ts';

/** An answer, and whose it is. `probe` null: none was there, or none answered; then `complete` is false. */
export interface HolderAnswer extends ProbeAnswer {
  readonly probe: string | null;
}

/** How long one probe may take before the next is asked, in ms. */
export const PROBE_DEADLINE = 5_000;

const NOBODY_ASKED: HolderAnswer = { holders: [], complete: false, probe: null };

/**
 * Asks the probes in order of preference. One that throws, or does not answer within {@link PROBE_DEADLINE}, is as
 * good as not there: a broken probe must never be what keeps a service down.
 *
 * @example
 * ```ts
 * const { holders, complete } = await lookUpHolders([claim], world, { suspects: [], exhaustive: true });
 * ```
 */
export async function lookUpHolders(
  claims: readonly Claim[],
  { host, probes }: Pick<ReclaimWorld, 'host' | 'probes'>,
  options: Pick<ProbeQuery, 'suspects' | 'exhaustive'>,
): Promise<HolderAnswer> {
  if (claims.length === 0) return { holders: [], complete: true, probe: null };
  let best = NOBODY_ASKED;
  for (const probe of probes) {
    const answer = await withinDeadline(host.clock, ask(probe, { claims, ...options }, host));
    if (answer === null) continue;
    if (answer.complete) return answer;
    if (best.probe === null || named(answer) > named(best)) best = answer;
  }
  return best;
}

async function ask(
  probe: Probe,
  query: ProbeQuery,
  host: ReclaimWorld['host'],
): Promise<HolderAnswer | null> {
  try {
    if (!(await probe.available(host))) return null;
    const { holders, complete } = await probe.holders(query, host);
    return { holders, complete, probe: probe.name };
  } catch {
    return null;
  }
}

function named(answer: ProbeAnswer): number {
  return answer.holders.filter((holder) => holder.process !== null).length;
}

function withinDeadline<T>(clock: Clock, work: Promise<T>): Promise<T | null> {
  return new Promise((resolve) => {
    const cancel = clock.timer(PROBE_DEADLINE, () => resolve(null));
    void work.then((value) => {
      cancel();
      resolve(value);
    });
  });
}
