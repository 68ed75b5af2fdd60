/**
 * Telling a Unix socket's listener from its connections.
 */
import type { Claim } from '../reclaim/claim.ts';

/** A Unix socket that was found at the path of some claims. */
export interface FoundAtPath {
  readonly claims: readonly Claim[];
  /** It is one end of a connection. */
  readonly connected: boolean;
}

/**
 * Leaves out the connections of a path that a socket of another kind is bound to.
 *
 * An accepted socket shows its listener's path, and comes and goes. It tells who has the path only where the listener
 * itself is gone.
 */
export function withoutConnections<T extends FoundAtPath>(found: readonly T[]): T[] {
  const bound = new Set(found.filter(({ connected }) => !connected).flatMap(({ claims }) => claims));
  return found.filter(({ claims, connected }) => !connected || !claims.some((claim) => bound.has(claim)));
}
