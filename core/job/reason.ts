/**
 * Why a job is where it is: the closed list of reason codes and the record that carries one.
 */

/** Every reason code upkeep can give. New codes are added to this list, never beside it. */
export const REASON_CODES = [
  'EXITED',
  'SIGNALED',
  'OOM_KILLED',
  'SPAWN_FAILED',
  'COMMAND_NOT_FOUND',
  'NOT_READY',
  'CLAIM_LOST',
  'PORT_HELD',
  'SOCKET_HELD',
  'SOCKET_NOT_A_SOCKET',
  'PIDFILE_REUSED',
  'UNHEALTHY',
  'DEPENDENCY_WAIT',
  'DEPENDENCY_FAILED',
  'STOP_TIMEOUT',
  'SURVIVORS',
  'ADOPTED',
  'EXIT_UNKNOWN',
  'LOG_LOSSY',
  'LOG_TRUNCATED',
  'REQUESTED',
  'REBOOTED',
  'PROBE_UNAVAILABLE',
  'STORE_DEGRADED',
  'GAVE_UP',
  'WANTED_DOWN',
  // Added to the design's list:
  /** A stop or a start whose outcome was never recorded, because upkeep itself died in between. */
  'INTERRUPTED',
  /** upkeep stopped the job because the supervisor itself was going down; `wanted` is untouched. */
  'SHUTDOWN',
  /** The PID file names a live instance of the program that may not be stopped. */
  'PIDFILE_HELD',
  /** The PID file could not be written; nothing depends on it. */
  'PIDFILE_UNWRITABLE',
  /** A holder or a leftover of an earlier incarnation was stopped, or a stale file removed. */
  'RECLAIMED',
  /** Rotation, compression or the bounds of a job's log could not be seen to: the disk is full, say. Lines are not lost. */
  'LOG_DEGRADED',
  /** A rule of `notify` could not tell somebody of events; some may be lost. */
  'NOTIFY_DEGRADED',
  /** The service file changed what this action is, so it was started again. */
  'SPEC_CHANGED',
  /** It holds all of its claims, and its startup and readiness checks have passed. */
  'READY',
  /** A check that had found it unhealthy passes again. */
  'HEALTHY',
  /** A health check could not look, or can again: nothing follows from that. */
  'CHECK_UNAVAILABLE',
  /** Two probes tell different things about who holds a claim. */
  'PROBE_DISAGREEMENT',
  /** A plugin in a process of its own did not answer, crashed, flooded or said nonsense; or it cannot be loaded. */
  'PLUGIN_FAILED',
  /** A plugin failed too often in a row: it is left alone until the service file is read again. */
  'PLUGIN_QUARANTINED',
  /** What a plugin asks for and is not granted, and what Node cannot keep it from. */
  'PLUGIN_LIMITED',
  /** Somebody had a heal plan carried out. */
  'HEAL_APPLIED',
  /** A heal plan was carried out, and the service was found well afterwards. */
  'HEALED',
  /** A heal plan was carried out, and the service was not found well afterwards. */
  'NOT_HEALED',
  /** A bug of upkeep itself: reported, never acted on. */
  'INTERNAL_ERROR',
] as const;

/** One of {@link REASON_CODES}. */
export type ReasonCode = (typeof REASON_CODES)[number];

/** JSON data that backs a reason up: identities, holders, exit codes, times. */
export type Evidence = { readonly [key: string]: unknown };

/** Why something is so. `message` is one sentence for people; `evidence` is for programs. */
export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
  readonly evidence: Evidence;
}

/**
 * Makes a {@link Reason}.
 *
 * @example
 * ```ts
 * reason('EXITED', 'exited with code 3', { exit_code: 3 });
 * ```
 */
export function reason(code: ReasonCode, message: string, evidence: Evidence = {}): Reason {
  return { code, message, evidence };
}
