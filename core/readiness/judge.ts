/**
 * Whose is a claim? Pure judgement over what a probe saw.
 */
import { type Claim, claimKey, type Holder } from '../reclaim/claim.ts';

/**
 * - `own`: held by the job's own tree.
 * - `inferred`: held by somebody who cannot be seen. Before the spawn the claim was free, so it counts as own.
 * - `other`: held, and by none of ours.
 * - `free`: held by nobody.
 * - `unknown`: nobody was seen, but not everything could be.
 */
export type ClaimVerdict = 'own' | 'inferred' | 'other' | 'free' | 'unknown';

/** Judges one claim. `isOwn` says whether a process is of the job's tree. */
export function judgeClaim(
  claim: Claim,
  seen: { readonly holders: readonly Holder[]; readonly complete: boolean },
  isOwn: (pid: number) => boolean,
): ClaimVerdict {
  const key = claimKey(claim);
  const holders = seen.holders.filter((holder) => claimKey(holder.claim) === key);
  if (holders.length === 0) return seen.complete ? 'free' : 'unknown';
  if (holders.some((holder) => holder.process !== null && isOwn(holder.process.pid))) return 'own';
  // A holder that was seen and is not ours outweighs one that could not be seen.
  return holders.some((holder) => holder.process !== null) ? 'other' : 'inferred';
}

/** Whether a verdict is good enough. `own`: its own tree must hold it; `open`: somebody must. */
export function satisfies(verdict: ClaimVerdict, mode: 'own' | 'open'): boolean {
  return verdict === 'own' || verdict === 'inferred' || (mode === 'open' && verdict === 'other');
}
