/**
 * `upkeep check [FILE] [--daemon]`
 */
import { readFileSync } from 'node:fs';
import { nodeHost } from '../../../core/host/node_host.ts';
import { loadServiceFile } from '../../../core/plugin/remote/load.ts';
import { ownRuntime } from '../../../core/plugin/remote/runtime.ts';
import { formatIssues, type SpecIssue } from '../../../core/spec/mod.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { serviceFile } from '../place.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';

/** The options of `check`. */
export interface CheckOptions extends CommonOptions {
  /** True to let the upkeep that runs look at it: no plugin that the file names is started for that. */
  readonly daemon?: boolean;
}

/** Says everything that is wrong with a service file. */
export async function check(io: Io, file: string | undefined, options: CheckOptions): Promise<ExitCode> {
  const path = serviceFile(file === undefined ? {} : { file }, io);
  const issues = options.daemon === true ? await told(io, path, options) : await found(path);
  if (options.json === true) await io.out(jsonDocument({ file: path, valid: issues.length === 0, issues }));
  else if (issues.length > 0) io.err(formatIssues(issues, file ?? path));
  else await io.out(`${path} is right\n`);
  return issues.length === 0 ? EXIT.done : EXIT.usage;
}

async function found(path: string): Promise<readonly SpecIssue[]> {
  const { parsed } = await loadServiceFile(readFileSync(path, 'utf8'), path, {
    host: nodeHost(),
    runtime: ownRuntime(),
    built_in: builtInPlugins,
    strict: true,
  });
  return 'issues' in parsed ? parsed.issues : [];
}

async function told(io: Io, path: string, options: CheckOptions): Promise<readonly SpecIssue[]> {
  const spec = readFileSync(path, 'utf8');
  return withDaemon(io, options, async (client) => {
    const { issues, unchecked_plugins } = await client.call('spec.check', { spec });
    if (unchecked_plugins.length > 0 && options.json !== true) {
      io.err(`not checked, as upkeep does not know them yet: ${unchecked_plugins.join(', ')}`);
    }
    return issues;
  });
}
