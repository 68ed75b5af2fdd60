/**
 * The plugin host: all plugins that a supervisor has. Built-in ones run in its process; each of somebody else's runs
 * in a process of its own, whose service this makes, and whose answers it puts among those of the built-in ones.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Agenda } from '../../host/agenda.ts';
import type { Channel, Host } from '../../host/host.ts';
import type { JobEvent } from '../../job/event.ts';
import type { Job } from '../../job/job.ts';
import { type Reason, reason } from '../../job/reason.ts';
import type { ServiceFile, ServiceSpec } from '../../spec/mod.ts';
import type { JobRuntime } from '../../supervisor/runtime.ts';
import type { BuiltInPlugins } from '../built_in.ts';
import { type HealthCheck, inProcessHealthCheck } from '../health_check.ts';
import type { LogRotator } from '../log_rotator.ts';
import { inProcessNotifier, type Notifier } from '../notifier.ts';
import { missingGrants, NOTHING } from '../permissions.ts';
import type { Probe } from '../probe.ts';
import { type Entry, entryOf, missingHealthCheck } from './adapters.ts';
import type { PluginDescription } from './boot.ts';
import type { LoadedPlugin } from './load.ts';
import { builtInRecords, hostedRecord, type PluginRecord } from './plugin_record.ts';
import { pluginService, pluginServiceName } from './plugin_service.ts';
import { RemotePlugin } from './remote_plugin.ts';
import { notEnforced, PLUGIN_ENV, type PluginRuntime, pluginCommand } from './runtime.ts';

/** The jobs of plugins, as the host needs them. */
export interface PluginJobs {
  of(service: string): JobRuntime | null;
  halting(): boolean;
  note(runtime: JobRuntime | null, why: Reason): void;
  dispatch(job_id: string, event: JobEvent): void;
  start(service: string): void;
  stop(service: string): void;
}

/** What a plugin host needs. */
export interface PluginHostPorts {
  readonly host: Host;
  readonly agenda: Agenda;
  readonly runtime: PluginRuntime;
  readonly built_in: BuiltInPlugins;
  readonly jobs: PluginJobs;
  /** The lists have changed. */
  changed(): void;
}

interface Hosted {
  readonly service: string;
  loaded: LoadedPlugin;
  /** Null where there is nothing to run. */
  readonly plugin: RemotePlugin | null;
  /** What of it is in the lists; made anew when it says that it is something else. */
  port: { readonly description: PluginDescription; readonly entry: Entry } | null;
}

/** Ms between the end of a plugin's channel and the end of its process, after which it is ended. */
const ENDING = 1_000;

/** Ms between two looks at whether plugins that are asked nothing still live. */
const PING_INTERVAL = 10_000;

/** See the top of this file. Its lists change in place: whoever holds one sees what there is now. */
export class PluginHost {
  /** Those of others come after the built-in ones: they are asked where those cannot tell. */
  readonly probes: Probe[];
  readonly rotators: LogRotator[];
  readonly health_checks: HealthCheck[];
  readonly notifiers: Notifier[];
  readonly #ports: PluginHostPorts;
  readonly #built_in: Pick<PluginHost, 'probes' | 'rotators' | 'health_checks' | 'notifiers'>;
  readonly #hosted = new Map<string, Hosted>();
  /** The types of checks that the service file names. */
  #checks: ReadonlySet<string> = new Set();

  constructor(ports: PluginHostPorts) {
    this.#ports = ports;
    const { probes, rotators, health_checks, notifiers } = ports.built_in;
    this.#built_in = {
      probes: [...probes],
      rotators: [...rotators],
      health_checks: health_checks.map((plugin) => inProcessHealthCheck(plugin, ports.host)),
      notifiers: notifiers.map((plugin) => inProcessNotifier(plugin, ports.host)),
    };
    this.probes = [...this.#built_in.probes];
    this.rotators = [...this.#built_in.rotators];
    this.health_checks = [...this.#built_in.health_checks];
    this.notifiers = [...this.#built_in.notifiers];
  }

  /**
   * Takes over the plugins of a service file.
   *
   * @returns the services that their processes are, by name.
   */
  adopt(loaded: readonly LoadedPlugin[], file: ServiceFile): Record<string, ServiceSpec> {
    const names = new Set<string>();
    const services: Record<string, ServiceSpec> = {};
    for (const plugin of loaded) {
      const service = pluginServiceName(plugin.spec.path, names);
      names.add(service);
      this.#take(service, plugin);
      if (plugin.located === null) continue;
      const { runtime, host, built_in } = this.#ports;
      const command = pluginCommand(plugin.located, runtime, host.files);
      services[service] = pluginService(service, command, built_in);
    }
    for (const [service, { plugin }] of this.#hosted) {
      if (names.has(service)) continue;
      plugin?.close();
      this.#hosted.delete(service);
    }
    this.#checks = checkTypes(file);
    this.#list();
    return services;
  }

  /** The service file is in force: says what is wrong with its plugins, and starts those that were quarantined. */
  begin(): void {
    if (this.#hosted.size > 0) this.#pingLater();
    for (const hosted of this.#hosted.values()) {
      for (const why of this.#remarks(hosted))
        this.#ports.jobs.note(this.#ports.jobs.of(hosted.service), why);
      if (hosted.plugin !== null) this.#ports.jobs.start(hosted.service);
    }
  }

  /** How the process of a plugin is launched; null for any other service. */
  launch(service: string): { base_env: typeof PLUGIN_ENV; connected(channel: Channel): void } | null {
    const plugin = this.#hosted.get(service)?.plugin;
    if (plugin === undefined || plugin === null) return null;
    return { base_env: PLUGIN_ENV, connected: (channel) => plugin.connected(channel) };
  }

  /** Every plugin, the built-in ones first. */
  records(): PluginRecord[] {
    return [
      ...builtInRecords(this.#ports.built_in),
      ...[...this.#hosted.values()].map((hosted) =>
        hostedRecord({
          ...hosted,
          job: this.#ports.jobs.of(hosted.service)?.job ?? null,
          not_enforced: notEnforced(this.#ports.runtime),
        }),
      ),
    ];
  }

  /** Nothing is asked any more. */
  close(): void {
    for (const { plugin } of this.#hosted.values()) plugin?.close();
  }

  #take(service: string, loaded: LoadedPlugin): void {
    const known = this.#hosted.get(service);
    const isSame =
      known?.plugin != null &&
      loaded.located !== null &&
      known.loaded.located?.file === loaded.located.file &&
      isSameKind(known.plugin.description, loaded.description);
    if (isSame) {
      known.loaded = loaded;
      known.plugin?.renew(loaded.description, loaded.spec.allow);
      return;
    }
    known?.plugin?.close();
    const { description, spec, located } = loaded;
    const plugin =
      located === null
        ? null
        : new RemotePlugin(spec.path, description, spec.allow, {
            host: this.#ports.host,
            restart: (why, fault) => this.#restart(service, why, fault === 'crash'),
            quarantine: (why) => {
              this.#ports.jobs.note(this.#ports.jobs.of(service), why);
              this.#ports.jobs.stop(service);
            },
            isBeingStopped: () => this.#isBeingStopped(service),
            described: () => this.#list(),
          });
    this.#hosted.set(service, { service, loaded, plugin, port: null });
  }

  #pingLater(): void {
    const { agenda, host } = this.#ports;
    agenda.set('plugins', host.clock.mono() + PING_INTERVAL, () => {
      for (const { plugin } of this.#hosted.values()) void plugin?.ping();
      if (this.#hosted.size > 0) this.#pingLater();
    });
  }

  /** @param dying its process has most likely ended already, and its job will hear of that. */
  #restart(service: string, why: Reason, dying: boolean): void {
    const { jobs, agenda, host } = this.#ports;
    const runtime = jobs.of(service);
    if (runtime === null) return;
    if (!dying) {
      endJob(jobs, runtime.job, why);
      return;
    }
    jobs.note(runtime, why);
    const { restart_count } = runtime.job;
    agenda.set(`plugin:${service}`, host.clock.mono() + ENDING, () => {
      if (runtime.job.restart_count === restart_count) endJob(jobs, runtime.job, why);
    });
  }

  #isBeingStopped(service: string): boolean {
    const { jobs } = this.#ports;
    const job = jobs.of(service)?.job;
    if (job === undefined || jobs.halting() || job.wanted === 'down') return true;
    return job.phase === 'stopping' && job.cause === 'requested';
  }

  #remarks({ loaded, plugin }: Hosted): Reason[] {
    const { path } = loaded.spec;
    if (loaded.error !== null) {
      return [
        reason('PLUGIN_FAILED', `the plugin ${path} cannot be loaded: ${loaded.error}`, { plugin: path }),
      ];
    }
    const asked = plugin?.description?.asked ?? NOTHING;
    const missing = missingGrants(asked, loaded.spec.allow);
    const not_enforced = notEnforced(this.#ports.runtime);
    const told = [
      ...(missing.length === 0 ? [] : [`is not granted all that it asks for (${missing.join(', ')})`]),
      ...not_enforced.map((what) => `is not held back everywhere: ${what}`),
    ];
    return told.map((what) =>
      reason('PLUGIN_LIMITED', `the plugin ${path} ${what}`, { plugin: path, missing, not_enforced }),
    );
  }

  /** Makes the lists anew, with what every plugin has said of itself by now. */
  #list(): void {
    const { host } = this.#ports;
    const own = this.#built_in;
    const entries = [...this.#hosted.values()].flatMap((hosted) => {
      const description = hosted.plugin?.description ?? null;
      if (hosted.plugin === null || description === null) return [];
      // A rotator's answers stay with it.
      if (hosted.port === null || !isDeepStrictEqual(hosted.port.description, description)) {
        hosted.port = {
          description,
          entry: entryOf(hosted.plugin, description, () => hosted.loaded.spec.options, host),
        };
      }
      return [hosted.port.entry];
    });
    const of = <K extends Entry['kind']>(kind: K) =>
      entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind);
    replace(this.probes, [...own.probes, ...of('probe').map(({ port }) => port)]);
    replace(this.rotators, [...own.rotators, ...of('rotate').map(({ port }) => port)]);
    replace(this.notifiers, [...own.notifiers, ...of('notify').map(({ port }) => port)]);
    const checks = [...own.health_checks, ...of('health').map(({ port }) => port)];
    const lost = [...this.#checks].filter((type) => !checks.some(({ name }) => name === type));
    const missing = lost.map((type) => missingHealthCheck(type, () => this.#unloaded()));
    replace(this.health_checks, [...checks, ...missing]);
    this.#ports.changed();
  }

  /** The plugins that could not be loaded, and why: one of them has what is missing. */
  #unloaded(): string {
    return [...this.#hosted.values()]
      .filter(({ plugin }) => plugin === null || plugin.description === null)
      .map(({ loaded, plugin }) => `${loaded.spec.path}: ${plugin?.last_error ?? loaded.error}`)
      .join('; ');
  }
}

function endJob(jobs: PluginJobs, { id, phase, epoch }: Job, why: Reason): void {
  if (phase === 'running' || phase === 'starting') {
    jobs.dispatch(id, { type: 'faulted', epoch, reason: why, give_up: false });
  }
}

function isSameKind(known: PluginDescription | null, now: PluginDescription | null): boolean {
  return known === null || now === null || (known.kind === now.kind && known.name === now.name);
}

function checkTypes({ services }: ServiceFile): Set<string> {
  const actions = Object.values(services).flatMap((service) => Object.values(service.actions));
  return new Set(actions.flatMap(({ health }) => health.map(({ type }) => type)));
}

function replace<T>(list: T[], items: readonly T[]): void {
  list.splice(0, list.length, ...items);
}
