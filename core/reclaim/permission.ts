/**
 * May a process be stopped? Its class decides; what the action allows counts for strangers only.
 */
import type { ActionSpec } from '../spec/mod.ts';
import type { Claim, PortClaim } from './claim.ts';
import type { KnownProcess } from './holder_class.ts';

/** Why a process may not be stopped (the rest of a sentence about it), and the safest thing to do about it. */
export interface Refusal {
  readonly because: string;
  readonly next: string;
}

/**
 * What keeps a holder of a claim from being stopped; null where it may be.
 *
 * @param address where the holder is bound, if the claim is a port.
 */
export function mayNotStopHolder(
  process: KnownProcess,
  claim: Claim,
  address: string | null,
  action: ActionSpec,
): Refusal | null {
  return byClass(process, () => {
    if (action.singleton) return null;
    if (action.kill_other === null) return noPermission('no kill_other or singleton');
    const covered =
      claim.kind === 'socket'
        ? action.kill_other.sockets.includes(claim.path)
        : action.kill_other.ports.some((granted) => covers(granted, claim, address));
    return covered ? null : noPermission('kill_other does not list it, and it is no singleton');
  });
}

/** The same for the process that a vetted PID file names: of PID files only `singleton` speaks. */
export function mayNotStopNamed(process: KnownProcess, action: ActionSpec): Refusal | null {
  return byClass(process, () => (action.singleton ? null : noPermission('it is no singleton')));
}

/** The same for a process that matches one of `kill_other.process_filters`: the filter itself is the permission. */
export function mayNotStopMatch(process: KnownProcess): Refusal | null {
  return byClass(process, () => null);
}

function byClass(process: KnownProcess, stranger: () => Refusal | null): Refusal | null {
  switch (process.class) {
    case 'own_earlier':
      return null;
    case 'foreign':
      return stranger();
    case 'managed':
      return {
        because: `which ${managedBy(process)}`,
        next: 'stop that job, or give one of the two another claim',
      };
    case 'protected':
      return {
        because: 'which is never stopped (it is init, the kernel, or upkeep itself or what started it)',
        next: 'free it by hand, or give the action another claim',
      };
    case 'unknown':
      return {
        because: 'and whose that is cannot be read',
        next: 'look at it as its owner or as root, and stop it by hand',
      };
  }
}

function noPermission(because: string): Refusal {
  return {
    because: `which upkeep may not stop: ${because}`,
    next: 'stop it by hand, or allow upkeep to (`kill_other: true` or `singleton: true`)',
  };
}

function managedBy({ job }: KnownProcess): string {
  if (job === null || job.name === null)
    return `another upkeep manages${job === null ? '' : ` (job ${job.job_id})`}`;
  return `is ${job.name.service}/${job.name.action}, another job of this upkeep`;
}

/** A permission without an address is for all of them; one with an address is for that claim, or who is bound there. */
function covers(granted: PortClaim, claim: PortClaim, bound: string | null): boolean {
  if (granted.kind !== claim.kind || granted.port !== claim.port) return false;
  return granted.address === null || granted.address === claim.address || granted.address === bound;
}
