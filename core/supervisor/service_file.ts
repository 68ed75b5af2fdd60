/**
 * Reading the service file together with the plugins that it names.
 */
import { createHash } from 'node:crypto';
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
  /** Of its text: {@link textDigest}. The text itself is not kept, as every fork would copy its pages. */
  readonly digest: string;
}

/** A short text that no two service files share. */
export function textDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Reads and checks the service file. A plugin that cannot be loaded does not make it wrong.
 *
 * @throws {@link SpecError}
 */
export async function readServiceFile(options: SupervisorOptions): Promise<CheckedFile> {
  const { host, spec_file } = options;
  let text: string;
  try {
    text = host.files.readFileSync(spec_file, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    throw new SpecError(spec_file, [
      { path: '', rule: 'readable', value: spec_file, line: null, column: null, message },
    ]);
  }
  const checked = await checkServiceText(text, options);
  if ('issues' in checked) throw new SpecError(spec_file, checked.issues);
  return checked;
}

/**
 * Checks the text of a service file, as if it stood in the place of the present one.
 *
 * @param strict Whether a plugin that cannot be loaded makes it wrong.
 */
export async function checkServiceText(
  text: string,
  options: SupervisorOptions,
  strict = false,
): Promise<CheckedFile | { readonly issues: readonly SpecIssue[] }> {
  const { host, spec_file, plugins: built_in, plugin_runtime: runtime = ownRuntime() } = options;
  const { parsed, plugins } = await loadServiceFile(text, spec_file, { host, runtime, built_in, strict });
  if ('issues' in parsed) return parsed;
  return { file: parsed.file, plugins, digest: textDigest(text) };
}
