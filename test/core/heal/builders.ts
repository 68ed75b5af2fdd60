/** Facts for the tests of healing: one action that has failed and has nothing in its way, but for what a test names. */
import type { ActionFacts, ReclaimLook, ServiceFacts } from '../../../core/heal/facts.ts';
import { reason } from '../../../core/job/reason.ts';
import type { Observations } from '../../../core/reclaim/mod.ts';
import type { ActionSpec } from '../../../core/spec/mod.ts';
import { aTarget, seen } from '../reclaim/builders.ts';

export function actionFacts(changes: Partial<ActionFacts> = {}): ActionFacts {
  const { state = 'waiting' } = changes;
  const near = ['waiting', 'failed', 'stopped'].includes(state);
  return {
    action: 'main',
    job_id: 'j1',
    process: true,
    state,
    reason: reason('EXITED', 'exited with code 3', { exit_code: 3 }),
    failing: true,
    identity: state === 'running' ? { boot_id: 'b', pid: 100, start_time: 7 } : null,
    health: 'unknown',
    claims: [],
    obstacle: null,
    reclaim: near ? inTheWay() : null,
    ...changes,
  };
}

export function inTheWay(
  observations: Partial<Observations> = {},
  action: Partial<ActionSpec> = {},
): ReclaimLook {
  return { target: aTarget(action), seen: seen(observations) };
}

export function serviceFacts(actions: readonly ActionFacts[], wanted: 'up' | 'down' = 'up'): ServiceFacts {
  return { service: 'shop', wanted, actions };
}
