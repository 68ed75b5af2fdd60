/**
 * What the faces may ask of healing.
 */
import type { Health } from '../health/verdict.ts';
import type { Phase } from '../job/job.ts';
import type { Actor, EventRecord } from '../store/records.ts';
import type { Fact, FactChange } from './facts.ts';
import type { HealBlock, HealStep, Risk } from './plan.ts';

/** A heal plan as it is shown. Times are ms since the epoch. */
export interface HealPlan {
  /** Cannot be guessed. */
  readonly id: string;
  readonly service: string;
  readonly created_at: number;
  /** From then on it is not applied any more. */
  readonly expires_at: number;
  /** One sentence. */
  readonly summary: string;
  readonly risk: Risk;
  /** What it was made from. */
  readonly facts: readonly Fact[];
  readonly steps: readonly HealStep[];
  /** What upkeep may not or cannot do, and what would help. */
  readonly blocked: readonly HealBlock[];
}

/** What came of a plan. */
export const HEAL_OUTCOMES = ['healed', 'not_healed', 'nothing_to_do'] as const;

/** One of {@link HEAL_OUTCOMES}. */
export type HealOutcome = (typeof HEAL_OUTCOMES)[number];

/** How an action was found afterwards. */
export interface ActionVerification {
  readonly action: string;
  readonly well: boolean;
  readonly phase: Phase;
  readonly health: Health;
  readonly pid: number | null;
  /** Each claim, and who holds it by a probe that was asked after everything else. */
  readonly claims: readonly { readonly claim: string; readonly held_by: string }[];
  /** Why it is judged so, one sentence. */
  readonly message: string;
}

/** A fresh look at the service, after everything else. */
export interface Verification {
  readonly checked_at: number;
  readonly well: boolean;
  /** One sentence. */
  readonly message: string;
  readonly actions: readonly ActionVerification[];
}

/** The answer to an applied plan. */
export interface HealResult {
  readonly plan_id: string;
  readonly outcome: HealOutcome;
  /** What the plan was: of a heal that was asked for at once nobody has seen it. */
  readonly plan: HealPlan;
  readonly verification: Verification;
  /** What happened to the service since it was applied, oldest first. */
  readonly events: readonly EventRecord[];
}

/** What is to be healed by: a plan that was looked at, or whatever the plan is now. */
export type HealRequest = { readonly plan_id: string } | { readonly confirm: true };

/** Why a plan was not applied. */
export type HealRefusal =
  /** No such plan is known: a wrong id, or upkeep was started anew since. */
  | 'unknown_plan'
  /** It is another service's. */
  | 'other_service'
  | 'expired'
  /** What it was made from is not so any more. */
  | 'facts_changed'
  /** Another plan for the same service is being applied. */
  | 'busy';

/** Thrown where a plan is not applied; nothing was done then. */
export class HealRefused extends Error {
  override readonly name = 'HealRefused';
  readonly refusal: HealRefusal;
  readonly changes: readonly FactChange[];

  constructor(refusal: HealRefusal, message: string, changes: readonly FactChange[] = []) {
    super(message);
    this.refusal = refusal;
    this.changes = changes;
  }
}

/** Who asks, and by what right: the name of a token, or `unix`. */
export interface HealCaller {
  readonly actor: Actor;
  readonly principal: string;
}

/** Healing, as the faces see it. */
export interface HealControl {
  /** What would be done. Leaves no trace but the plan. @throws {@link NotFound} */
  plan(service: string, caller: HealCaller): Promise<HealPlan>;
  /**
   * Carries a plan out and looks whether it helped.
   *
   * @param timeout how long to wait for the service to become well, ms.
   * @throws {@link NotFound}, {@link HealRefused}
   */
  apply(service: string, request: HealRequest, caller: HealCaller, timeout: number): Promise<HealResult>;
}
