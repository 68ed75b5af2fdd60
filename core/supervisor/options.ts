/**
 * What a supervisor is started with.
 */
import type { Host } from '../host/host.ts';
import type { BuiltInPlugins } from '../plugin/built_in.ts';
import type { PluginRuntime } from '../plugin/remote/runtime.ts';
import type { RecoveryMode } from './roster.ts';

/** What a supervisor is started with. */
export interface SupervisorOptions {
  readonly host: Host;
  /** Absolute; made (0700) where it is not there yet. */
  readonly state_dir: string;
  /** Absolute path of the service file. */
  readonly spec_file: string;
  /** Those that run in this process. */
  readonly plugins: BuiltInPlugins;
  /** How plugins of others are run; this Node and this program without it. */
  readonly plugin_runtime?: PluginRuntime;
  readonly recovery: RecoveryMode;
  /** True to refuse every command; false without it. */
  readonly read_only?: boolean;
  /** upkeep's own environment, from which services inherit. */
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly version: string;
  /** A fault point before and after each commit; only tests set it. */
  readonly at?: (call: string) => void;
}
