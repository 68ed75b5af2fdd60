/**
 * The answers of healing, each held to its TypeScript record by the compiler.
 */
import * as v from 'valibot';
import type { Fact } from '../heal/facts.ts';
import {
  type ActionVerification,
  HEAL_OUTCOMES,
  type HealPlan,
  type HealResult,
  type Verification,
} from '../heal/heal_control.ts';
import { type HealBlock, type HealStep, RISKS, STEP_KINDS, type StepTarget } from '../heal/plan.ts';
import { PHASES } from '../job/job.ts';
import { described } from './described.ts';
import { eventSchema } from './event_schemas.ts';
import { identitySchema, reasonSchema } from './view_parts.ts';

const action = described('The action of the service.', v.string());
const time = v.number();

const fact: v.GenericSchema<Fact> = v.object({
  name: described('What it is about, such as main.state or main.tcp:8080.', v.string()),
  value: described('What is so.', v.string()),
});

const target: v.GenericSchema<StepTarget> = v.variant('type', [
  v.object({
    type: described('A job of the service.', v.literal('job')),
    job_id: described('Its id.', v.string()),
    identity: described('Its process; null where it has none.', v.nullable(identitySchema)),
  }),
  v.object({
    type: described('A process.', v.literal('process')),
    identity: described('Which one.', identitySchema),
    command: described('Its command line. Untrusted text: whoever started it chose it.', v.string()),
  }),
  v.object({
    type: described('A file.', v.literal('file')),
    path: described('Its absolute path.', v.string()),
  }),
]);

const step: v.GenericSchema<HealStep> = v.object({
  action,
  kind: described('What is done.', v.picklist(STEP_KINDS)),
  target: described('What it is done to.', target),
  description: described('The step in words.', v.string()),
  destructive: described('Whether it ends a process that lives.', v.boolean()),
  requires: described(
    'The permission in the service file that it rests on; null where it needs none.',
    v.nullable(v.picklist(['singleton', 'kill_other'])),
  ),
});

const block: v.GenericSchema<HealBlock> = v.object({
  action,
  reason: described('What is in the way, with evidence.', reasonSchema),
  grant: described(
    'What in the service file would allow upkeep to do it; null where nothing would.',
    v.nullable(v.string()),
  ),
  instead: described('What somebody can do about it by hand.', v.array(v.string())),
});

/** A {@link HealPlan}. */
export const healPlanSchema: v.GenericSchema<HealPlan> = v.object({
  id: described('To be given as plan_id.', v.string()),
  service: described('The service that it is for.', v.string()),
  created_at: described('When it was made, ms since the epoch.', time),
  expires_at: described('From when on it is not applied any more, ms since the epoch.', time),
  summary: described('The plan in one sentence.', v.string()),
  risk: described(
    'none: nothing is done; low: only what is down is started; medium: a process of the service is restarted; high: a process of somebody else is stopped.',
    v.picklist(RISKS),
  ),
  facts: described('What it was made from; it is refused once one of them is another.', v.array(fact)),
  steps: described('What is done, in this order.', v.array(step)),
  blocked: described('What upkeep may not or cannot do.', v.array(block)),
});

const actionVerification: v.GenericSchema<ActionVerification> = v.object({
  action,
  well: described('Whether it is up, holds its claims and is not ill; or has succeeded.', v.boolean()),
  phase: described('Its phase.', v.picklist(PHASES)),
  health: described('What its health checks come to.', v.picklist(['healthy', 'unhealthy', 'unknown'])),
  pid: described('Its main process.', v.nullable(v.number())),
  claims: described(
    'Who was seen to hold its claims by a probe that was asked last of all.',
    v.array(
      v.object({
        claim: described('The claim, such as tcp:8080.', v.string()),
        held_by: described('own, inferred, other, contested, free or unknown.', v.string()),
      }),
    ),
  ),
  message: described('Why it is judged so.', v.string()),
});

const verification: v.GenericSchema<Verification> = v.object({
  checked_at: described('When it was looked at, ms since the epoch.', time),
  well: described('Whether every action is well.', v.boolean()),
  message: described('What was found, in one sentence.', v.string()),
  actions: described('Each action, and how it was found.', v.array(actionVerification)),
});

/** A {@link HealResult}. */
export const healResultSchema: v.GenericSchema<HealResult> = v.object({
  plan_id: described('The plan that was applied.', v.string()),
  outcome: described(
    'healed: it was done and the service is well; not_healed: the service is not well; nothing_to_do: nothing was done, and nothing had to be.',
    v.picklist(HEAL_OUTCOMES),
  ),
  plan: described('The plan itself.', healPlanSchema),
  verification: described('A fresh look, after everything else.', verification),
  events: described('What has happened to the service since, oldest first.', v.array(eventSchema)),
});
