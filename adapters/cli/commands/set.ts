/**
 * `upkeep set SERVICE [FILE | -] [--dry-run]`
 */
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { withPlaces } from '../complaint.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { serviceFile } from '../place.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { wholeService } from '../target.ts';
import { paintFor } from '../text/paint.ts';
import { changeText } from './apply.ts';

/** The options of `set`. */
export interface SetOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

/** Adds a service to the service file, or replaces what it says of one; what it is to say comes from a file or the input. */
export async function set(
  io: Io,
  target: string,
  file: string | undefined,
  options: SetOptions,
): Promise<ExitCode> {
  const name = wholeService('set', target);
  const from = file === undefined || file === '-' ? null : file;
  const text = from === null ? await io.input() : readFileSync(serviceFile({ file: from }, io), 'utf8');
  const spec = serviceIn(text, from ?? 'the input');
  return withDaemon(io, options, async (client) => {
    const input = { name, spec, dry_run: options.dryRun === true };
    const change = await client.call('service.put', input).catch((error: unknown) => {
      throw options.json === true ? error : withPlaces(error, from ?? 'the input');
    });
    await io.out(options.json === true ? jsonDocument(change) : changeText(change, paintFor(io)));
    return EXIT.done;
  });
}

/** @throws {@link CliError} for what is no map. */
function serviceIn(text: string, where: string): Record<string, unknown> {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) throw new CliError(EXIT.usage, `${where} is no YAML: ${fault.message}`);
  const spec: unknown = document.toJS();
  if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) {
    return spec as Record<string, unknown>;
  }
  throw new CliError(EXIT.usage, `${where} must say what the service is: {actions: {web: {run: …}}}`);
}
