/**
 * How a plugin is written: one file, whose default export is made by one of four functions.
 *
 * @example
 * ```ts
 * import { defineHealthCheck } from 'upkeep/plugin';
 * import * as v from 'valibot';
 *
 * export default defineHealthCheck({
 *   name: 'queue',
 *   api: 1,
 *   summary: 'The queue is not longer than it may be.',
 *   options: v.strictObject({ file: v.string(), max: v.optional(v.number(), 100) }),
 *   permissions: { read: ['*'] },
 *   async check({ file, max }, ctx) {
 *     const length = Number(await ctx.readFile(file));
 *     const status = length > max ? 'fail' : 'pass';
 *     return { status, message: `${length} waiting`, data: { length } };
 *   },
 * });
 * ```
 */
import type * as v from 'valibot';
import type { Claim } from '../reclaim/claim.ts';
import type { EventRecord } from '../store/records.ts';
import type { HealthContext, PluginContext } from './context.ts';
import type { LogFacts, RotationDecision } from './log_rotator.ts';
import type { Permissions } from './permissions.ts';

/** The version of this interface. A plugin says which one it was written for. */
export const PLUGIN_API = 1;

/** The kinds of plugin. */
export const PLUGIN_KINDS = ['probe', 'health', 'rotate', 'notify'] as const;

/** One of {@link PLUGIN_KINDS}. */
export type PluginKind = (typeof PLUGIN_KINDS)[number];

/**
 * The fields that may stand beside `type` in the service file: a `v.strictObject({…})`, each field with its default and
 * its description.
 */
export type OptionsSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/** The options as a plugin gets them: checked, with defaults. */
export type OptionsOf<O extends OptionsSchema> = v.InferOutput<O>;

/** What every plugin says of itself. */
export interface PluginAbout<O extends OptionsSchema = OptionsSchema> {
  /** The `type` in the service file: lower case, digits and `_`. */
  readonly name: string;
  /** {@link PLUGIN_API}. */
  readonly api: 1;
  /** One sentence for whoever writes a service file. */
  readonly summary: string;
  readonly options: O;
  /** What it asks for. What is left out is not asked for. */
  readonly permissions?: Partial<Permissions>;
}

/** What a probe is asked. */
export interface HoldersQuery {
  readonly claims: readonly Claim[];
  /** Pids to look into first. */
  readonly suspects: readonly number[];
  /** False where the first holder of each claim is enough. */
  readonly exhaustive: boolean;
}

/** A process that holds a claim, as a probe tells it. upkeep finds out who that process is. */
export interface FoundHolder {
  /** One of those that were asked about. */
  readonly claim: Claim;
  /** Null where somebody has it and cannot be seen. */
  readonly pid: number | null;
  /** What it is bound to, where that is a port. */
  readonly address?: string | null;
  /** The descriptor and the inode, where they are known: with them upkeep can prove it at a glance. */
  readonly fd?: number | null;
  readonly inode?: string | null;
}

/** What a probe saw. */
export interface HoldersFound {
  readonly holders: readonly FoundHolder[];
  /** False where something was out of sight, so that "nobody" means "unknown". */
  readonly complete: boolean;
}

/** A way of finding out who holds ports and sockets. */
export interface ProbePlugin<O extends OptionsSchema = OptionsSchema> extends PluginAbout<O> {
  readonly kind: 'probe';
  /** Whether it can work here at all. Asked now and then. */
  available(ctx: PluginContext): boolean | Promise<boolean>;
  /** Many claims in one pass. What it throws is as good as no answer. */
  holders(query: HoldersQuery, ctx: PluginContext, options: OptionsOf<O>): Promise<HoldersFound>;
}

/** What one look at a service's health said. */
export interface HealthResult {
  /** `warn` is told, and counts as well. */
  readonly status: 'pass' | 'warn' | 'fail';
  /** One sentence. */
  readonly message: string;
  /** Numbers and words for programs. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A way of telling whether a service is well. */
export interface HealthCheckPlugin<O extends OptionsSchema = OptionsSchema> extends PluginAbout<O> {
  readonly kind: 'health';
  /**
   * One look. What it throws says that it could not look: the result is `unknown`, which never restarts anything.
   */
  check(options: OptionsOf<O>, ctx: HealthContext): HealthResult | Promise<HealthResult>;
}

/** A rule for when to rotate a log. Pure: it sees facts and answers. */
export interface LogRotatorPlugin<O extends OptionsSchema = OptionsSchema> extends PluginAbout<O> {
  readonly kind: 'rotate';
  /** True where it applies, with its defaults, to actions that say nothing of rotation. Built-in ones only. */
  readonly by_default?: boolean;
  decide(facts: LogFacts, options: OptionsOf<O>): RotationDecision;
}

/**
 * Thrown by a notifier that was told so clearly that this event is not wanted, or not understood, that trying again is
 * of no use. The event counts as lost, and the next one is told.
 *
 * @example
 * ```ts
 * if (status === 410) throw new GiveUp('answered 410');
 * ```
 */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}

/** A way of telling somebody what happened. */
export interface NotifierPlugin<O extends OptionsSchema = OptionsSchema> extends PluginAbout<O> {
  readonly kind: 'notify';
  /**
   * Tells of one event. Where it throws, it is tried again later, with pauses that grow; where it throws {@link GiveUp},
   * it is not. What it throws is shown to people, so it must not tell a secret.
   */
  notify(event: EventRecord, options: OptionsOf<O>, ctx: PluginContext): void | Promise<void>;
}

/** Any plugin. */
export type Plugin = ProbePlugin | HealthCheckPlugin | LogRotatorPlugin | NotifierPlugin;

/**
 * Defines a probe.
 *
 * @returns the same, with its `kind`: to be the default export of its file.
 */
export function defineProbe<const O extends OptionsSchema>(
  plugin: Omit<ProbePlugin<O>, 'kind'>,
): ProbePlugin<O> {
  return { kind: 'probe', ...plugin };
}

/** Defines a health check, as {@link defineProbe} does a probe. */
export function defineHealthCheck<const O extends OptionsSchema>(
  plugin: Omit<HealthCheckPlugin<O>, 'kind'>,
): HealthCheckPlugin<O> {
  return { kind: 'health', ...plugin };
}

/** Defines a log rotator, as {@link defineProbe} does a probe. */
export function defineLogRotator<const O extends OptionsSchema>(
  plugin: Omit<LogRotatorPlugin<O>, 'kind'>,
): LogRotatorPlugin<O> {
  return { kind: 'rotate', ...plugin };
}

/** Defines a notifier, as {@link defineProbe} does a probe. */
export function defineNotifier<const O extends OptionsSchema>(
  plugin: Omit<NotifierPlugin<O>, 'kind'>,
): NotifierPlugin<O> {
  return { kind: 'notify', ...plugin };
}
