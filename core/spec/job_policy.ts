/**
 * From a checked action to what the state machine needs to know of it.
 */
import type { JobPolicy } from '../job/policy.ts';
import { claimsOf } from './claims.ts';
import { launchDigest } from './launch_digest.ts';
import type { ActionSpec } from './spec.ts';

/** How a job of this action is to be treated. */
export function jobPolicy(action: ActionSpec): JobPolicy {
  return {
    process: action.process,
    awaits_claims: action.process && action.ready.claims !== 'none' && claimsOf(action).length > 0,
    ready_timeout: action.ready.timeout,
    stop_timeout: action.stop.timeout,
    recovery: action.recovery,
    spec_digest: launchDigest(action),
    restart: action.restart,
  };
}
