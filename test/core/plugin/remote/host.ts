/**
 * A supervisor with plugins in processes of their own, in this process, on a folder of its own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { nodeHost } from '../../../../core/host/node_host.ts';
import type { Probe } from '../../../../core/plugin/probe.ts';
import type { PluginRecord } from '../../../../core/plugin/remote/plugin_record.ts';
import type { PluginRuntime } from '../../../../core/plugin/remote/runtime.ts';
import type { EventRecord } from '../../../../core/store/records.ts';
import { startSupervisor } from '../../../../core/supervisor/start.ts';
import type { Supervisor } from '../../../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../../../plugins/mod.ts';
import { OWN_RUNTIME, PLUGINS } from '../../../support/plugins.ts';
import { until } from '../../../support/until.ts';

/** A plugin as a test names it: by its file among the fixtures, or by an absolute path. */
export interface Named {
  readonly path: string;
  readonly allow?: object;
  readonly options?: object;
}

/** One supervisor's world. */
export class PluginWorld {
  readonly dir = mkdtempSync(join(tmpdir(), 'upkeep-plugins-'));
  readonly host = nodeHost();
  readonly #started: Supervisor[] = [];

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** Writes the service file. */
  write(plugins: readonly Named[], services: object = {}): void {
    const named = plugins.map((plugin) => ({ ...plugin, path: resolve(PLUGINS, plugin.path) }));
    writeFileSync(this.path('upkeep.json'), JSON.stringify({ plugins: named, services }));
  }

  /** @param probes those that are built in. */
  async start(
    runtime: PluginRuntime = OWN_RUNTIME,
    probes: readonly Probe[] = builtInPlugins.probes,
  ): Promise<Supervisor> {
    const supervisor = await startSupervisor({
      host: this.host,
      state_dir: this.path('state'),
      spec_file: this.path('upkeep.json'),
      plugins: { ...builtInPlugins, probes },
      plugin_runtime: runtime,
      recovery: 'as_specified',
      env: process.env,
      pid: process.pid,
      version: 'test',
    });
    this.#started.push(supervisor);
    return supervisor;
  }

  /** Starts with one plugin, and waits until it is ready. */
  async ready(plugin: Named, runtime: PluginRuntime = OWN_RUNTIME): Promise<Supervisor> {
    this.write([plugin]);
    const supervisor = await this.start(runtime);
    await until(() => remote(supervisor).state === 'ready');
    return supervisor;
  }

  async end(): Promise<void> {
    for (const supervisor of this.#started.splice(0)) await supervisor.shutdown('core');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The record of the only plugin that is not built in. */
export function remote(supervisor: Supervisor): PluginRecord {
  const found = supervisor.plugins().filter(({ state }) => state !== 'built_in');
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} plugins of others`);
  return only;
}

/** The events with a code, oldest first. */
export function eventsOf(supervisor: Supervisor, code: EventRecord['code']): EventRecord[] {
  return supervisor.events({ limit: 1000 }).filter((event) => event.code === code);
}
