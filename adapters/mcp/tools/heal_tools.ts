/**
 * Tools that heal: a plan that changes nothing, and its application.
 */
import type { ActionVerification, HealPlan, HealResult } from '../../../core/heal/heal_control.ts';
import { healPlanSchema, healResultSchema } from '../../../core/operation/heal_schemas.ts';
import { defineTool } from '../tool.ts';
import { eventLine, moment, said } from '../words.ts';

/** How many of the events that followed are told in words; all of them are in the structured answer. */
const TOLD = 20;

/** What would be done. */
export const planHeal = defineTool({
  name: 'plan_heal',
  operation: 'service.heal',
  title: 'Plan how to heal a service',
  description:
    'Show what upkeep would do to make a service well: the steps in order, what each rests on, the risk, what is blocked and what somebody could do by hand. Changes nothing. Call diagnose before it, and afterwards heal with the plan_id if the plan is right; a plan expires, and is refused once the facts that it was made from have changed.',
  preset: { dry_run: true },
  hidden: ['plan_id', 'confirm', 'timeout'],
  dry: true,
  output: healPlanSchema,
  untrusted: ['facts[].value', 'steps[].target.command', 'blocked[].reason'],
  text: (output) => {
    // By the preset it is a plan.
    const plan = output as HealPlan;
    const { service, steps, blocked, expires_at } = plan;
    return [
      // What the steps say need not be said twice.
      steps.length + blocked.length === 0
        ? `${said(plan.summary)}.`
        : `${service}: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}, ${blocked.length} blocked; risk: ${plan.risk} (${RISKS_IN_WORDS[plan.risk]}).`,
      ...planLines(plan),
      ...(steps.length > 0
        ? [`The plan can be applied until ${moment(expires_at)}, unless its facts change before.`]
        : []),
      ...(steps.length === 0 && blocked.length > 0
        ? [
            'upkeep may do nothing about it: report what is blocked, and what would allow or help it. Once that is done, list shows whether it came up by itself, and plan_heal what is left to do.',
          ]
        : []),
    ].join('\n');
  },
  next: (output) => {
    const { id: plan_id, service: name, steps } = output as HealPlan;
    return steps.length === 0 ? null : { operation: 'service.heal', input: { name, plan_id } };
  },
});

/** Does it, and looks whether it helped. */
export const heal = defineTool({
  name: 'heal',
  operation: 'service.heal',
  title: 'Heal a service by a plan',
  description:
    'Apply a plan of plan_heal by its plan_id, and verify with a fresh look whether the service is well: the answer proves it, no other call is needed for that. It is refused, and nothing is done, where the plan has expired or the facts have changed since: then call plan_heal again. With confirm: true in place of plan_id it does whatever the plan is now, unseen. Waits for the service to become well, for timeout ms at most.',
  hidden: ['dry_run'],
  defaults: { timeout: 45_000 },
  confirmed_by: 'plan',
  waits: true,
  output: healResultSchema,
  untrusted: ['plan.facts[].value', 'plan.steps[].target.command', 'events[].message', 'events[].evidence'],
  text: (output) => {
    const { outcome, plan, verification, events } = output as HealResult;
    return [
      `${plan.service}: ${outcome}. ${said(verification.message)} (looked at ${moment(verification.checked_at)}).`,
      ...verification.actions.map(proofLine),
      ...planLines(plan),
      ...(events.length === 0 ? [] : ['What happened:', ...events.slice(-TOLD).map(eventLine)]),
    ].join('\n');
  },
  next: (output) => {
    const { outcome, plan } = output as HealResult;
    // Where nothing could be done, nothing new is to be learnt.
    const tried = outcome === 'not_healed' && plan.steps.length > 0;
    return tried ? { operation: 'service.why', input: { name: plan.service } } : null;
  },
  instead: ({ code, issues }, { name }) => {
    const about_plan = issues.some(({ path }) => path.startsWith('plan_id'));
    const again = code === 'conflict' || (code === 'not_found' && about_plan);
    return again ? { operation: 'service.heal', input: { name, dry_run: true } } : null;
  },
});

const RISKS_IN_WORDS: Readonly<Record<HealPlan['risk'], string>> = {
  none: 'nothing is done',
  low: 'only what is down is started',
  medium: 'a process of the service that runs is stopped and started again',
  high: 'a process of somebody else is stopped',
};

/** `main: well: pid 4711, healthy, tcp:8080 held by: own`. */
function proofLine({ action, well, phase, health, pid, claims }: ActionVerification): string {
  const found = [
    phase,
    ...(pid === null ? [] : [`pid ${pid}`]),
    ...(health === 'unknown' ? [] : [health]),
    ...claims.map(({ claim, held_by }) => `${claim} held by: ${held_by}`),
  ];
  return `  ${action}: ${well ? 'well' : 'not well'}: ${found.join(', ')}`;
}

function planLines({ steps, blocked }: HealPlan): string[] {
  return [
    ...steps.map(
      ({ action, kind, description, destructive }, index) =>
        `  ${index + 1}. ${action}: ${kind}${destructive ? ' (ends a process)' : ''}: ${said(description)}`,
    ),
    ...blocked.flatMap(({ action, reason, grant, instead }) => [
      `  blocked: ${action}: ${reason.code}: ${said(reason.message)}`,
      ...(grant === null ? [] : [`    would be allowed by: ${said(grant)}`]),
      ...instead.map((way) => `    by hand: ${said(way)}`),
    ]),
  ];
}
