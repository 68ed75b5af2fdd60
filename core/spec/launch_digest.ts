/**
 * What of an action decides what runs, as one short text: it tells a process that is as the service file says from one
 * that was started before the file was changed.
 */
import { createHash } from 'node:crypto';
import type { ActionSpec } from './spec.ts';

/** Enough that two actions never share one by chance, in hex digits. */
const LENGTH = 16;

/**
 * The digest of everything in an action that a process has to be started anew for: the program, its surroundings, what
 * it owns and how it is looked at. What upkeep itself only reads when the time comes is left out (`after`,
 * `singleton`, `kill_other`, `ready.timeout`, `restart`, `stop`, `recovery`, `logs`): a change of it holds without a
 * restart.
 *
 * @example
 * ```ts
 * launchDigest(before) === launchDigest({ ...before, logs }); // true
 * ```
 */
export function launchDigest(action: ActionSpec): string {
  const { process, run, cwd, env, env_file, pid_file, sockets, tcp_ports, udp_ports, ready, health } = action;
  const launch = { process, run, cwd, env, env_file, pid_file, sockets, tcp_ports, udp_ports, health };
  // What is not used is left out: a field that a later version adds must not restart what does not use it.
  const used = Object.entries({ ...launch, claims: ready.claims }).filter(([, value]) => !isUnused(value));
  const text = JSON.stringify(Object.fromEntries(used), sorted);
  return createHash('sha256').update(text).digest('hex').slice(0, LENGTH);
}

function isUnused(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** In which order a file names its keys means nothing. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
