/**
 * Vetting: is the process that a PID file names the one that the file was written for? A pid is handed out again, so
 * the file alone proves nothing.
 */
import type { KnownProcess } from './holder_class.ts';
import type { NamingPidFile, ObservedClaim } from './observations.ts';

/**
 * How much later than its PID file a process may seem to have started and still be the one that it names, in ms. Its
 * start is known by today's clock (to a second on some systems), the file's time by the clock of then.
 */
export const CLOCK_TOLERANCE = 10_000;

/**
 * `vetted`: it is of this job, or it was there when the file was written and has the program's executable and whole
 * argument vector, or one of the claims. `unsure`: it may hold a claim whose holders cannot be seen.
 */
export function vet(
  file: NamingPidFile,
  process: KnownProcess,
  claims: readonly ObservedClaim[],
): 'vetted' | 'stranger' | 'unsure' {
  // Its identity or its marker proves it, whatever the clock has done since.
  if (process.class === 'own_earlier') return 'vetted';
  if (file.started_ms > file.written_ms + CLOCK_TOLERANCE) return 'stranger';
  if (file.runs_action) return 'vetted';
  const own = claims.filter((claim) => claim.own);
  if (own.some((claim) => claim.state === 'held' && holds(claim.holders, file.pid))) return 'vetted';
  return own.some(outOfSight) ? 'unsure' : 'stranger';
}

function holds(holders: readonly { readonly process: KnownProcess | null }[], pid: number): boolean {
  return holders.some(({ process }) => process?.identity.pid === pid);
}

function outOfSight(claim: ObservedClaim): boolean {
  if (claim.state === 'held') return claim.holders.every(({ process }) => process === null);
  return claim.state === 'unclear';
}
