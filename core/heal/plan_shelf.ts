/**
 * Where heal plans wait for somebody to apply them. They live in memory only: a plan made by an upkeep that has died
 * since says nothing about the machine as it is now.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../host/host.ts';
import type { HealPlan, HealResult } from './heal_control.ts';
import type { HealDecision } from './plan.ts';

/** How long a plan may be applied, in ms. */
export const PLAN_TTL = 5 * 60_000;
/** So many plans of one maker are kept. */
export const MAX_PLANS = 32;

/** A plan, and what has come of it. */
export interface ShelvedPlan {
  readonly plan: HealPlan;
  /** Who had it made. */
  readonly maker: string;
  readonly decision: HealDecision;
  /** Monotonic ms. */
  readonly expires: number;
  /** Set while it is applied, and afterwards: asked for again, it answers the same. */
  result: Promise<HealResult> | null;
}

/**
 * Keeps the newest plans of each maker until they expire. Whoever may look may have plans made: however many somebody wants,
 * those of others stay.
 */
export class PlanShelf {
  readonly #clock: Clock;
  readonly #ttl: number;
  readonly #plans = new Map<string, ShelvedPlan>();

  constructor(clock: Clock, ttl: number = PLAN_TTL) {
    this.#clock = clock;
    this.#ttl = ttl;
  }

  /** How many there are. */
  get size(): number {
    return this.#plans.size;
  }

  /**
   * Makes a plan of a decision, under an id that cannot be guessed.
   *
   * @param maker by what right it is made: each has room of its own.
   */
  add(decision: HealDecision, maker: string): ShelvedPlan {
    this.#forgetOld(maker);
    const { service, summary, risk, facts, steps, blocked } = decision;
    const created_at = this.#clock.wall();
    const id = `h${randomBytes(16).toString('hex')}`;
    const expires_at = created_at + this.#ttl;
    const shelved: ShelvedPlan = {
      plan: { id, service, created_at, expires_at, summary, risk, facts, steps, blocked },
      maker,
      decision,
      expires: this.#clock.mono() + this.#ttl,
      result: null,
    };
    this.#plans.set(id, shelved);
    return shelved;
  }

  /** The plan of an id; null where none is known. One that has expired is known for as long again. */
  get(id: string): ShelvedPlan | null {
    return this.#plans.get(id) ?? null;
  }

  /** True where it is too late to apply it. */
  hasExpired({ expires }: ShelvedPlan): boolean {
    return this.#clock.mono() >= expires;
  }

  /** They lie in the order of their making, which is that of their expiry. */
  #forgetOld(maker: string): void {
    const now = this.#clock.mono();
    const own: string[] = [];
    for (const [id, shelved] of this.#plans) {
      if (shelved.expires + this.#ttl <= now) this.#plans.delete(id);
      else if (shelved.maker === maker) own.push(id);
    }
    for (const id of own.slice(0, Math.max(0, own.length - MAX_PLANS + 1))) this.#plans.delete(id);
  }
}
