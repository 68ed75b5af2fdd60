/**
 * "Why is this service as it is": the answer, from facts. Pure.
 */
import type { CheckState } from '../health/health_watch.ts';
import { presentReason } from '../health/illness.ts';
import type { Health } from '../health/verdict.ts';
import { identityOf, type Job } from '../job/job.ts';
import type { Reason, ReasonCode } from '../job/reason.ts';
import type { EventRecord } from '../store/records.ts';
import { type ActionWhy, checkView, type ServiceState, type Why } from './control.ts';

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

/** What to do about a process that ends as if it were done. */
const IN_THE_BACKGROUND =
  'Run it in the foreground: what puts itself into the background cannot be kept. If it is done when it ends, leave out `process: true`.';

/** Codes that are read from circumstances rather than told by the kernel or by us. */
const INFERRED: ReadonlySet<ReasonCode> = new Set(['EXIT_UNKNOWN', 'PROBE_UNAVAILABLE', 'INTERRUPTED']);

/** What is known of one action. */
export interface ActionFacts {
  readonly job: Job;
  /** It must stay alive, by its spec. */
  readonly process: boolean;
  /** Its health, and its checks while it runs. */
  readonly health: Health;
  readonly checks: readonly CheckState[];
  /** Newest first. */
  readonly events: readonly EventRecord[];
  readonly log_tail: readonly string[];
  /** Who is still there of an incarnation that is being stopped. */
  readonly survivors: readonly { readonly pid: number; readonly command: string }[];
}

/** Explains one action. */
export function explainAction(facts: ActionFacts): ActionWhy {
  const { job, process, events, checks, log_tail, survivors } = facts;
  const why = presentReason(job, checks);
  const next_step =
    why.code === 'EXITED' && why.evidence['exit_code'] === 0 && process
      ? IN_THE_BACKGROUND
      : NEXT_STEP[why.code];
  const confidence =
    why.evidence['confidence'] === 'inferred' || INFERRED.has(why.code) ? 'inferred' : 'certain';
  return {
    action: job.action,
    job_id: job.id,
    phase: job.phase,
    health: facts.health,
    code: why.code,
    message: describe(job, why),
    // What the reason itself rests on comes last: after a restart the job's own fields are about the next incarnation.
    evidence: {
      identity: identityOf(job) ?? job.last_identity,
      exit_code: job.exit_code,
      exit_signal: job.exit_signal,
      started_at: job.started_at,
      finished_at: job.finished_at,
      restart_count: job.restart_count,
      attempt: job.attempt,
      next_attempt_at: job.phase === 'retrying' ? job.next_attempt_at : null,
      ...(survivors.length === 0 ? {} : { survivors }),
      ...(checks.length === 0 ? {} : { checks: checks.map(checkView) }),
      ...why.evidence,
    },
    confidence,
    next_step: next_step.replace('{service}', job.service).replace('{action}', job.action),
    log_tail,
    events,
  };
}

function describe(job: Job, why: Reason): string {
  switch (job.phase) {
    case 'running':
    case 'starting': {
      const verb = job.phase === 'running' ? 'is running' : 'has started and is not ready yet';
      if (why !== job.reason) return `${verb}, but not well: ${why.message}`;
      if (why.code === 'REQUESTED' || why.code === 'ADOPTED') return `${verb}: ${why.message}`;
      const again = `${verb}; it was started again (restart ${job.restart_count}) because: ${why.message}`;
      const waited = messageIn(why, 'waited_for');
      return waited === null ? again : `${again}; first it had to wait: ${waited}`;
    }
    case 'retrying': {
      const cause = messageIn(why, 'start_cause');
      const waits = `waits for its next try: ${why.message}`;
      return cause === null ? waits : `${waits}; it is to be started because: ${cause}`;
    }
    case 'stopping':
      return job.wanted === 'up'
        ? `is being stopped, to be started again: ${why.message}`
        : `is being stopped: ${why.message}`;
    default:
      return why.message;
  }
}

/** The message of a reason that another one carries in its evidence. */
function messageIn(why: Reason, key: 'waited_for' | 'start_cause'): string | null {
  return (why.evidence[key] as Reason | undefined)?.message ?? null;
}

/** Explains a service: all of its actions, and in one sentence what matters most. */
export function explainService(
  service: string,
  wanted: 'up' | 'down',
  state: ServiceState,
  actions: readonly ActionWhy[],
): Why {
  const worst =
    actions.find((action) => !isFine(action)) ?? actions.find((action) => action.code !== 'REQUESTED');
  const lead = `${service} is ${state}`;
  const summary = worst === undefined ? lead : `${lead}: ${worst.action} ${worst.message}`;
  return { service, wanted, state, summary, actions };
}

function isFine(action: ActionWhy): boolean {
  if (action.phase === 'running') return action.health !== 'unhealthy';
  return action.phase === 'succeeded' || action.phase === 'stopped';
}
