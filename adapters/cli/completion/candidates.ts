/**
 * What may stand at a cursor: commands, options, and what upkeep knows the names of.
 */
import type { Option } from 'commander';
import { SENDABLE_SIGNALS } from '../../../core/supervisor/signal_job.ts';
import type { Client } from '../../client/client.ts';
import { everyItem } from '../pages.ts';
import type { Cursor } from './cursor.ts';

/** One way to go on. */
export interface Candidate {
  readonly text: string;
  /** A few words about it; may be empty. */
  readonly about: string;
}

/** What the shell completes by itself. */
export type Place = 'files' | 'dirs';

/** All that may stand at a cursor. */
export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly place: Place | null;
}

/** What there is of a kind of names. */
type Source = (client: Client, current: string) => Promise<Candidate[]>;

/** The names of arguments and of the values of options that upkeep itself is asked about. */
const SOURCES: Readonly<Record<string, Source>> = {
  service: services,
  'service[/action]': targets,
  'service[/action]|job': async (client, current) => [
    ...(await targets(client, current)),
    ...(await jobs(client, current)),
  ],
  'service|run': async (client, current) => [
    ...(await services(client)),
    ...(current.startsWith('r') ? await runs(client) : []),
  ],
  run: runs,
  token: async (client) =>
    (await everyItem(client, 'token.list', {})).map(({ name, scope, state }) => ({
      text: name,
      about: `${scope}, ${state}`,
    })),
};

/** The names of those that are the same everywhere. */
const CONSTANTS: Readonly<Record<string, readonly string[]>> = {
  signal: SENDABLE_SIGNALS.map((name) => name.slice(3)),
  kind: ['probe', 'health', 'rotate', 'notify'],
};

const PLACES: Readonly<Record<string, Place>> = {
  file: 'files',
  path: 'files',
  claim: 'files',
  dir: 'dirs',
};

/**
 * The candidates that begin as what is there already.
 *
 * @param ask asks upkeep; null where none answers.
 */
export async function candidatesAt(
  cursor: Cursor,
  ask: (questions: (client: Client) => Promise<Candidate[]>) => Promise<Candidate[] | null>,
): Promise<Candidates> {
  const { command, current, prefix, option, argument } = cursor;
  const found: Candidate[] = [];
  if (cursor.options) found.push(...optionsOf(cursor));
  if (cursor.subcommand) {
    const visible = command.createHelp().visibleCommands(command);
    found.push(...visible.map((sub) => ({ text: sub.name(), about: sub.description() })));
  }
  const value = option ?? argument;
  const kind = option === null ? argument?.name() : valueName(option);
  found.push(...(value?.argChoices ?? CONSTANTS[kind ?? ''] ?? []).map((text) => ({ text, about: '' })));
  const source = SOURCES[kind ?? ''];
  if (source !== undefined) found.push(...((await ask((client) => source(client, current))) ?? []));
  return {
    candidates: found
      .filter(({ text }) => text.startsWith(current))
      .map(({ text, about }) => ({ text: prefix + text, about })),
    place: PLACES[kind ?? ''] ?? null,
  };
}

function optionsOf({ command }: Cursor): Candidate[] {
  const visible = command.createHelp().visibleOptions(command);
  return visible.flatMap(({ long, description }) =>
    long == null ? [] : [{ text: long, about: description }],
  );
}

/** `file` of `-f, --file <file>`. */
function valueName({ flags }: Option): string {
  return /[<[](.+?)(?:\.\.\.)?[>\]]$/.exec(flags)?.[1] ?? '';
}

async function services(client: Client): Promise<Candidate[]> {
  const items = await everyItem(client, 'service.list', {});
  return items.map(({ name, state }) => ({ text: name, about: state }));
}

/** Services, and the actions of those that have several; of each, once a service was chosen. */
async function targets(client: Client, current: string): Promise<Candidate[]> {
  const items = await everyItem(client, 'service.list', {});
  return items.flatMap(({ name, state, actions }) => [
    { text: name, about: state },
    ...(actions.length > 1 || current.includes('/')
      ? actions.map(({ action, phase }) => ({ text: `${name}/${action}`, about: phase }))
      : []),
  ]);
}

/** Ids are many: those only that were begun. */
async function jobs(client: Client, current: string): Promise<Candidate[]> {
  if (!current.startsWith('j')) return [];
  const items = await everyItem(client, 'job.list', {});
  return items.map(({ id, service, action, phase }) => ({
    text: id,
    about: `${service}/${action}, ${phase}`,
  }));
}

async function runs(client: Client): Promise<Candidate[]> {
  const items = await everyItem(client, 'run.list', {});
  return items.map(({ id, service, started_at }) => ({
    text: id,
    about: `${service}, ${new Date(started_at).toISOString()}`,
  }));
}
