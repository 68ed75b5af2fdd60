/**
 * From a checked action to what the state machine needs to know of it.
 */
import type { JobPolicy } from '../job/policy.ts';
import { claimsOf } from './claims.ts';
import { launchDigest } from './launch_digest.ts';
import type { ActionSpec } from './spec.ts';

/** How a job of this action is to be treated. */
export function jobPolicy(action: ActionSpec): JobPolicy {
  const awaitsClaims = action.ready.claims !== 'none' && claimsOf(action).length > 0;
  const awaitsChecks = action.health.some(({ role }) => role !== 'liveness');
  return {
    process: action.process,
    awaits_ready: action.process && (awaitsClaims || awaitsChecks),
    ready_timeout: action.ready.timeout,
    stop_timeout: action.stop.timeout,
    recovery: action.recovery,
    spec_digest: launchDigest(action),
    restart: action.restart,
  };
}
