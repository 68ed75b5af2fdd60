/**
 * How health checks are written in a service file: what all of them have in common, and beside it what each kind takes.
 */
import * as v from 'valibot';
import { countField, durationField, timeoutField } from './fields.ts';
import type { NamedPlugin, SpecRegistry } from './registry.ts';
import { byType, choice, fields, LIST_RULE, openFields, type Reads } from './schema_kit.ts';
import type { HealthSpec } from './spec.ts';

/** A health check as it is checked: `type`, the common fields, and its own options, with their defaults. */
export type HealthInput = Omit<HealthSpec, 'options'> & Readonly<Record<string, unknown>>;

const MAX_STREAK = 1_000;

const COMMON = {
  role: v.pipe(
    v.optional(choice(['startup', 'readiness', 'liveness']), 'liveness'),
    v.description(
      'What it decides. startup: when the service counts as ready, once. readiness: that, and from then on whether it is shown as well. liveness: what on_failure says.',
    ),
  ),
  interval: v.pipe(v.optional(timeoutField, '10s'), v.description('From one look to the next.')),
  timeout: v.pipe(
    v.optional(timeoutField, '2s'),
    v.description('How long one look may take; a service that has not answered by then has failed it.'),
  ),
  failures: v.pipe(
    v.optional(countField(1, MAX_STREAK), 3),
    v.description('So many failed looks in a row make it unhealthy.'),
  ),
  successes: v.pipe(
    v.optional(countField(1, MAX_STREAK), 1),
    v.description('So many passed looks in a row make it healthy.'),
  ),
  start_period: v.pipe(
    v.optional(durationField, 0),
    v.description(
      'For so long after a start failed looks do not count. It ends at the first look that passes.',
    ),
  ),
  on_failure: v.pipe(
    v.optional(choice(['restart', 'report', 'stop']), 'restart'),
    v.description(
      'What a liveness check does about an unhealthy service: restart it; report, and no more; or stop it until somebody starts it.',
    ),
  ),
};

/** The names that an option of a check cannot have. */
export const COMMON_HEALTH_FIELDS: readonly string[] = ['type', ...Object.keys(COMMON)];

/** The schema of the field `health`, with the checks there are. */
export function healthField({
  health_checks,
  incomplete = false,
}: SpecRegistry): Reads<readonly unknown[], HealthInput[]> {
  const shapes = new Map(health_checks.map((check) => [check.name, shapeOf(check)]));
  const item = byType<HealthInput>(shapes, incomplete ? UNKNOWN : null);
  return v.array(item, LIST_RULE) as Reads<readonly unknown[], HealthInput[]>;
}

function shapeOf({ name, summary, options, open_options = false }: NamedPlugin): Reads<unknown, HealthInput> {
  const entries = { type: v.literal(name), ...options.entries, ...COMMON };
  return (open_options ? openFields(entries, summary) : fields(entries, summary)) as Reads<
    unknown,
    HealthInput
  >;
}

/** A check of a plugin that could not be loaded. */
const UNKNOWN = openFields({ type: v.string(), ...COMMON }, 'A check of a plugin.') as Reads<
  unknown,
  HealthInput
>;

/** What all checks have in common. */
export function commonFields({
  type,
  role,
  interval,
  timeout,
  failures,
  successes,
  start_period,
  on_failure,
}: HealthInput): Omit<HealthSpec, 'options'> {
  return { type, role, interval, timeout, failures, successes, start_period, on_failure };
}

/** The options of a check alone. */
export function ownOptions(input: HealthInput): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !COMMON_HEALTH_FIELDS.includes(name)));
}
