/**
 * `upkeep remove SERVICE [--dry-run | --yes]`
 */
import { agreed } from '../confirm.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { wholeService } from '../target.ts';
import { paintFor } from '../text/paint.ts';
import { changeText } from './apply.ts';

/** The options of `remove`. */
export interface RemoveOptions extends CommonOptions {
  readonly dryRun?: boolean;
  /** True to do it without asking. */
  readonly yes?: boolean;
}

/** Takes a service out of the service file, once whoever asks for it has agreed: what it runs is stopped. */
export async function remove(io: Io, target: string, options: RemoveOptions): Promise<ExitCode> {
  const { dryRun = false, yes = false, json = false } = options;
  if (dryRun && yes) throw new CliError(EXIT.usage, '--dry-run and --yes exclude each other');
  const name = wholeService('remove', target);
  return withDaemon(io, options, async (client) => {
    if (!dryRun && !yes) {
      // Nobody is asked about what is not there.
      await client.call('service.delete', { name, dry_run: true });
      if (!(await agreed(io, `Stop ${name} and take it out of the service file?`, json))) return EXIT.failed;
    }
    const change = await client.call('service.delete', { name, dry_run: dryRun });
    await io.out(json ? jsonDocument(change) : changeText(change, paintFor(io)));
    return EXIT.done;
  });
}
