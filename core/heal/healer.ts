/**
 * Heals: makes plans, carries them out by telling jobs to start, and looks whether it has helped.
 *
 * A plan is applied only to what it was made from: right before, everything is looked at again and planned again, and
 * what has changed is a reason to refuse. One heal at a time for each service.
 */
import type { CheckState } from '../health/health_watch.ts';
import type { Clock } from '../host/host.ts';
import type { Job, Wanted } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import { claimKey } from '../reclaim/claim.ts';
import type { Actor, EventRecord, NewEvent } from '../store/records.ts';
import type { EventQuery } from '../supervisor/control.ts';
import type { Told } from '../supervisor/job_loop.ts';
import type { JobRuntime, Origin, ServiceRuntime } from '../supervisor/runtime.ts';
import {
  type ActionFacts,
  BEFORE_A_START,
  changedFacts,
  type FactChange,
  healState,
  type ServiceFacts,
} from './facts.ts';
import {
  type ActionVerification,
  type HealCaller,
  type HealControl,
  type HealOutcome,
  type HealPlan,
  HealRefused,
  type HealRequest,
  type HealResult,
  type Verification,
} from './heal_control.ts';
import { decideHeal, type HealDecision, type HealOrder, illness } from './plan.ts';
import { PlanShelf, type ShelvedPlan } from './plan_shelf.ts';
import { judge, type Verdict } from './verdict.ts';

/** What healing needs. */
export interface HealPorts {
  readonly clock: Clock;
  /** @throws {@link NotFound} */
  service(name: string): ServiceRuntime;
  look(service: ServiceRuntime): Promise<ServiceFacts>;
  checks(job_id: string): readonly CheckState[];
  /** Tells jobs of a service; see {@link Fleet.mend}. */
  tell(service: string, told: readonly Told[], origin: Origin): void;
  /** Writes an event down, and tells everybody who listens. */
  record(event: NewEvent): EventRecord | undefined;
  /** Resolves with true as soon as `done` is; with false after `timeout` ms. */
  until(done: () => boolean, timeout: number): Promise<boolean>;
  events(query: EventQuery): EventRecord[];
}

/** So many events are shown of a heal. */
const EVENTS = 50;

/** See the top of this file. */
export class Healer implements HealControl {
  readonly #ports: HealPorts;
  readonly #shelf: PlanShelf;
  /** The plan that is being applied, by service. */
  readonly #flights = new Map<string, ShelvedPlan>();

  constructor(ports: HealPorts, shelf: PlanShelf = new PlanShelf(ports.clock)) {
    this.#ports = ports;
    this.#shelf = shelf;
  }

  async plan(name: string, caller: HealCaller): Promise<HealPlan> {
    return (await this.#shelve(name, caller)).plan;
  }

  async apply(name: string, request: HealRequest, caller: HealCaller, timeout: number): Promise<HealResult> {
    const { actor } = caller;
    this.#ports.service(name);
    if ('plan_id' in request) return this.#begin(this.#known(name, request.plan_id), actor, timeout);
    for (;;) {
      const flying = this.#flights.get(name)?.result ?? null;
      // What was asked for is being done: whoever else asks for it gets what comes of it.
      const joined = flying === null ? null : await flying.catch(() => null);
      if (joined !== null) return joined;
      const shelved = await this.#shelve(name, caller);
      if (!this.#flights.has(name)) return this.#begin(shelved, actor, timeout);
    }
  }

  async #shelve(name: string, { principal }: HealCaller): Promise<ShelvedPlan> {
    const service = this.#ports.service(name);
    return this.#shelf.add(decideHeal(await this.#ports.look(service)), principal);
  }

  #known(name: string, id: string): ShelvedPlan {
    const shelved = this.#shelf.get(id);
    if (shelved === null) {
      throw new HealRefused(
        'unknown_plan',
        `no heal plan '${id}': it was never made, is long expired, or upkeep was started anew since; make a new one`,
      );
    }
    const { service } = shelved.plan;
    if (service !== name) {
      throw new HealRefused(
        'other_service',
        `the heal plan '${id}' is for '${service}' and not for '${name}'`,
      );
    }
    return shelved;
  }

  /** Applies a plan, or joins whoever does so already. */
  #begin(shelved: ShelvedPlan, actor: Actor, timeout: number): Promise<HealResult> {
    if (shelved.result !== null) return shelved.result;
    const { id, service } = shelved.plan;
    if (this.#shelf.hasExpired(shelved)) {
      throw new HealRefused('expired', `the heal plan '${id}' has expired; make a new one`);
    }
    const other = this.#flights.get(service);
    if (other !== undefined) {
      const message = `'${service}' is being healed by another plan ('${other.plan.id}'); wait for its end, then make a new one`;
      throw new HealRefused('busy', message);
    }
    this.#flights.set(service, shelved);
    const result = this.#carryOut(shelved, actor, timeout);
    shelved.result = result;
    result
      .catch(() => {
        // Nothing was done: it may be tried again, should the facts be the old ones again.
        shelved.result = null;
      })
      .finally(() => this.#flights.delete(service));
    return result;
  }

  async #carryOut({ plan, decision }: ShelvedPlan, actor: Actor, timeout: number): Promise<HealResult> {
    const { service: name } = plan;
    const facts = await this.#ports.look(this.#ports.service(name));
    const changes = changesOf(decision, decideHeal(facts));
    if (changes.length > 0) throw new HealRefused('facts_changed', inWords(changes), changes);

    const { steps, orders } = decision;
    let applied: EventRecord | undefined;
    if (orders.length > 0) {
      const { id: plan_id, risk, summary } = plan;
      applied = this.#record(name, actor, null, reason('HEAL_APPLIED', summary, { plan_id, risk, steps }));
      const { jobs } = this.#ports.service(name);
      const told = orders
        .filter((order) => isStillToBeDone(order, jobs))
        .map((order) => toldBy(order, plan_id));
      this.#ports.tell(name, told, { actor, cause: applied?.seq ?? null });
    }
    const verification = await this.#verify(name, facts, timeout);
    const outcome = outcomeOf(verification, facts.wanted, orders.length > 0);
    if (orders.length > 0) {
      const { well, message } = verification;
      const evidence = { plan_id: plan.id, verification };
      const why = reason(well ? 'HEALED' : 'NOT_HEALED', message, evidence);
      this.#record(name, actor, applied?.seq ?? null, why);
    }
    const events =
      applied === undefined
        ? []
        : this.#ports.events({ service: name, after: applied.seq - 1, limit: EVENTS });
    return { plan_id: plan.id, outcome, plan, verification, events };
  }

  /** Waits until it can be said of each action how it is, then looks afresh. */
  async #verify(name: string, before: ServiceFacts, timeout: number): Promise<Verification> {
    const service = this.#ports.service(name);
    const failing = new Set(before.actions.flatMap(({ action, failing: was }) => (was ? [action] : [])));
    const verdicts = (): Verdict[] => judge(service.jobs.map((runtime) => this.#patient(runtime, failing)));
    if (before.wanted === 'up') await this.#ports.until(() => !verdicts().includes('open'), timeout);

    const now = await this.#ports.look(service);
    const found = verdicts();
    const actions = service.jobs.map((runtime, index): ActionVerification => {
      const facts = now.actions.find(({ job_id }) => job_id === runtime.job.id);
      return verified(runtime.job, found[index] ?? 'open', facts, this.#ports.checks(runtime.job.id));
    });
    const well = now.wanted === 'up' && actions.every((action) => action.well);
    return {
      checked_at: this.#ports.clock.wall(),
      well,
      message: inOneSentence(name, now, actions),
      actions,
    };
  }

  #patient({ job, spec }: JobRuntime, failing: ReadonlySet<string>): Parameters<typeof judge>[0][number] {
    const checks = this.#ports.checks(job.id);
    return { job, process: spec.process, checks, must_be_stable: spec.process && failing.has(job.action) };
  }

  #record(service: string, actor: Actor, cause: number | null, why: Reason): EventRecord | undefined {
    return this.#ports.record({
      time: this.#ports.clock.wall(),
      service,
      action: null,
      job_id: null,
      incarnation: null,
      from: null,
      to: null,
      ...why,
      actor,
      cause,
    });
  }
}

/** The looks took their time: what has come up meanwhile is left alone. */
function isStillToBeDone({ job_id, kind }: HealOrder, jobs: readonly JobRuntime[]): boolean {
  const job = jobs.find((runtime) => runtime.job.id === job_id)?.job;
  if (job === undefined) return false;
  return kind === 'restart' ? job.phase === 'running' : BEFORE_A_START.has(healState(job));
}

/**
 * A restart of what does not run is a start, and one that is noted with its cause, where the end of a pause goes
 * without saying.
 */
function toldBy({ job_id, kind, because }: HealOrder, plan_id: string): Told {
  const why = reason('REQUESTED', `${kind}ed to heal it: ${because}`, { plan_id });
  return { job_id, event: { type: 'restart', reason: why } };
}

/** What is another now: the facts, and should those be the same, the steps themselves. */
function changesOf(before: HealDecision, now: HealDecision): FactChange[] {
  const changes = changedFacts(before.facts, now.facts);
  if (changes.length > 0) return changes;
  // How often a check has failed by now, say, is in the words and not in what is done.
  const stepsOf = ({ steps, blocked }: HealDecision): string =>
    JSON.stringify([
      steps.map(({ action, kind, target, requires }) => ({ action, kind, target, requires })),
      blocked.map(({ action, reason: why }) => ({ action, code: why.code })),
    ]);
  const [was, is] = [stepsOf(before), stepsOf(now)];
  return was === is ? [] : [{ name: 'steps', before: was, after: is }];
}

function inWords(changes: readonly FactChange[]): string {
  const told = changes.map(({ name, before, after }) => {
    if (before === null) return `${name} is new: ${after}`;
    return after === null
      ? `${name} is over (it was: ${before})`
      : `${name} was: ${before}, and is: ${after}`;
  });
  return `what the plan was made from has changed, nothing was done; make a new one. ${told.join('; ')}`;
}

function outcomeOf({ well }: Verification, wanted: Wanted, acted: boolean): HealOutcome {
  if (acted) return well ? 'healed' : 'not_healed';
  return well || wanted === 'down' ? 'nothing_to_do' : 'not_healed';
}

function verified(
  job: Job,
  verdict: Verdict,
  facts: ActionFacts | undefined,
  checks: readonly CheckState[],
): ActionVerification {
  const ill = facts === undefined ? null : illness(facts);
  const well = verdict === 'well' && ill === null;
  const passing = checks.filter(({ standing }) => standing.health === 'healthy').length;
  const and = checks.length === 0 ? '' : `, ${passing} of ${checks.length} health checks pass`;
  const message = well
    ? `${job.action} ${job.phase === 'succeeded' ? 'has succeeded' : `is running${and}`}`
    : `${job.action} is ${job.phase}${verdict === 'open' ? ' still' : ''}: ${ill ?? facts?.reason.message ?? job.reason.message}`;
  return {
    action: job.action,
    well,
    phase: job.phase,
    health: facts?.health ?? 'unknown',
    pid: facts?.identity?.pid ?? null,
    claims: facts?.claims.map(({ claim, verdict: held_by }) => ({ claim: claimKey(claim), held_by })) ?? [],
    message,
  };
}

function inOneSentence(
  service: string,
  { wanted }: ServiceFacts,
  actions: readonly ActionVerification[],
): string {
  if (wanted === 'down') return `${service} is wanted down`;
  const ill = actions.filter(({ well }) => !well);
  const told = (ill.length > 0 ? ill : actions).map(({ message }) => message).join('; ');
  return `${service} is ${ill.length > 0 ? 'not well' : 'well'}: ${told}`;
}
