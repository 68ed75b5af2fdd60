/**
 * Plugins in processes of their own without a supervisor: started again at once whenever they end.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { nodeHost } from '../../../../core/host/node_host.ts';
import type { Reason } from '../../../../core/job/reason.ts';
import type { Look } from '../../../../core/plugin/health_check.ts';
import { NOTHING, type Permissions } from '../../../../core/plugin/permissions.ts';
import { locatePlugin } from '../../../../core/plugin/remote/locate.ts';
import { RemotePlugin } from '../../../../core/plugin/remote/remote_plugin.ts';
import { onceRequest, type PluginRuntime, pluginCommand } from '../../../../core/plugin/remote/runtime.ts';
import { OWN_RUNTIME, PLUGINS } from '../../../support/plugins.ts';
import { until } from '../../../support/until.ts';

/** A plugin that runs. */
export interface Driven {
  readonly plugin: RemotePlugin;
  /** Why it was restarted, or quarantined, each time. */
  readonly reasons: readonly Reason[];
  /** Of the process that runs now; null while there is none. */
  pid(): number | null;
  /** What its processes have printed. */
  log(): string;
}

/** Starts plugins, and ends them. */
export class Driver {
  readonly host = nodeHost();
  readonly dir = mkdtempSync(join(tmpdir(), 'upkeep-plugin-'));
  readonly #ends: (() => Promise<void>)[] = [];

  /** Starts one. @param path by its file among the fixtures, or absolute. */
  start(path: string, allow: Partial<Permissions> = {}, runtime: PluginRuntime = OWN_RUNTIME): Driven {
    const { host } = this;
    const located = locatePlugin(resolve(PLUGINS, path), '/', host.files);
    const command = pluginCommand(located, runtime, host.files);
    const log = join(this.dir, `${this.#ends.length}.log`);
    const reasons: Reason[] = [];
    let pid: number | null = null;
    let over = false;
    let ended = Promise.resolve();
    const kill = (): void => {
      if (pid !== null) process.kill(pid, 'SIGKILL');
    };
    const plugin = new RemotePlugin(
      path,
      null,
      { ...NOTHING, ...allow },
      {
        host,
        restart: (why) => {
          reasons.push(why);
          kill();
        },
        quarantine: (why) => {
          reasons.push(why);
          over = true;
          kill();
        },
        isBeingStopped: () => over,
        described: () => {},
      },
    );
    const spawn = async (): Promise<void> => {
      const output = openSync(log, 'a');
      const child = await host.spawner.spawn(onceRequest(command, output));
      closeSync(output);
      pid = child.pid;
      ended = new Promise((resolve) =>
        child.onExit(() => {
          pid = null;
          resolve();
          if (!over) void spawn();
        }),
      );
      if (child.channel !== undefined) plugin.connected(child.channel);
    };
    void spawn();
    this.#ends.push(async () => {
      over = true;
      plugin.close();
      kill();
      await ended;
    });
    return { plugin, reasons, pid: () => pid, log: () => readFileSync(log, 'utf8') };
  }

  /** Starts one and waits until it is ready. */
  async ready(path: string, allow: Partial<Permissions> = {}, runtime = OWN_RUNTIME): Promise<Driven> {
    const driven = this.start(path, allow, runtime);
    await until(() => driven.plugin.state === 'ready');
    return driven;
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A look at a job that is this very process. */
export function aLook(signal: AbortSignal = new AbortController().signal): Look {
  const job = {
    service: 'shop',
    action: 'web',
    job_id: 'j1',
    restart_count: 0,
    pid: process.pid,
    started_at: 0,
    cwd: '/',
  };
  return { job, signal, readLog: async (since) => [`since ${since}`] };
}
