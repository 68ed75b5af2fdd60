/**
 * What may be claimed only once: ports, and the paths of sockets and PID files.
 */
import { claimKey, type PortClaim } from '../reclaim/claim.ts';
import { absolutePath, socketsOf } from './action_checks.ts';
import { portsOverlap } from './address.ts';
import type { ActionDraft, Item } from './draft.ts';
import { type Fault, pathText, shown } from './issue.ts';

interface Claimed<T> extends Item<T> {
  readonly action: ActionDraft;
}

/** Claims that are in each other's way, among all actions of a file. Told at the later of the two. */
export function claimFaults(actions: readonly ActionDraft[], folder: string): Fault[] {
  return [...portFaults(actions), ...pathFaults(actions, folder)];
}

function portFaults(actions: readonly ActionDraft[]): Fault[] {
  const claimed = new Map<string, Claimed<PortClaim>[]>();
  return actions.flatMap((action) =>
    [...action.items('tcp_ports'), ...action.items('udp_ports')].flatMap((item): Fault[] => {
      const group = `${item.value.kind}:${item.value.port}`;
      const others = claimed.get(group) ?? [];
      claimed.set(group, [...others, { ...item, action }]);
      const other = others.find((earlier) => inTheWay(earlier, { ...item, action }));
      if (other === undefined) return [];
      return [claimedTwice(item, claimKey(item.value), other, claimKey(other.value))];
    }),
  );
}

/** An action may well have a port on every address and, apart from that, on one of them. */
function inTheWay(earlier: Claimed<PortClaim>, later: Claimed<PortClaim>): boolean {
  return earlier.action === later.action
    ? claimKey(earlier.value) === claimKey(later.value)
    : portsOverlap(earlier.value, later.value);
}

function pathFaults(actions: readonly ActionDraft[], folder: string): Fault[] {
  const claimed = new Map<string, Item<string>>();
  return actions.flatMap((action) =>
    [...socketsOf(action, folder), ...pidFileOf(action, folder)].flatMap((item): Fault[] => {
      const other = claimed.get(item.value);
      if (other !== undefined) return [claimedTwice(item, shown(item.path, item.value), other, 'it')];
      claimed.set(item.value, item);
      return [];
    }),
  );
}

function pidFileOf(action: ActionDraft, folder: string): Item<string>[] {
  const written = action.get('pid_file');
  const value = written === undefined ? null : absolutePath(action, written, folder);
  return value === null ? [] : [{ value, path: [...action.path, 'pid_file'] }];
}

function claimedTwice(item: Item<unknown>, value: string, other: Item<unknown>, what: string): Fault {
  const message = `must be claimed only once: ${pathText(other.path)} claims ${what} too`;
  return { path: item.path, rule: 'claimed_once', message, value };
}
