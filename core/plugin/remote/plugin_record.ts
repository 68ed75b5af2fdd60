/**
 * Plugins as they are shown.
 */
import { identityOf, type Job } from '../../job/job.ts';
import type { BuiltInPlugins } from '../built_in.ts';
import { PLUGIN_API, type PluginKind } from '../definition.ts';
import { EVERYTHING, missingGrants, NOTHING, type Permissions } from '../permissions.ts';
import type { LoadedPlugin } from './load.ts';
import type { RemotePlugin } from './remote_plugin.ts';

/** A plugin, as it is shown. */
export interface PluginRecord {
  /** Null where it never could say. */
  readonly name: string | null;
  readonly kind: PluginKind | null;
  /** `built_in`, or as in the service file. */
  readonly source: string;
  /** The service that its process is; null where it has none. */
  readonly service: string | null;
  readonly api: number | null;
  readonly summary: string;
  readonly asked: Permissions;
  readonly granted: Permissions;
  /** What it asks for and is not granted, as `run: ss`. */
  readonly missing: readonly string[];
  /** What Node cannot keep it from, a sentence each. */
  readonly not_enforced: readonly string[];
  readonly state: 'built_in' | RemotePlugin['state'];
  readonly pid: number | null;
  readonly restart_count: number;
  /** Since upkeep has started. */
  readonly calls: number;
  readonly faults: number;
  /** Wishes that were not granted. */
  readonly denied: number;
  readonly last_error: string | null;
  readonly last_call_ms: number | null;
}

/** What is known of a plugin of somebody else's. */
export interface HostedFacts {
  readonly service: string;
  readonly loaded: LoadedPlugin;
  /** Null where there is nothing to run. */
  readonly plugin: RemotePlugin | null;
  readonly job: Job | null;
  readonly not_enforced: readonly string[];
}

/** The record of a plugin of somebody else's. */
export function hostedRecord({ service, loaded, plugin, job, not_enforced }: HostedFacts): PluginRecord {
  const description = plugin?.description ?? null;
  const asked = description?.asked ?? NOTHING;
  const { path, allow } = loaded.spec;
  return {
    name: description?.name ?? null,
    kind: description?.kind ?? null,
    source: path,
    service: plugin === null ? null : service,
    api: description?.api ?? null,
    summary: description?.summary ?? '',
    asked,
    granted: allow,
    missing: missingGrants(asked, allow),
    not_enforced,
    state: plugin?.state ?? 'failed',
    pid: job === null ? null : (identityOf(job)?.pid ?? null),
    restart_count: job?.restart_count ?? 0,
    calls: plugin?.calls ?? 0,
    faults: plugin?.faults ?? 0,
    denied: plugin?.denied ?? 0,
    last_error: plugin?.last_error ?? loaded.error,
    last_call_ms: plugin?.last_call_ms ?? null,
  };
}

/** The records of the plugins that run in this process. */
export function builtInRecords({
  probes,
  health_checks,
  rotators,
  notifiers,
}: BuiltInPlugins): PluginRecord[] {
  const of = (
    kind: PluginKind,
    name: string,
    summary: string,
    asked: Partial<Permissions>,
  ): PluginRecord => ({
    name,
    kind,
    source: 'built_in',
    service: null,
    api: PLUGIN_API,
    summary,
    asked: { ...NOTHING, ...asked },
    granted: EVERYTHING,
    missing: [],
    not_enforced: [],
    state: 'built_in',
    pid: null,
    restart_count: 0,
    calls: 0,
    faults: 0,
    denied: 0,
    last_error: null,
    last_call_ms: null,
  });
  return [
    ...probes.map(({ name }) => of('probe', name, '', {})),
    ...health_checks.map(({ name, summary, permissions }) => of('health', name, summary, permissions ?? {})),
    ...rotators.map(({ name, summary }) => of('rotate', name, summary, {})),
    ...notifiers.map(({ name, summary, permissions }) => of('notify', name, summary, permissions ?? {})),
  ];
}

/** What a probe that runs in this process was asked, as far as a record shows it. */
interface ProbeCalls {
  readonly name: string;
  readonly calls: number;
  readonly faults: number;
  readonly last_error: string | null;
  /** Ms. */
  readonly last_duration: number | null;
}

/** The records, with what is known of the probes that run in this process: those are asked by no {@link RemotePlugin}. */
export function withCalls(records: readonly PluginRecord[], probes: readonly ProbeCalls[]): PluginRecord[] {
  const asked = new Map(probes.map((stats) => [stats.name, stats]));
  return records.map((record) => {
    const stats =
      record.kind === 'probe' && record.service === null ? asked.get(record.name ?? '') : undefined;
    if (stats === undefined) return record;
    const { calls, faults, last_error, last_duration } = stats;
    return { ...record, calls, faults, last_error, last_call_ms: last_duration };
  });
}
