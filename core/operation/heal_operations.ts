/**
 * Healing: a plan, and what comes of it.
 */
import * as v from 'valibot';
import { type HealRefusal, HealRefused } from '../heal/heal_control.ts';
import { described } from './described.ts';
import { OperationError, type OperationErrorCode } from './error.ts';
import { exampleHealPlan } from './examples.ts';
import { flagField, nameField } from './fields.ts';
import { healPlanSchema, healResultSchema } from './heal_schemas.ts';
import type { InputIssue } from './input_issue.ts';
import { defineCall } from './operation.ts';
import { DEFAULT_WAIT, knownService } from './service_operations.ts';

const healed = v.strictObject({
  name: described('The service.', nameField),
  dry_run: v.exactOptional(
    described('True to be told the plan only; it can be applied by its id.', flagField),
  ),
  plan_id: v.exactOptional(
    v.pipe(
      v.string('must be text'),
      v.maxLength(64, 'must be the id of a plan'),
      v.description('The plan to apply. It is refused if what it was made from has changed since.'),
    ),
  ),
  confirm: v.exactOptional(
    described('True to apply whatever the plan is now, without having seen it.', flagField),
  ),
  timeout: v.exactOptional(
    v.pipe(
      v.number('must be a number of milliseconds'),
      v.minValue(0, 'must be 0 or more'),
      v.maxValue(3_600_000, 'must be an hour or less'),
      v.description('How long to wait for the service to become well before it counts as not healed, ms.'),
    ),
  ),
});

/** Plans what makes a service well again, or does it and looks whether it helped. */
export const serviceHeal = defineCall({
  name: 'service.heal',
  kind: 'command',
  summary:
    'Make a service well again: with dry_run show the plan, with plan_id apply it and verify, with confirm do both at once.',
  input: v.pipe(
    healed,
    v.check(
      ({ dry_run = false, plan_id, confirm = false }) =>
        [dry_run, plan_id !== undefined, confirm].filter(Boolean).length === 1,
      'must have exactly one of dry_run: true, plan_id and confirm: true',
    ),
  ),
  output: v.union([healPlanSchema, healResultSchema]),
  errors: ['not_found', 'conflict', 'unavailable'],
  idempotent: false,
  destructive: true,
  scope: 'operate',
  // A plan is only looked at: what it rests on can be read as well.
  rehearsal: 'read',
  example: { input: { name: 'shop', dry_run: true }, output: exampleHealPlan },
  run: async (control, { name, dry_run = false, plan_id, timeout = DEFAULT_WAIT }, context) => {
    knownService(control, name);
    try {
      if (dry_run) return await control.heal.plan(name, context);
      const request = plan_id === undefined ? ({ confirm: true } as const) : { plan_id };
      return await control.heal.apply(name, request, context, timeout);
    } catch (error) {
      if (!(error instanceof HealRefused)) throw error;
      throw new OperationError(CODES[error.refusal], error.message, {
        issues: issuesOf(error, plan_id),
      });
    }
  },
});

const CODES = {
  unknown_plan: 'not_found',
  other_service: 'conflict',
  expired: 'conflict',
  facts_changed: 'conflict',
  busy: 'conflict',
} as const satisfies Record<HealRefusal, OperationErrorCode>;

/** What is wrong with the plan that was given: each fact that has changed, or the plan itself. */
function issuesOf({ refusal, message, changes }: HealRefused, plan_id: string | undefined): InputIssue[] {
  if (plan_id === undefined) return [];
  if (changes.length === 0) return [{ path: 'plan_id', rule: refusal, message, value: plan_id }];
  return changes.map(({ name, before, after }) => ({
    path: `plan_id.facts.${name}`,
    rule: 'changed',
    message: before === null ? 'was no fact then' : `was: ${before}`,
    value: after ?? 'no fact any more',
  }));
}
