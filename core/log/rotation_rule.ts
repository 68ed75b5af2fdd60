/**
 * Asks the rotators that a job's spec names.
 */
import type { LogFacts, LogRotator } from '../plugin/log_rotator.ts';
import type { LogPolicy } from './log_job.ts';

/**
 * How many bytes at most go into one segment: the least that any of the job's rotators says.
 *
 * @param rotators All there are. A type that none of them has is left out: checking the file has told.
 * @param failed Told of a rotator that throws; the others count all the same.
 * @returns null where no rotator wants to rotate now.
 */
export function segmentSize(
  rotators: readonly LogRotator[],
  policy: LogPolicy,
  facts: LogFacts,
  failed: (type: string, error: unknown) => void,
): number | null {
  let size: number | null = null;
  for (const rule of policy.rotate) {
    try {
      const decision = rotators.find(({ name }) => name === rule.type)?.decide(facts, rule);
      if (decision?.action === 'rotate') size = Math.min(size ?? decision.bytes, decision.bytes);
    } catch (error) {
      failed(rule.type, error);
    }
  }
  return size;
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
    segmentSize(rotators, policy, endless, () => {}) ?? Number.POSITIVE_INFINITY,
  );
}
