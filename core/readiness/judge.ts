/**
 * Whose is a claim? Pure judgement over what a probe saw.
 */
import { type Claim, claimKey, type Holder } from '../reclaim/claim.ts';

/**
 * - `own`: held by the job's own tree.
 * - `inferred`: held by somebody who cannot be seen. Before the spawn the claim was free, so it counts as own.
 * - `other`: held, and by none of ours.
 * - `contested`: held by others that were seen; whether one of ours holds it too was out of sight.
 * - `free`: held by nobody.
 * - `unknown`: nobody was seen, but not everything could be.
 */
export type ClaimVerdict = 'own' | 'inferred' | 'other' | 'contested' | 'free' | 'unknown';

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
  if (holders.every((holder) => holder.process === null)) return 'inferred';
  return seen.complete ? 'other' : 'contested';
}

/** Whether a verdict is good enough. `own`: its own tree must hold it; `open`: somebody must. */
export function satisfies(verdict: ClaimVerdict, mode: 'own' | 'open'): boolean {
  if (verdict === 'own' || verdict === 'inferred') return true;
  return mode === 'open' && (verdict === 'other' || verdict === 'contested');
}

/** Whether a verdict proves that a job has lost the claim. Unknown proves nothing, and `contested` is unknown here. */
export function disproves(verdict: ClaimVerdict, mode: 'own' | 'open'): boolean {
  return verdict === 'free' || (mode === 'own' && verdict === 'other');
}
