/**
 * The heal plan: from what was seen of a service to what is to be done about it. Pure.
 *
 * It decides which jobs are told to start or to start afresh. What stands in the way of a start is decided by
 * `planReclaim` and by nobody else: its steps are shown here and carried out by the job's own reclaim.
 */
import type { Reason } from '../job/reason.ts';
import type { Identity } from '../process/identity.ts';
import { claimKey } from '../reclaim/claim.ts';
import { planReclaim, type ReclaimPlan, type ReclaimStep } from '../reclaim/mod.ts';
import { processText } from '../reclaim/wording.ts';
import { type ActionFacts, describeFacts, type Fact, type ServiceFacts } from './facts.ts';
import { instead } from './instead.ts';

/** How much harm a plan can do. */
export const RISKS = ['none', 'low', 'medium', 'high'] as const;

/**
 * - `none`: there is nothing to do.
 * - `low`: only what is down is started, and only what is the action's own is cleared away.
 * - `medium`: a process of the service that runs is stopped and started again.
 * - `high`: a process of somebody else is stopped.
 */
export type Risk = (typeof RISKS)[number];

/** What can be done. */
export const STEP_KINDS = ['stop_job', 'stop_process', 'unlink_socket', 'remove_pid_file', 'start'] as const;

/** What a step is done to. */
export type StepTarget =
  | { readonly type: 'job'; readonly job_id: string; readonly identity: Identity | null }
  | { readonly type: 'process'; readonly identity: Identity; readonly command: string }
  | { readonly type: 'file'; readonly path: string };

/** One thing that is done. */
export interface HealStep {
  readonly action: string;
  readonly kind: (typeof STEP_KINDS)[number];
  readonly target: StepTarget;
  /** One sentence, without a full stop. */
  readonly description: string;
  /** It ends a process that lives. */
  readonly destructive: boolean;
  /** What in the service file allows it; null where it needs no permission. */
  readonly requires: 'singleton' | 'kill_other' | null;
}

/** What upkeep may not, or cannot, do itself. */
export interface HealBlock {
  readonly action: string;
  readonly reason: Reason;
  /** What would allow upkeep to do it; null where nothing would. */
  readonly grant: string | null;
  /** What somebody else can do about it, one sentence each. */
  readonly instead: readonly string[];
}

/** What a job is told. */
export interface HealOrder {
  readonly action: string;
  readonly job_id: string;
  readonly kind: 'start' | 'restart';
  /** Why. */
  readonly because: string;
}

/** What is to be done about a service. */
export interface HealDecision {
  readonly service: string;
  /** One sentence. */
  readonly summary: string;
  readonly risk: Risk;
  readonly facts: readonly Fact[];
  readonly steps: readonly HealStep[];
  readonly blocked: readonly HealBlock[];
  /** What carries the steps out. */
  readonly orders: readonly HealOrder[];
}

/**
 * Decides what is to be done.
 *
 * @example
 * ```ts
 * const { summary, steps, blocked } = decideHeal(await lookAtService(runtime, ports));
 * ```
 */
export function decideHeal(facts: ServiceFacts): HealDecision {
  const decided = facts.wanted === 'up' ? facts.actions.map(decideAction) : [];
  const steps = decided.flatMap((action) => action.steps);
  const blocked = decided.flatMap((action) => action.blocked);
  return {
    service: facts.service,
    summary: summarize(facts, steps, blocked),
    risk: riskOf(steps),
    facts: describeFacts(facts),
    steps,
    blocked,
    orders: decided.flatMap((action) => action.orders),
  };
}

/** What is wrong with a job that runs, in words; null where nothing is. */
export function illness({ state, health, claims, reason }: ActionFacts): string | null {
  if (state !== 'running') return null;
  const lost = claims.filter((claim) => claim.lost).map(({ claim }) => claimKey(claim));
  if (lost.length > 0) return `it does not hold ${lost.join(', ')}`;
  return health === 'unhealthy' ? reason.message : null;
}

type Decided = Pick<HealDecision, 'steps' | 'blocked' | 'orders'>;

const NOTHING: Decided = { steps: [], blocked: [], orders: [] };

function decideAction(facts: ActionFacts): Decided {
  switch (facts.state) {
    case 'running': {
      const because = illness(facts);
      return because === null ? NOTHING : restart(facts, because);
    }
    case 'waiting':
    case 'failed':
      return start(facts);
    case 'stopped':
    case 'stopping':
      if (facts.reason.code === 'SURVIVORS') return blockedBy(facts, facts.reason);
      return facts.state === 'stopped' ? start(facts) : NOTHING;
    // On their way, or done, or waiting for an action that is healed itself.
    case 'pending':
    case 'starting':
    case 'succeeded':
      return NOTHING;
  }
}

/** It has nothing that runs: the next try is made now. */
function start(facts: ActionFacts): Decided {
  if (facts.obstacle !== null) return blockedBy(facts, facts.obstacle);
  const plan = reclaimOf(facts);
  const steps = plan.steps.map((step) => reclaimStep(facts, step));
  const blocked = plan.blocked === null ? [] : [block(facts, plan.blocked)];
  // It looks by itself twice a second whether the holder is gone: telling it to would change nothing.
  if (blocked.length > 0 && steps.length === 0 && facts.state === 'waiting') return { ...NOTHING, blocked };
  return {
    steps: [...steps, startStep(facts, `start ${facts.action} now, with its failed tries forgotten`)],
    blocked,
    orders: [order(facts, 'start', facts.reason.message)],
  };
}

/** It runs and is ill. While its next start could not follow, it is better left as it is. */
function restart(facts: ActionFacts, because: string): Decided {
  if (facts.obstacle !== null) return blockedBy(facts, facts.obstacle);
  const plan = reclaimOf(facts);
  if (plan.blocked !== null) return blockedBy(facts, plan.blocked);
  const { action, job_id, identity } = facts;
  const stop: HealStep = {
    action,
    kind: 'stop_job',
    target: { type: 'job', job_id, identity },
    description: `stop ${action}${identity === null ? '' : ` (pid ${identity.pid})`}, as ${because}`,
    destructive: true,
    requires: null,
  };
  return {
    steps: [
      stop,
      ...plan.steps.map((step) => reclaimStep(facts, step)),
      startStep(facts, `start ${action} again`),
    ],
    blocked: [],
    orders: [order(facts, 'restart', because)],
  };
}

const NO_PLAN: ReclaimPlan = { steps: [], blocked: null, notes: [] };

function reclaimOf({ reclaim }: ActionFacts): ReclaimPlan {
  return reclaim === null ? NO_PLAN : planReclaim(reclaim.target, reclaim.seen);
}

function order({ action, job_id }: ActionFacts, kind: HealOrder['kind'], because: string): HealOrder {
  return { action, job_id, kind, because };
}

function startStep({ action, job_id }: ActionFacts, description: string): HealStep {
  const target = { type: 'job', job_id, identity: null } as const;
  return { action, kind: 'start', target, description, destructive: false, requires: null };
}

function reclaimStep({ action, reclaim }: ActionFacts, step: ReclaimStep): HealStep {
  if (step.type === 'stop') {
    const { identity, command, class: holderClass } = step.process;
    const permission = reclaim?.target.action.singleton ? 'singleton' : 'kill_other';
    const held = step.claims.map(claimKey).join(', ');
    const whose = holderClass === 'own_earlier' ? 'left by an earlier incarnation' : 'a stranger';
    return {
      action,
      kind: 'stop_process',
      target: { type: 'process', identity, command },
      description: `stop ${processText(step.process)}, ${whose}${held === '' ? '' : ` that holds ${held}`}: ${step.signal}, then SIGKILL`,
      destructive: true,
      requires: holderClass === 'own_earlier' ? null : permission,
    };
  }
  const what = step.type === 'unlink_socket' ? 'dead socket' : 'stale PID file';
  return {
    action,
    kind: step.type,
    target: { type: 'file', path: step.path },
    description: `remove the ${what} ${step.path}`,
    destructive: false,
    requires: null,
  };
}

function blockedBy(facts: ActionFacts, reason: Reason): Decided {
  return { ...NOTHING, blocked: [block(facts, reason)] };
}

function block({ action }: ActionFacts, reason: Reason): HealBlock {
  return { action, reason, ...instead(action, reason) };
}

function riskOf(steps: readonly HealStep[]): Risk {
  if (steps.some(({ requires }) => requires !== null)) return 'high';
  if (steps.some(({ kind }) => kind === 'stop_job')) return 'medium';
  return steps.length > 0 ? 'low' : 'none';
}

function summarize(
  { service, wanted, actions }: ServiceFacts,
  steps: readonly HealStep[],
  blocked: readonly HealBlock[],
): string {
  if (wanted === 'down') return `${service} is wanted down: nothing is done about what somebody stopped`;
  const cannot = blocked.map(({ action, reason }) => `${action} cannot be healed: ${reason.message}`);
  const does = steps.length === 0 ? [] : [steps.map(({ description }) => description).join('; then ')];
  if (cannot.length + does.length > 0) return `${service}: ${[...does, ...cannot].join('. But ')}`;
  const onTheirWay = actions.filter(({ state }) => ['pending', 'starting', 'stopping'].includes(state));
  if (onTheirWay.length === 0) return `${service} is well: nothing to do`;
  const names = onTheirWay.map(({ action, state }) => `${action} is ${state}`);
  return `${service} is on its way by itself (${names.join(', ')}): nothing to do`;
}
