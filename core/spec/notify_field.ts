/**
 * How notifiers are written in a service file: what all of them have in common, and beside it what each kind takes.
 */
import * as v from 'valibot';
import { REASON_CODES, type ReasonCode } from '../job/reason.ts';
import { durationField, nameField } from './fields.ts';
import type { Fault } from './issue.ts';
import { nearest } from './nearest.ts';
import type { NamedPlugin, SpecRegistry } from './registry.ts';
import {
  byType,
  choice,
  didYouMean,
  fields,
  kindOf,
  LIST_RULE,
  openFields,
  type Reads,
} from './schema_kit.ts';
import type { NotifySpec } from './spec.ts';

/** A notifier as it is checked: `type`, the common fields, and its own options, with their defaults. */
export type NotifyInput = {
  readonly type: string;
  readonly events: readonly ReasonCode[];
  readonly services?: readonly string[] | undefined;
  readonly min_interval: number;
} & Readonly<Record<string, unknown>>;

/** Nobody is told that somebody could not be told: that would go round in circles. */
const TELLABLE = REASON_CODES.filter((code) => code !== 'NOTIFY_DEGRADED');

/**
 * What a person is told where a rule does not say of what: what upkeep cannot mend by itself, has given up, or mends
 * for now only. That a process ended and was started again is not among it.
 */
export const WORTH_TELLING = [
  'GAVE_UP',
  'UNHEALTHY',
  'NOT_READY',
  'OOM_KILLED',
  'COMMAND_NOT_FOUND',
  'SPAWN_FAILED',
  'PORT_HELD',
  'SOCKET_HELD',
  'SOCKET_NOT_A_SOCKET',
  'PIDFILE_HELD',
  'DEPENDENCY_FAILED',
  'SURVIVORS',
  'STORE_DEGRADED',
  'LOG_DEGRADED',
  'INTERNAL_ERROR',
] as const satisfies readonly ReasonCode[];

const COMMON = {
  events: v.pipe(
    v.optional(v.array(choice(TELLABLE), LIST_RULE), [...WORTH_TELLING]),
    v.description(
      'The reason codes that it tells of. Default: those that upkeep cannot mend by itself, has given up on, or mends for now only.',
    ),
  ),
  services: v.pipe(
    v.optional(v.array(nameField, LIST_RULE)),
    v.description('The services that it tells of. Default: all, and what is about none of them.'),
  ),
  min_interval: v.pipe(
    v.optional(durationField, 0),
    v.description(
      'Once it has told of a code about an action, it tells of the same no sooner than after this time.',
    ),
  ),
};

/** The names that an option of a notifier cannot have. */
export const COMMON_NOTIFY_FIELDS: readonly string[] = ['type', ...Object.keys(COMMON)];

/** The schema of the field `notify`, with the notifiers there are. */
export function notifyField({
  notifiers,
  incomplete = false,
}: SpecRegistry): Reads<readonly unknown[], NotifyInput[]> {
  const shapes = new Map(notifiers.map((notifier) => [notifier.name, shapeOf(notifier)]));
  const item = byType<NotifyInput>(shapes, incomplete ? UNKNOWN : null);
  return v.array(item, LIST_RULE) as Reads<readonly unknown[], NotifyInput[]>;
}

function shapeOf({ name, summary, options, open_options = false }: NamedPlugin): Reads<unknown, NotifyInput> {
  const entries = { type: v.literal(name), ...options.entries, ...COMMON };
  const shape = open_options ? openFields(entries, summary) : fields(entries, summary);
  return shape as Reads<unknown, NotifyInput>;
}

/** A notifier of a plugin that could not be loaded. */
const UNKNOWN = openFields({ type: v.string(), ...COMMON }, 'A notifier of a plugin.') as Reads<
  unknown,
  NotifyInput
>;

/** The checked record of a notifier. */
export function resolveNotify(input: NotifyInput): NotifySpec {
  const { type, events, services = null, min_interval } = input;
  const options = Object.entries(input).filter(([name]) => !COMMON_NOTIFY_FIELDS.includes(name));
  return { type, events, services, min_interval, options: Object.fromEntries(options) };
}

/** Services that are named under `notify` and are not in the file, whatever else is wrong with it. */
export function notifyFaults(data: unknown): Fault[] {
  const { notify, services } = mapOf(data);
  const known = Object.keys(mapOf(services));
  return listOf(notify).flatMap((rule, index) =>
    listOf(mapOf(rule)['services']).flatMap((name, place): Fault[] => {
      if (typeof name !== 'string' || known.includes(name) || !v.is(nameField, name)) return [];
      const path = ['notify', index, 'services', place];
      const message = `must be a service of this file${didYouMean(nearest(name, known))}`;
      return [{ path, rule: 'known_service', message, value: JSON.stringify(name) }];
    }),
  );
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return kindOf(value) === 'map' ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
