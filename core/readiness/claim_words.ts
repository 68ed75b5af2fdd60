/**
 * What is told of claims that a job does not hold, or of which nobody can see who holds them.
 */
import { type Reason, reason } from '../job/reason.ts';
import { type Claim, claimKey } from '../reclaim/claim.ts';
import type { ClaimVerdict } from './judge.ts';

/** A claim, and what a look has said of it. */
export type JudgedClaim = readonly [Claim, ClaimVerdict];

/** The job is ready, and holds these claims as far as one can tell. */
export function heldUnseen(claims: readonly Claim[]): Reason {
  const keys = claims.map(claimKey);
  const message = `held by a process that cannot be seen: ${keys.join(', ')}`;
  return reason('PROBE_UNAVAILABLE', message, { claims: keys, confidence: 'inferred' });
}

/** The job counts as ready though no look could say who holds these claims. */
export function unseen(claims: readonly Claim[]): Reason {
  const keys = claims.map(claimKey);
  const message = `no probe could see who holds ${keys.join(', ')}`;
  return reason('PROBE_UNAVAILABLE', message, { claims: keys, confidence: 'inferred' });
}

/** The job did not hold these claims before its deadline. */
export function notReady(missing: readonly JudgedClaim[]): Reason {
  const claims = inEvidence(missing);
  const names = claims.map(
    ({ claim, verdict }) => `${claim} (${isOthers(verdict) ? 'held by another' : verdict})`,
  );
  return reason('NOT_READY', `did not hold in time: ${names.join(', ')}`, { claims });
}

/** The job runs and has lost these claims. */
export function claimLost(lost: readonly JudgedClaim[]): Reason {
  const claims = inEvidence(lost);
  const names = claims.map(({ claim, verdict }) =>
    verdict === 'free' ? claim : `${claim} (held by another)`,
  );
  return reason('CLAIM_LOST', `no longer holds ${names.join(', ')}`, { claims });
}

function inEvidence(judged: readonly JudgedClaim[]): { claim: string; verdict: ClaimVerdict }[] {
  return judged.map(([claim, verdict]) => ({ claim: claimKey(claim), verdict }));
}

function isOthers(verdict: ClaimVerdict): boolean {
  return verdict === 'other' || verdict === 'contested';
}
