/**
 * Whether an action has been healed. Pure.
 */

import type { CheckState } from '../health/health_watch.ts';
import { isIll, isInDoubt } from '../health/illness.ts';
import type { Job } from '../job/job.ts';

/** `open`: nobody can say yet. */
export type Verdict = 'well' | 'ill' | 'open';

/** What is known of one action. */
export interface Patient {
  readonly job: Job;
  /** It must stay alive; else it is a oneshot. */
  readonly process: boolean;
  readonly checks: readonly CheckState[];
  /** It had been failing: that it runs is not enough, it has to be stable. */
  readonly must_be_stable: boolean;
}

/**
 * Judges each action of a service. What waits for another one is as ill as that, or open as long as that is.
 *
 * @example
 * ```ts
 * judge([{ job, process: true, checks: [], must_be_stable: false }]); // ['well'] where it runs
 * ```
 */
export function judge(patients: readonly Patient[]): Verdict[] {
  const verdicts = patients.map(judgeAlone);
  const hopeless =
    verdicts.includes('ill') &&
    patients.every(({ job }, index) => verdicts[index] !== 'open' || job.phase === 'pending');
  return hopeless ? verdicts.map((verdict) => (verdict === 'open' ? 'ill' : verdict)) : verdicts;
}

function judgeAlone({ job, process, checks, must_be_stable }: Patient): Verdict {
  switch (job.phase) {
    case 'succeeded':
      return 'well';
    // Told to try at once, it waits again: the try has failed, or something stands in the way.
    case 'retrying':
    case 'failed':
    case 'stopped':
      return 'ill';
    case 'pending':
      return job.reason.code === 'DEPENDENCY_FAILED' ? 'ill' : 'open';
    case 'preparing':
    case 'starting':
      return 'open';
    case 'stopping':
      return job.reason.code === 'SURVIVORS' ? 'ill' : 'open';
    case 'running':
      if (!process) return 'open';
      if (checks.some(isIll)) return 'ill';
      if (checks.some((check) => isInDoubt(check) || hasYetToLook(check))) return 'open';
      return must_be_stable && !job.stable ? 'open' : 'well';
  }
}

/** A startup check is not asked any more once the job runs. */
function hasYetToLook({ spec, last }: CheckState): boolean {
  return spec.role !== 'startup' && last === null;
}
