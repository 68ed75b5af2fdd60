/**
 * What an action claims, all kinds together.
 */
import type { Claim } from '../reclaim/claim.ts';
import type { ActionSpec } from './spec.ts';

/** The ports and sockets that an action owns while it runs. Its PID file is no claim: nobody can hold it. */
export function claimsOf(action: Pick<ActionSpec, 'sockets' | 'tcp_ports' | 'udp_ports'>): Claim[] {
  const sockets = action.sockets.map((path): Claim => ({ kind: 'socket', path }));
  return [...action.tcp_ports, ...action.udp_ports, ...sockets];
}
