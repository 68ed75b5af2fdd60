/**
 * `upkeep apply [FILE] [--dry-run]`
 */
import { readFileSync } from 'node:fs';
import type { SpecChange } from '../../../core/spec/diff.ts';
import type { SpecChangeView } from '../../../core/supervisor/spec_control.ts';
import { withPlaces } from '../complaint.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { serviceFile } from '../place.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { oneLine } from '../text/event_line.ts';
import { type Paint, paintFor } from '../text/paint.ts';

/** The options of `apply`. */
export interface ApplyOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

/**
 * Makes what a file says what upkeep keeps: without a name the service file as it is on disk, else another file, whose
 * text comes into the service file's place.
 */
export async function apply(io: Io, file: string | undefined, options: ApplyOptions): Promise<ExitCode> {
  const path = serviceFile(file === undefined ? {} : { file }, io);
  const spec = readFileSync(path, 'utf8');
  const dry_run = options.dryRun === true;
  return withDaemon(io, options, async (client) => {
    const change = await client.call('spec.apply', { spec, dry_run }).catch((error: unknown) => {
      throw options.json === true ? error : withPlaces(error, file ?? path);
    });
    if (options.json === true) await io.out(jsonDocument(change));
    else await io.out(changeText(change, paintFor(io)));
    return EXIT.done;
  });
}

/** A change for people. */
export function changeText(change: SpecChangeView, paint: Paint): string {
  const { added, removed, changed, unchanged, applied } = change;
  const lines = [
    ...added.map((name) => paint('green', `+ ${name}`)),
    ...removed.map((name) => paint('red', `- ${name}`)),
    ...changed.flatMap((part) => partLines(part, paint)),
  ];
  if (lines.length === 0) lines.push('nothing changes');
  else if (unchanged.length > 0) lines.push(paint('dim', `  ${unchanged.length} unchanged`));
  if (!applied) lines.push(paint('dim', 'a dry run: nothing was done'));
  return lines.map((line) => `${line}\n`).join('');
}

function partLines({ service, action, change, fields, restarts }: SpecChange, paint: Paint): string[] {
  const name = service === null ? 'upkeep itself' : `${service}/${action}`;
  if (change === 'added') return [paint('green', `+ ${name}`)];
  if (change === 'removed') return [paint('red', `- ${name}`)];
  return [
    `${paint('yellow', `~ ${name}`)}${restarts ? paint('bold', ' (is restarted)') : ''}`,
    ...fields.map(
      ({ path, before, after }) =>
        `    ${path}: ${paint('red', valueText(before))} → ${paint('green', valueText(after))}`,
    ),
  ];
}

function valueText(value: unknown): string {
  return value === null ? 'nothing' : oneLine(JSON.stringify(value));
}
