/**
 * How a call is said on a command line. An operation whose command this program does not have is left out by its help.
 */
import { writeFileSync } from 'node:fs';
import type { CallName } from '../../../core/operation/table.ts';
import type { World } from '../world.ts';
import type { Input } from './face.ts';

/** One operation's command. */
export interface Command {
  /** What the help lists it under, with the option that makes it this operation; empty where it is none of them. */
  readonly help: readonly string[];
  /** The words that say this input; null where there are none. */
  readonly words: Words;
  /** Reads the operation's answer from what is printed, where that is not just it. */
  readonly read?: (text: string) => unknown;
}

type Words = (input: Input, world: World) => Said | Promise<Said>;
type Said = readonly string[] | null;

/** How a field is said: a word by itself, or an option; null where its value cannot be said so. */
type Part = (value: unknown, world: World) => Said | Promise<Said>;

const text: Part = (value) => (typeof value === 'string' && !value.startsWith('-') ? [value] : null);

/** What follows a slash is an action. */
const name: Part = (value, world) => (String(value).includes('/') ? null : text(value, world));

/** An option and its value, right or wrong. */
const option =
  (name: string): Part =>
  (value) => [name, String(value)];

const span =
  (name: string): Part =>
  (value) => [name, typeof value === 'number' ? `${value}ms` : String(value)];

const flag =
  (name: string): Part =>
  (value) =>
    value === true ? [name] : value === false ? [] : null;

/** A service that is wanted otherwise: whoever does not say `wait` waits for nothing. */
const wait: Part = (value) => (value === true ? [] : value === false ? ['--no-wait'] : null);

/** `SERVICE/ACTION` of a job of the services' present runs. */
const target: Part = async (id, { owner }) => {
  const { items } = await owner.service.list();
  for (const { name: service, actions } of items) {
    for (const { action, job_id } of actions) if (job_id === id) return [`${service}/${action}`];
  }
  return null;
};

/** A file that says it. */
const file: Part = (spec, { box }) => {
  const said = typeof spec === 'string' ? spec : JSON.stringify(spec);
  const path = box.path('agreement.yaml');
  writeFileSync(path, said);
  return [path];
};

/** The same where an object would be another thing to say: places are told of a text only. */
const textFile: Part = (spec, world) => (typeof spec === 'string' ? file(spec, world) : null);

/** A service or an id: what is neither is told as a service that is not there, whatever was meant. */
const known =
  (id: (world: World) => string): Part =>
  (value, world) =>
    value === id(world) ? [id(world)] : null;

/** A command whose words are these and those of every field that is given; those of `needed` have to be. */
function command(
  help: readonly string[],
  parts: Readonly<Record<string, Part>> = {},
  needed: readonly string[] = [],
): Command {
  const words: Words = async (input, world) => {
    if (needed.some((field) => !(field in input))) return null;
    if (Object.keys(input).some((field) => !(field in parts))) return null;
    const said = [...help];
    for (const [field, part] of Object.entries(parts)) {
      const more = field in input ? await part(input[field], world) : [];
      if (more === null) return null;
      said.push(...more);
    }
    return said;
  };
  return { help, words };
}

function wanting(verb: string): Command {
  const { help, words } = command([verb], { name, timeout: span('--timeout'), wait }, ['name', 'wait']);
  return { help, words: (input, world) => words({ wait: false, ...input }, world) };
}

/** `remove` asks, unless it is told not to. */
function removing(): Command {
  const parts = { name, dry_run: flag('--dry-run'), yes: flag('--yes') };
  const { help, words } = command(['remove'], parts, ['name']);
  return {
    help,
    words: (input, world) => words('dry_run' in input ? input : { ...input, yes: true }, world),
  };
}

const json = (text: string): Record<string, unknown> => JSON.parse(text);

const NONE: Command = { help: [], words: () => null };

/** The command of every operation. */
export const COMMANDS = {
  'service.list': command(['status']),
  'service.get': command(['status'], { name }, ['name']),
  'service.start': wanting('start'),
  'service.stop': wanting('stop'),
  'service.restart': wanting('restart'),
  'service.why': command(['why'], { name }, ['name']),
  // What is applied is a plan, which the command makes itself.
  'service.heal': command(['heal'], { name, dry_run: flag('--dry-run') }, ['name', 'dry_run']),
  'service.put': command(['set'], { name, spec: file, dry_run: flag('--dry-run') }, ['name', 'spec']),
  'service.delete': removing(),
  'spec.check': {
    ...command(['check', '--daemon'], { spec: textFile }, ['spec']),
    // It tells the file as well, and what could not be checked on its other output.
    read: (text) => {
      const { file: _, ...verdict } = json(text);
      return { unchecked_plugins: [], ...verdict };
    },
  },
  'spec.apply': command(['apply'], { spec: textFile, dry_run: flag('--dry-run') }, ['spec']),
  'run.list': command(['runs'], { service: name, limit: option('--lines') }),
  'run.get': command(['runs'], { id: known(({ run }) => run) }, ['id']),
  'job.list': command(['jobs'], {
    service: name,
    run_id: (id) => (typeof id === 'string' ? ['--run', id] : null),
  }),
  'job.get': command(['jobs'], { id: known(({ job }) => job) }, ['id']),
  'job.signal': command(['signal'], { id: target, signal: text }, ['id', 'signal']),
  'log.read': {
    ...command(['logs', '--times'], { id: known(({ job }) => job), tail: option('--lines') }, ['id']),
    // A line each, and all of them.
    read: (text) => ({
      items: text
        .trim()
        .split('\n')
        .map(json)
        .map(({ service: _, action: __, ...line }) => line),
      next_cursor: null,
    }),
  },
  'log.search': command(
    ['search'],
    {
      query: text,
      service: name,
      since: option('--since'),
      until: option('--until'),
      limit: option('--lines'),
    },
    ['query'],
  ),
  'holder.find': command(['holders'], {
    tcp_port: (port) => [`:${port}`],
    udp_port: (port) => [`udp:${port}`],
    socket: text,
  }),
  'plugin.list': command(['plugins']),
  'event.list': command(['events'], { service: name, limit: option('--lines'), before: option('--before') }, [
    'limit',
  ]),
  'health.get': command(['health']),
  // `down` waits for the end, and says whose it was.
  'daemon.shutdown': NONE,
  'token.create': command(
    ['token', 'create'],
    { name, scope: option('--scope'), expires_in: span('--expires') },
    ['name', 'scope'],
  ),
  'token.list': command(['token', 'list']),
  'token.revoke': command(['token', 'revoke'], { name }, ['name']),
  'audit.list': command(['audit'], { limit: option('--lines') }, ['limit']),
} as const satisfies Record<CallName, Command>;
