/**
 * Reading the service file together with the plugins that it names.
 */
import { type LoadedPlugin, loadServiceFile } from '../plugin/remote/load.ts';
import { ownRuntime } from '../plugin/remote/runtime.ts';
import type { ServiceFile, SpecIssue } from '../spec/mod.ts';
import type { SupervisorOptions } from './options.ts';

/** The service file is not one. */
export class SpecError extends Error {
  override readonly name = 'SpecError';
  readonly issues: readonly SpecIssue[];
  constructor(path: string, issues: readonly SpecIssue[]) {
    super(`${path} is not a valid service file`);
    this.issues = issues;
  }
}

/** A checked service file, with its plugins. */
export interface CheckedFile {
  readonly file: ServiceFile;
  readonly plugins: readonly LoadedPlugin[];
}

/**
 * Reads and checks the service file. A plugin that cannot be loaded does not make it wrong.
 *
 * @throws {@link SpecError}
 */
export async function readServiceFile(options: SupervisorOptions): Promise<CheckedFile> {
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
