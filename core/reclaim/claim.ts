/**
 * Claims (what an action owns) and holders (who has it now): the words that reclaim, readiness and probes share.
 */
import type { Identity } from '../process/identity.ts';

/** A TCP or UDP port. `address` null means every address. */
export interface PortClaim {
  readonly kind: 'tcp' | 'udp';
  /** An IPv4 or IPv6 address in its canonical text, or null for every address. */
  readonly address: string | null;
  readonly port: number;
}

/** A Unix socket: an absolute path, or `@name` for an abstract one. */
export interface SocketClaim {
  readonly kind: 'socket';
  readonly path: string;
}

/** Something an action owns while it runs, and that a stranger can hold. */
export type Claim = PortClaim | SocketClaim;

/** One spelling for each claim: `tcp:8080`, `tcp:127.0.0.1:9090`, `udp:[::1]:53`, `socket:/run/a.sock`. */
export function claimKey(claim: Claim): string {
  if (claim.kind === 'socket') return `socket:${claim.path}`;
  if (claim.address === null) return `${claim.kind}:${claim.port}`;
  const host = claim.address.includes(':') ? `[${claim.address}]` : claim.address;
  return `${claim.kind}:${host}:${claim.port}`;
}

/**
 * A process that holds a claim. `process` null: somebody holds it and cannot be seen (another user's process, or
 * the kernel itself).
 */
export interface Holder {
  readonly claim: Claim;
  readonly process: Identity | null;
  /** The address it is bound to, where it is a port. */
  readonly address: string | null;
  /** The command line, for messages and evidence; empty where it cannot be read. */
  readonly command: string;
  /** Where in the process: lets a later look prove it again with one read. */
  readonly fd: number | null;
  /** The socket's inode; the same number in two processes is one shared socket. */
  readonly inode: string | null;
}
