/**
 * Proving a known holder again without a probe.
 */
import type { Host } from '../host/host.ts';
import type { Holder } from './claim.ts';

/**
 * Whether a holder that was found earlier still holds its claim, told by one look at the descriptor it was found by:
 * a socket's inode is its own as long as it is open.
 *
 * False may also mean that this look cannot tell (no descriptor was recorded, or the host shows none); then a probe
 * has to be asked. It says nothing of a Unix socket's path, which can be unlinked or taken over meanwhile.
 */
export function stillHolds(holder: Holder, host: Host): boolean {
  return holder.process !== null && holdsAsBefore(holder, host) && host.processes.isAlive(holder.process);
}

/**
 * The same for a process that cannot have ended without upkeep's having heard of it: whether its number is still its own
 * is not asked, which takes longer than the look itself.
 */
export function holdsAsBefore({ process, fd, inode }: Holder, host: Host): boolean {
  if (process === null || fd === null || inode === null) return false;
  return host.processes.descriptor(process.pid, fd) === `socket:[${inode}]`;
}
