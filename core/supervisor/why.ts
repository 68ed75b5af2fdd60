/**
 * "Why is this service as it is": the answer, from facts. Pure.
 */
import type { Obstruction } from '../heal/in_the_way.ts';
import type { CheckState } from '../health/health_watch.ts';
import { presentReason } from '../health/illness.ts';
import type { Health } from '../health/verdict.ts';
import { identityOf, type Job } from '../job/job.ts';
import type { Reason, ReasonCode } from '../job/reason.ts';
import type { EventRecord } from '../store/records.ts';
import { type ActionWhy, checkView, type ServiceState, type Why } from './control.ts';
import { nextCall, nextStep } from './next_step.ts';
import { jobNotes, type WhyNote } from './notes.ts';

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
  /** Of the job, oldest first. */
  readonly events: readonly EventRecord[];
  /** What led to where it is, oldest first: the chain of causes. */
  readonly chain: readonly EventRecord[];
  readonly log_tail: readonly string[];
  /** Who is still there of an incarnation that is being stopped. */
  readonly survivors: readonly { readonly pid: number; readonly command: string }[];
  /** What stands in the way of its next start, as just seen; null where it does not wait for one. */
  readonly in_the_way: readonly Obstruction[] | null;
}

/** Explains one action. */
export function explainAction(facts: ActionFacts): ActionWhy {
  const { job, process, chain, checks, log_tail, survivors, in_the_way } = facts;
  const why = presentReason(job, checks);
  const subject = { service: job.service, action: job.action, process };
  const confidence =
    why.evidence['confidence'] === 'inferred' || INFERRED.has(why.code) ? 'inferred' : 'certain';
  return {
    action: job.action,
    job_id: job.id,
    phase: job.phase,
    health: facts.health,
    code: why.code,
    message: `${describe(job, why)}${seenNow(why, in_the_way)}`,
    // What the reason itself rests on comes last: after a restart the job's own fields are about the next incarnation.
    evidence: {
      since: chain.at(-1)?.time ?? null,
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
      ...(in_the_way === null ? {} : { in_the_way }),
      ...why.evidence,
    },
    confidence,
    next_step: nextStep(why, subject),
    // What it was started again for is over once it runs and is well.
    next: job.phase === 'running' && why === job.reason ? null : nextCall(why, job.service),
    notes: jobNotes(job, facts.events, why.code, subject),
    log_tail,
    events: chain,
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

/** Found by a try that something was in the way of. */
const OBSTRUCTED: ReadonlySet<ReasonCode> = new Set([
  'PORT_HELD',
  'SOCKET_HELD',
  'SOCKET_NOT_A_SOCKET',
  'PIDFILE_HELD',
  'COMMAND_NOT_FOUND',
  'SPAWN_FAILED',
]);

/** What a look adds to what the last try has found. */
function seenNow(why: Reason, in_the_way: readonly Obstruction[] | null): string {
  if (in_the_way === null) return '';
  const last = (why.evidence['last_failure'] as Reason | undefined) ?? why;
  if (OBSTRUCTED.has(last.code))
    return in_the_way.length > 0 ? '' : '; nothing of that is in its way any more';
  if (in_the_way.length === 0) return '';
  return `; by now there is in its way: ${in_the_way.map(({ message }) => message).join('; ')}`;
}

/** The message of a reason that another one carries in its evidence. */
function messageIn(why: Reason, key: 'waited_for' | 'start_cause'): string | null {
  return (why.evidence[key] as Reason | undefined)?.message ?? null;
}

/**
 * The incarnation that a reason is about: its log tells more. What made a job start again is about the one before.
 */
export function incarnationOf(job: Job, why: Reason): number {
  const about_this = why !== job.reason || why.code === 'REQUESTED' || why.code === 'ADOPTED';
  const restarted = job.finished_at === null && job.restart_count > 0;
  return restarted && !about_this ? job.restart_count - 1 : job.restart_count;
}

/** Explains a service: all of its actions, and in one sentence what matters most. */
export function explainService(
  service: string,
  wanted: 'up' | 'down',
  state: ServiceState,
  explained: readonly ActionWhy[],
  notes: readonly WhyNote[],
): Why {
  const actions = explained.map((action) => withRoot(action, explained));
  const ill = actions.filter((action) => !isFine(action));
  // What waits for another action is ill because of that.
  const worst =
    ill.find((action) => !isWaiting(action)) ??
    ill[0] ??
    actions.find((action) => action.code !== 'REQUESTED');
  const lead = `${service} is ${state}`;
  const summary = worst === undefined ? lead : `${lead}: ${worst.action} ${worst.message}`;
  return { service, wanted, state, summary, next: worst?.next ?? null, notes, actions };
}

/** What waits for another action carries, as evidence, what that one is at: the root of it. */
function withRoot(action: ActionWhy, all: readonly ActionWhy[]): ActionWhy {
  let root = action;
  // No longer than there are actions: the file allows no ring, and none is walked round here.
  for (let steps = 0; isWaiting(root) && steps < all.length; steps++) {
    const needed = root.evidence['action'];
    root = all.find((other) => other.action === needed) ?? root;
  }
  if (root === action) return action;
  const { code, message, phase } = root;
  return { ...action, evidence: { ...action.evidence, root: { action: root.action, phase, code, message } } };
}

function isWaiting({ code }: ActionWhy): boolean {
  return code === 'DEPENDENCY_WAIT' || code === 'DEPENDENCY_FAILED';
}

function isFine(action: ActionWhy): boolean {
  if (action.phase === 'running') return action.health !== 'unhealthy';
  return action.phase === 'succeeded' || action.phase === 'stopped';
}
