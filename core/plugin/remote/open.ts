/**
 * One plugin in a process of its own, without a supervisor: for whoever wants to try it out.
 */
import * as v from 'valibot';
import type { Host } from '../../host/host.ts';
import type { HealthCheck } from '../health_check.ts';
import type { LogFacts, RotationDecision } from '../log_rotator.ts';
import { missingGrants, type Permissions } from '../permissions.ts';
import type { Probe } from '../probe.ts';
import { remoteHealthCheck, remoteProbe } from './adapters.ts';
import { optionIssuesSchema, rotationSchema } from './answer_schemas.ts';
import type { OptionIssue, PluginDescription } from './boot.ts';
import { locatePlugin } from './locate.ts';
import { startOnce } from './once.ts';
import { PluginUnavailable, RemotePlugin } from './remote_plugin.ts';
import { type PluginRuntime, pluginCommand } from './runtime.ts';

type Options = Readonly<Record<string, unknown>>;

/** A plugin that was opened. Whatever of another kind than it is asked for throws. */
export interface OpenedPlugin {
  readonly description: PluginDescription;
  /** What it asks for and is not granted, as `run: ss`. */
  readonly missing: readonly string[];
  /** Its options as JSON Schema. */
  readonly options_schema: Readonly<Record<string, unknown>>;
  /** What it did wrong so far, a sentence each. */
  readonly faults: readonly string[];
  checkOptions(options: Options): Promise<readonly OptionIssue[]>;
  probe(options: Options): Probe;
  healthCheck(): HealthCheck;
  /** Asks it right now, other than the loop, which never waits. */
  decide(facts: LogFacts, options: Options): Promise<RotationDecision>;
  close(): void;
}

/** Ms for each answer. */
const DEADLINE = 10_000;

/**
 * Starts a plugin and asks what it is.
 *
 * @param path as in a service file; `from` is the folder that it is relative to.
 * @throws where it cannot be found, or cannot be loaded.
 *
 * @example
 * ```ts
 * const plugin = await openPlugin('./probe_x.ts', process.cwd(), NOTHING, { host, runtime: ownRuntime() });
 * ```
 */
export async function openPlugin(
  path: string,
  from: string,
  allow: Permissions,
  { host, runtime }: { readonly host: Host; readonly runtime: PluginRuntime },
): Promise<OpenedPlugin> {
  const located = locatePlugin(path, from, host.files);
  const { channel, end } = await startOnce(host, pluginCommand(located, runtime, host.files, true));
  const faults: string[] = [];
  let hear: (description: PluginDescription | Error) => void = () => {};
  const described = new Promise<PluginDescription>((resolve, reject) => {
    hear = (said) => (said instanceof Error ? reject(said) : resolve(said));
  });
  const failed = (message: string): void => {
    faults.push(message);
    hear(new PluginUnavailable(message));
    end();
  };
  const plugin = new RemotePlugin(path, null, allow, {
    host,
    restart: ({ message }) => failed(message),
    quarantine: ({ message }) => failed(message),
    isBeingStopped: () => false,
    described: (description) => hear(description),
  });
  plugin.connected(channel);
  try {
    const description = await described;
    const schema = await plugin.call('json_schema', [], v.record(v.string(), v.unknown()), {
      deadline: DEADLINE,
    });
    return {
      description,
      missing: missingGrants(description.asked, allow),
      options_schema: schema,
      faults,
      checkOptions: (options) =>
        plugin.call('check_options', [options], optionIssuesSchema, { deadline: DEADLINE }),
      probe: (options) => remoteProbe(plugin, description, () => options),
      healthCheck: () => remoteHealthCheck(plugin, description),
      decide: (facts, options) =>
        plugin.call('decide', [facts, options], rotationSchema, { deadline: DEADLINE }),
      close() {
        plugin.close();
        end();
      },
    };
  } catch (error) {
    plugin.close();
    end();
    throw error;
  }
}
