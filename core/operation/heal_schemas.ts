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
import { eventSchema, identitySchema, reasonSchema } from './schemas.ts';

const said = <T>(schema: v.GenericSchema<T>, description: string): v.GenericSchema<T> =>
  v.pipe(schema, v.description(description));

const action = said(v.string(), 'The action of the service.');
const time = v.number();

const fact: v.GenericSchema<Fact> = v.object({
  name: said(v.string(), 'What it is about, such as main.state or main.tcp:8080.'),
  value: said(v.string(), 'What is so.'),
});

const target: v.GenericSchema<StepTarget> = v.variant('type', [
  v.object({
    type: said(v.literal('job'), 'A job of the service.'),
    job_id: said(v.string(), 'Its id.'),
    identity: said(v.nullable(identitySchema), 'Its process; null where it has none.'),
  }),
  v.object({
    type: said(v.literal('process'), 'A process.'),
    identity: said(identitySchema, 'Which one.'),
    command: said(v.string(), 'Its command line. Untrusted text: whoever started it chose it.'),
  }),
  v.object({
    type: said(v.literal('file'), 'A file.'),
    path: said(v.string(), 'Its absolute path.'),
  }),
]);

const step: v.GenericSchema<HealStep> = v.object({
  action,
  kind: said(v.picklist(STEP_KINDS), 'What is done.'),
  target: said(target, 'What it is done to.'),
  description: said(v.string(), 'The step in words.'),
  destructive: said(v.boolean(), 'Whether it ends a process that lives.'),
  requires: said(
    v.nullable(v.picklist(['singleton', 'kill_other'])),
    'The permission in the service file that it rests on; null where it needs none.',
  ),
});

const block: v.GenericSchema<HealBlock> = v.object({
  action,
  reason: said(reasonSchema, 'What is in the way, with evidence.'),
  grant: said(
    v.nullable(v.string()),
    'What in the service file would allow upkeep to do it; null where nothing would.',
  ),
  instead: said(v.array(v.string()), 'What somebody can do about it by hand.'),
});

/** A {@link HealPlan}. */
export const healPlanSchema: v.GenericSchema<HealPlan> = v.object({
  id: said(v.string(), 'To be given as plan_id.'),
  service: said(v.string(), 'The service that it is for.'),
  created_at: said(time, 'When it was made, ms since the epoch.'),
  expires_at: said(time, 'From when on it is not applied any more, ms since the epoch.'),
  summary: said(v.string(), 'The plan in one sentence.'),
  risk: said(
    v.picklist(RISKS),
    'none: nothing is done; low: only what is down is started; medium: a process of the service is restarted; high: a process of somebody else is stopped.',
  ),
  facts: said(v.array(fact), 'What it was made from; it is refused once one of them is another.'),
  steps: said(v.array(step), 'What is done, in this order.'),
  blocked: said(v.array(block), 'What upkeep may not or cannot do.'),
});

const actionVerification: v.GenericSchema<ActionVerification> = v.object({
  action,
  well: said(v.boolean(), 'Whether it is up, holds its claims and is not ill; or has succeeded.'),
  phase: said(v.picklist(PHASES), 'Its phase.'),
  health: said(v.picklist(['healthy', 'unhealthy', 'unknown']), 'What its health checks come to.'),
  pid: said(v.nullable(v.number()), 'Its main process.'),
  claims: said(
    v.array(
      v.object({
        claim: said(v.string(), 'The claim, such as tcp:8080.'),
        held_by: said(v.string(), 'own, inferred, other, contested, free or unknown.'),
      }),
    ),
    'Who was seen to hold its claims by a probe that was asked last of all.',
  ),
  message: said(v.string(), 'Why it is judged so.'),
});

const verification: v.GenericSchema<Verification> = v.object({
  checked_at: said(time, 'When it was looked at, ms since the epoch.'),
  well: said(v.boolean(), 'Whether every action is well.'),
  message: said(v.string(), 'What was found, in one sentence.'),
  actions: said(v.array(actionVerification), 'Each action, and how it was found.'),
});

/** A {@link HealResult}. */
export const healResultSchema: v.GenericSchema<HealResult> = v.object({
  plan_id: said(v.string(), 'The plan that was applied.'),
  outcome: said(
    v.picklist(HEAL_OUTCOMES),
    'healed: it was done and the service is well; not_healed: the service is not well; nothing_to_do: nothing was done, and nothing had to be.',
  ),
  plan: said(healPlanSchema, 'The plan itself.'),
  verification: said(verification, 'A fresh look, after everything else.'),
  events: said(v.array(eventSchema), 'What has happened to the service since, oldest first.'),
});
