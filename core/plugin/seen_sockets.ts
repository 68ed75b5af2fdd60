/**
 * What the probes that read another program's tables have in common: from the sockets that a table shows to holders.
 */
import type { Claim, SocketClaim } from '../reclaim/claim.ts';
import { claimKey } from '../reclaim/claim.ts';
import type { ClaimIndex } from './claim_index.ts';
import type { PluginContext } from './context.ts';
import type { FoundHolder, HoldersFound } from './definition.ts';

/** A socket that is in the way of some claims, as a table shows it. */
export interface SeenSocket {
  readonly claims: readonly Claim[];
  /** What it is bound to, where that is a port. */
  readonly address: string | null;
  readonly inode: string | null;
  /** Who has it open; empty where the table does not say. */
  readonly users: readonly { readonly pid: number; readonly fd: number | null }[];
}

/** The claims of a path in a table. `sure` false: it may be another way to a claim's file, and nobody can tell. */
export interface PathClaims {
  readonly claims: readonly SocketClaim[];
  readonly sure: boolean;
}

/**
 * The claims of a path as a table shows it: absolute, `@name`, or relative to a folder that no table names.
 *
 * Needs `read` only for files that are called as a claim is and lie elsewhere (`/var/run` may be a symlink to `/run`).
 */
export async function claimsOfPath(path: string, index: ClaimIndex, ctx: PluginContext): Promise<PathClaims> {
  const near = index.ofName(path);
  if (path.startsWith('@')) return { claims: index.ofPath(path, () => false), sure: true };
  if (near.length === 0) return { claims: [], sure: true };
  if (!path.startsWith('/')) return { claims: [], sure: false };
  const claims: SocketClaim[] = [];
  let sure = true;
  for (const claim of near) {
    const same = claim.path === path || (await isSameFile(claim.path, path, ctx));
    if (same === null) sure = false;
    else if (same) claims.push(claim);
  }
  return { claims, sure };
}

/** Null where that cannot be told. */
async function isSameFile(one: string, other: string, ctx: PluginContext): Promise<boolean | null> {
  try {
    const [a, b] = [await ctx.stat(one), await ctx.stat(other)];
    if (a === null || b === null) return false;
    return a.id === undefined || b.id === undefined ? null : a.id === b.id;
  } catch (error) {
    // Gone between two looks, or not ours to look at.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? false : null;
  }
}

/**
 * The answer: a holder for each claim and process, and one without a process for each socket that nobody was named for.
 *
 * @param sawAll whether the table showed every socket. It is complete if it named somebody for each that is in the way,
 *   too: who has one without a name may be the kernel, or a process that may not be looked into.
 */
export function holdersOf(sockets: readonly SeenSocket[], sawAll: boolean): HoldersFound {
  const holders = new Map<string, FoundHolder>();
  let complete = sawAll;
  for (const { claims, address, inode, users } of sockets) {
    if (users.length === 0) complete = false;
    for (const claim of claims) {
      for (const { pid, fd } of users.length === 0 ? [{ pid: null, fd: null }] : users) {
        const key = `${pid ?? `socket ${inode}`} ${claimKey(claim)}`;
        if (!holders.has(key)) holders.set(key, { claim, pid, address, fd, inode });
      }
    }
  }
  return { holders: [...holders.values()], complete };
}
