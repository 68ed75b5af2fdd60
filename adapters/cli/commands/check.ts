/**
 * `upkeep check [FILE]`
 */
import { readFileSync } from 'node:fs';
import { nodeHost } from '../../../core/host/node_host.ts';
import { loadServiceFile } from '../../../core/plugin/remote/load.ts';
import { ownRuntime } from '../../../core/plugin/remote/runtime.ts';
import { formatIssues } from '../../../core/spec/mod.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { serviceFile } from '../place.ts';
import { jsonDocument } from '../session.ts';

/** Says everything that is wrong with a service file. */
export async function check(
  io: Io,
  file: string | undefined,
  options: { readonly json?: boolean },
): Promise<ExitCode> {
  const path = serviceFile(file === undefined ? {} : { file }, io);
  const { parsed } = await loadServiceFile(readFileSync(path, 'utf8'), path, {
    host: nodeHost(),
    runtime: ownRuntime(),
    built_in: builtInPlugins,
    strict: true,
  });
  const issues = 'issues' in parsed ? parsed.issues : [];
  if (options.json === true) await io.out(jsonDocument({ file: path, valid: issues.length === 0, issues }));
  else if (issues.length > 0) io.err(formatIssues(issues, file ?? path));
  else await io.out(`${path} is right\n`);
  return issues.length === 0 ? EXIT.done : EXIT.usage;
}
