/**
 * The service file that a supervisor works by, read together with the plugins that it names.
 */
import type { Host } from '../host/host.ts';
import type { BuiltInPlugins } from '../plugin/built_in.ts';
import { type LoadedPlugin, loadServiceFile } from '../plugin/remote/load.ts';
import { ownRuntime, type PluginRuntime } from '../plugin/remote/runtime.ts';
import type { ServiceFile, SpecIssue } from '../spec/mod.ts';

/** The service file is not one. */
export class SpecError extends Error {
  override readonly name = 'SpecError';
  readonly issues: readonly SpecIssue[];
  constructor(path: string, issues: readonly SpecIssue[]) {
    super(`${path} is not a valid service file`);
    this.issues = issues;
  }
}

/** What reading a service file needs. */
export interface ServiceFileOptions {
  readonly host: Host;
  /** Absolute path of the service file. */
  readonly spec_file: string;
  readonly plugins: BuiltInPlugins;
  /** How plugins of others are run; this Node and this program without it. */
  readonly plugin_runtime?: PluginRuntime;
}

/** A checked service file, with its plugins. */
export interface CheckedFile {
  readonly file: ServiceFile;
  readonly plugins: readonly LoadedPlugin[];
}

/**
 * Reads the service file and loads its plugins.
 *
 * @throws {@link SpecError}
 */
export async function readServiceFile(options: ServiceFileOptions): Promise<CheckedFile> {
  const { host, spec_file, plugins: built_in, plugin_runtime: runtime = ownRuntime() } = options;
  let text: string;
  try {
    text = host.files.readFileSync(spec_file, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    throw new SpecError(spec_file, [
      { path: '', rule: 'readable', value: spec_file, line: null, column: null, message },
    ]);
  }
  const { parsed, plugins } = await loadServiceFile(text, spec_file, { host, runtime, built_in });
  if ('issues' in parsed) throw new SpecError(spec_file, parsed.issues);
  return { file: parsed.file, plugins };
}
