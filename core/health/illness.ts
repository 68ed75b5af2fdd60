/**
 * What failing checks say about a job, in words. Pure.
 */
import type { Job } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { CheckState } from './health_watch.ts';

/** A check that is unhealthy: which one, what it said last, and how often in a row. */
export function unhealthyReason({ spec, standing, last }: CheckState): Reason {
  const looks = standing.fails === 1 ? '1 failed look' : `${standing.fails} failed looks in a row`;
  return reason('UNHEALTHY', `${spec.type}: ${last?.message ?? 'failed'} (${looks})`, {
    check: spec.type,
    role: spec.role,
    fails: standing.fails,
    said: last?.message ?? null,
    data: last?.data ?? {},
  });
}

/** Why a job is where it is, where its health says more than what made it start. */
export function presentReason(job: Job, checks: readonly CheckState[]): Reason {
  const ill = job.phase === 'running' ? checks.find(isIll) : undefined;
  return ill === undefined ? job.reason : unhealthyReason(ill);
}

/** What of the checks that a start waits for has not passed yet, a line each. */
export function notPassed(checks: readonly CheckState[]): string[] {
  return checks
    .filter(({ spec, standing }) => spec.role !== 'liveness' && standing.health !== 'healthy')
    .map(({ spec, last }) => `${spec.type} (${last?.message ?? 'has not looked yet'})`);
}

/** It has failed as often in a row as it may, and is not a startup check that nobody asks any more. */
export function isIll({ spec, standing }: CheckState): boolean {
  return spec.role !== 'startup' && standing.health === 'unhealthy';
}

/** Its last look failed, whether that counts yet or not. */
export function isInDoubt({ spec, standing }: CheckState): boolean {
  return spec.role !== 'startup' && standing.fails > 0;
}
