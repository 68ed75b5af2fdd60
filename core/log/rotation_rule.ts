/**
 * Asks the rotators that a job's spec names.
 */
import type { LogFacts, LogRotator } from '../plugin/log_rotator.ts';
import type { LogPolicy } from './log_job.ts';

/** What the rotators of a job want, taken together. */
export interface RotationWish {
  /** How many bytes at most go into one segment: the least that any of them says. Null: none wants to rotate now. */
  readonly segment: number | null;
  /** When the first of the others wants to be asked again, ms since the epoch; infinite where none says. */
  readonly next_at: number;
}

/**
 * Asks every rotator that a job's policy names.
 *
 * @param rotators All there are. A type that none of them has is left out: checking the file has told.
 * @param failed Told of a rotator that throws; the others count all the same.
 */
export function askRotators(
  rotators: readonly LogRotator[],
  policy: LogPolicy,
  facts: LogFacts,
  failed: (type: string, error: unknown) => void,
): RotationWish {
  let segment: number | null = null;
  let next_at = Number.POSITIVE_INFINITY;
  for (const rule of policy.rotate) {
    try {
      const decision = rotators.find(({ name }) => name === rule.type)?.decide(facts, rule);
      if (decision?.action === 'rotate') segment = Math.min(segment ?? decision.bytes, decision.bytes);
      // What is not after now says nothing: it is asked again at the next look.
      else if (decision?.next_at !== undefined && decision.next_at > facts.now)
        next_at = Math.min(next_at, decision.next_at);
    } catch (error) {
      failed(rule.type, error);
    }
  }
  return { segment, next_at };
}

/**
 * How many bytes may be written between two looks: a quarter of what the job may have in all, or one segment,
 * whichever is less.
 *
 * @param now ms since the epoch.
 */
export function allowance(rotators: readonly LogRotator[], policy: LogPolicy, now: number): number {
  // What size a segment would have is for the rotators to say: they are asked about an endless log.
  const endless: LogFacts = { occasion: 'look', size: Number.MAX_SAFE_INTEGER, begun_at: now, now };
  return Math.min(
    policy.max_total / 4,
    askRotators(rotators, policy, endless, () => {}).segment ?? Number.POSITIVE_INFINITY,
  );
}
