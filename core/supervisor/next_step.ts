/**
 * What to do next about a reason: in words for people, and as a call for programs. Pure.
 */
import type { Reason, ReasonCode } from '../job/reason.ts';

/** An operation to call, with its input: the safest one that helps or tells more. It never changes anything by itself. */
export interface NextCall {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The safest thing to do next, for each reason. `{service}` and `{action}` are filled in. */
const NEXT_STEP: { readonly [C in ReasonCode]: string } = {
  EXITED: 'Read the last log lines; upkeep starts it again by itself while it is wanted up.',
  SIGNALED: 'Find out who sent the signal; upkeep starts it again by itself while it is wanted up.',
  OOM_KILLED: 'Give it more memory or make it use less; the kernel will kill it again.',
  SPAWN_FAILED: 'Mend what the message names; upkeep tries again by itself.',
  COMMAND_NOT_FOUND: 'Install the program or correct `run`; upkeep tries again by itself.',
  NOT_READY: 'Check that it listens where the service file says, or raise `ready.timeout`.',
  CLAIM_LOST: 'Read the last log lines: it stopped listening while it went on running.',
  PORT_HELD:
    'Stop the holder, or allow upkeep to with `kill_other`; it starts by itself once the port is free.',
  SOCKET_HELD:
    'Stop the holder, or allow upkeep to with `kill_other`; it starts by itself once the socket is free.',
  SOCKET_NOT_A_SOCKET: 'Look at what lies at that path and move it away; upkeep never removes it.',
  PIDFILE_REUSED: 'Nothing: the PID file was stale, and the process that it named was left alone.',
  PIDFILE_HELD:
    'Stop that instance, or make the action a `singleton`; it starts by itself once the other is gone.',
  UNHEALTHY: 'Read the last log lines and the health check; upkeep starts it again by itself.',
  DEPENDENCY_WAIT: 'Look at the action that it waits for: upkeep why {service}.',
  DEPENDENCY_FAILED: 'Mend the action that failed, then: upkeep start {service}.',
  STOP_TIMEOUT: 'Raise `stop.timeout` if it needs longer to end by itself.',
  SURVIVORS:
    'Look at the processes named: the kernel does not let them go (often a hung disk or network mount).',
  ADOPTED: 'Nothing: it was kept alive across a restart of upkeep.',
  EXIT_UNKNOWN: 'Read the last log lines: upkeep was not its parent and could not read how it ended.',
  PIDFILE_UNWRITABLE: 'Make the folder of `pid_file` or correct the path; nothing depends on it.',
  LOG_LOSSY: 'Move the state folder to a file system with fallocate (ext4, xfs, btrfs, tmpfs).',
  LOG_DEGRADED: 'Make room on the disk or mend the log folder; what the service writes is not lost.',
  NOTIFY_DEGRADED: 'Mend what the message names; the events themselves are kept: upkeep events.',
  LOG_TRUNCATED: 'Let the service append to its log instead of truncating it.',
  REQUESTED: 'Nothing: somebody asked for it.',
  REBOOTED: 'Nothing: the machine was started again, and so was this.',
  PROBE_UNAVAILABLE: 'Run upkeep as a user who may see the processes, or install lsof.',
  PROBE_DISAGREEMENT:
    'Look for yourself who has it, and leave the probe that is wrong out of `probes.order`.',
  STORE_DEGRADED: 'Make room on the disk or mend the state folder; nothing is lost while upkeep runs.',
  GAVE_UP: 'Mend the cause, then: upkeep start {service}.',
  WANTED_DOWN: 'To have it up: upkeep start {service}.',
  INTERRUPTED: 'Nothing: upkeep itself was interrupted and has taken it up again.',
  SHUTDOWN: 'To have it up: upkeep up.',
  RECLAIMED: 'Nothing: what was in the way was removed.',
  SPEC_CHANGED: 'Nothing: it was started again as the service file now says.',
  READY: 'Nothing: it is up.',
  HEALTHY: 'Nothing: it is well again.',
  CHECK_UNAVAILABLE: 'Mend the check: until it can look, nobody knows whether the service is well.',
  PLUGIN_FAILED: 'Read the log of the plugin; upkeep starts it again by itself, and goes on without it.',
  PLUGIN_QUARANTINED: 'Mend the plugin, then have the service file read again (SIGHUP).',
  PLUGIN_LIMITED: 'Grant what it asks for with `allow`, or run a newer Node; else nothing.',
  HEAL_APPLIED: 'Nothing: whether it helped is told by the event that follows.',
  HEALED: 'Nothing: it was well after it was healed.',
  NOT_HEALED: 'See what the verification found, and what upkeep may not do: upkeep heal {service} --dry-run.',
  INTERNAL_ERROR: 'Report this as a bug of upkeep, with the events.',
};

/**
 * - `heal`: the plan of healing the service, which says what would be done and what is not allowed.
 * - `start`: it is down because somebody wants it so.
 * - `holder`: who has the claim that the reason is about; the heal plan where the holder is known already.
 */
type Kind = 'none' | 'heal' | 'start' | 'holder' | 'plugins' | 'daemon';

const NEXT_CALL: { readonly [C in ReasonCode]: Kind } = {
  EXITED: 'heal',
  SIGNALED: 'heal',
  OOM_KILLED: 'heal',
  SPAWN_FAILED: 'heal',
  COMMAND_NOT_FOUND: 'heal',
  NOT_READY: 'heal',
  CLAIM_LOST: 'heal',
  PORT_HELD: 'holder',
  SOCKET_HELD: 'holder',
  SOCKET_NOT_A_SOCKET: 'heal',
  PIDFILE_REUSED: 'none',
  PIDFILE_HELD: 'heal',
  UNHEALTHY: 'heal',
  DEPENDENCY_WAIT: 'heal',
  DEPENDENCY_FAILED: 'heal',
  STOP_TIMEOUT: 'none',
  SURVIVORS: 'heal',
  ADOPTED: 'none',
  EXIT_UNKNOWN: 'heal',
  LOG_LOSSY: 'none',
  LOG_TRUNCATED: 'none',
  REQUESTED: 'none',
  REBOOTED: 'none',
  PROBE_UNAVAILABLE: 'holder',
  STORE_DEGRADED: 'daemon',
  GAVE_UP: 'heal',
  WANTED_DOWN: 'start',
  INTERRUPTED: 'none',
  SHUTDOWN: 'none',
  PIDFILE_UNWRITABLE: 'none',
  RECLAIMED: 'none',
  LOG_DEGRADED: 'none',
  NOTIFY_DEGRADED: 'daemon',
  SPEC_CHANGED: 'none',
  READY: 'none',
  HEALTHY: 'none',
  CHECK_UNAVAILABLE: 'none',
  PROBE_DISAGREEMENT: 'holder',
  PLUGIN_FAILED: 'plugins',
  PLUGIN_QUARANTINED: 'plugins',
  PLUGIN_LIMITED: 'plugins',
  HEAL_APPLIED: 'none',
  HEALED: 'none',
  NOT_HEALED: 'heal',
  INTERNAL_ERROR: 'none',
};

/** What to do about a process that ends as if it were done. */
const IN_THE_BACKGROUND =
  'Run it in the foreground: what puts itself into the background cannot be kept. If it is done when it ends, leave out `process: true`.';

/** Whom the words are about. */
export interface Subject {
  readonly service: string;
  /** Null where it is upkeep as a whole. */
  readonly action: string | null;
  /** A process that must stay alive. */
  readonly process: boolean;
}

/** What to do next, one sentence. */
export function nextStep(why: Reason, { service, action, process }: Subject): string {
  const words =
    why.code === 'EXITED' && why.evidence['exit_code'] === 0 && process
      ? IN_THE_BACKGROUND
      : NEXT_STEP[why.code];
  return words.replace('{service}', service).replace('{action}', action ?? '');
}

/**
 * What to call next; null where nothing has to be done, or nothing that upkeep could do.
 *
 * @example
 * ```ts
 * nextCall(reason('GAVE_UP', …), 'shop'); // { operation: 'service.heal', input: { name: 'shop', dry_run: true } }
 * ```
 */
export function nextCall(why: Reason, service: string): NextCall | null {
  switch (NEXT_CALL[why.code]) {
    case 'none':
      return null;
    case 'heal':
      return healPlan(service);
    case 'start':
      return { operation: 'service.start', input: { name: service } };
    case 'holder': {
      const known = why.evidence['holder'] !== null && why.evidence['holder'] !== undefined;
      return (known ? null : holderQuery(why.evidence['claim'])) ?? healPlan(service);
    }
    case 'plugins':
      return { operation: 'plugin.list', input: {} };
    case 'daemon':
      return { operation: 'health.get', input: {} };
  }
}

function healPlan(service: string): NextCall {
  return { operation: 'service.heal', input: { name: service, dry_run: true } };
}

/** The question who holds a claim, by its key: `tcp:127.0.0.1:80`, `socket:/run/a.sock`. */
function holderQuery(key: unknown): NextCall | null {
  if (typeof key !== 'string') return null;
  const operation = 'holder.find';
  const [, socket] = /^socket:(.+)$/.exec(key) ?? [];
  if (socket !== undefined) return { operation, input: { socket } };
  const [, kind, port] = /^(tcp|udp):(?:.*:)?(\d+)$/.exec(key) ?? [];
  return port === undefined ? null : { operation, input: { [`${kind}_port`]: Number(port) } };
}
