/**
 * What the looks of one health check come to. Pure: a look's result and the time in, what is so from now on out.
 */
import type { HealthSpec } from '../spec/spec.ts';

/** What one look said. `unknown`: it could not look. */
export type LookStatus = 'pass' | 'warn' | 'fail' | 'unknown';

/** What a check has found, or all checks of a job together. */
export type Health = 'healthy' | 'unhealthy' | 'unknown';

/** Where a check stands. */
export interface Standing {
  readonly health: Health;
  /** Looks in a row that passed, or that failed; one of the two is 0. */
  readonly passes: number;
  readonly fails: number;
  /** Some look at this incarnation has passed: `start_period` is over. */
  readonly has_passed: boolean;
}

/** Before the first look. */
export const UNSEEN: Standing = { health: 'unknown', passes: 0, fails: 0, has_passed: false };

/**
 * Where a check stands after one more look.
 *
 * What could not look says nothing: it neither ends a streak nor adds to one, so that a broken check can no more hide
 * an illness than make one up.
 *
 * @param age ms since the incarnation was spawned.
 */
export function afterLook(
  before: Standing,
  status: LookStatus,
  spec: Pick<HealthSpec, 'failures' | 'successes' | 'start_period'>,
  age: number,
): Standing {
  if (status === 'unknown') return before;
  if (status === 'fail') {
    if (!before.has_passed && age < spec.start_period) return before;
    const fails = before.fails + 1;
    return { ...before, passes: 0, fails, health: fails >= spec.failures ? 'unhealthy' : before.health };
  }
  const passes = before.passes + 1;
  const health = passes >= spec.successes ? 'healthy' : before.health;
  return { health, passes, fails: 0, has_passed: true };
}

/** All checks of a job together: as ill as the worst of them, and well only where each is. */
export function jobHealth(checks: readonly Health[]): Health {
  if (checks.includes('unhealthy')) return 'unhealthy';
  return checks.length > 0 && checks.every((health) => health === 'healthy') ? 'healthy' : 'unknown';
}
