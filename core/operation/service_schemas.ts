/**
 * The schemas of services, their actions and checks, each held to its TypeScript record by the compiler.
 */
import * as v from 'valibot';
import type { ActionView, CheckView, ServiceView } from '../supervisor/control.ts';
import { described, named } from './described.ts';
import {
  action,
  attempt,
  count,
  health,
  jobId,
  nextAttemptAt,
  phase,
  pid,
  reasonSchema,
  restartCount,
  startedAt,
  state,
  text,
  time,
  wanted,
} from './view_parts.ts';

/** A {@link CheckView}. */
export const checkSchema: v.GenericSchema<CheckView> = named(
  'Check',
  'A health check of an action that runs, as it stands.',
  v.object({
    type: described('The health check: `http`, `tcp`, or the name of a plugin.', v.string()),
    role: described('What depends on it.', v.picklist(['startup', 'readiness', 'liveness'])),
    on_failure: described(
      'What follows when it fails too often in a row.',
      v.picklist(['restart', 'report', 'stop']),
    ),
    health,
    status: described(
      'What the last look said; null before the first. `unknown`: it could not look.',
      v.nullable(v.picklist(['pass', 'warn', 'fail', 'unknown'])),
    ),
    message: described('What the last look said, in words.', text),
    data: described('The figures of the last look.', v.record(v.string(), v.unknown())),
    looked_at: described('When the last look ended, ms since 1970; null before the first.', v.nullable(time)),
    duration: described('How long the last look took, ms.', v.nullable(v.number())),
    passes: described('Looks in a row that passed.', count),
    fails: described('Looks in a row that failed.', count),
  }),
);

/** An {@link ActionView}. */
export const actionSchema: v.GenericSchema<ActionView> = named(
  'Action',
  'One action of a service, and how its job stands.',
  v.object({
    action,
    job_id: jobId,
    phase,
    health,
    checks: described('Its health checks as they stand; none while it does not run.', v.array(checkSchema)),
    pid,
    started_at: startedAt,
    restart_count: restartCount,
    attempt,
    next_attempt_at: nextAttemptAt,
    reason: described('Why it is where it is; null before the first start.', v.nullable(reasonSchema)),
  }),
);

/** A {@link ServiceView}. */
export const serviceSchema: v.GenericSchema<ServiceView> = named(
  'Service',
  'A named set of actions that together keep one thing alive.',
  v.object({
    name: described('The name of the service.', v.string()),
    wanted,
    state,
    run_id: described('The run that it is in, or was in last; null before the first start.', text),
    actions: described('Its actions, in the order in which they start.', v.array(actionSchema)),
  }),
);
