/**
 * The command line: the command that says the same as a call, with `--json`, where there is one.
 *
 * What a command cannot say is unsaid here; whether every operation has a command at all is another test's matter.
 */
import { writeFileSync } from 'node:fs';
import { runCommandLine } from '../../../adapters/cli/program.ts';
import type { CallName } from '../../../core/operation/table.ts';
import { MemoryIo } from '../../adapters/cli/memory_io.ts';
import { failed, type Outcome } from '../outcome.ts';
import type { World } from '../world.ts';
import type { Face, Input } from './face.ts';

/** The words that say this input; null where there are none. */
type Words = (input: Input, world: World) => readonly string[] | null | Promise<readonly string[] | null>;

/** How a field is said: a word by itself, or an option; null where its value cannot be said so. */
type Part = (value: unknown, world: World) => readonly string[] | null | Promise<readonly string[] | null>;

const text: Part = (value) => (typeof value === 'string' && !value.startsWith('-') ? [value] : null);

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

/** A command whose words are these and those of every field; fields of `needed` must be there. */
function command(
  words: readonly string[],
  parts: Readonly<Record<string, Part>>,
  needed: readonly string[] = [],
): Words {
  return async (input, world) => {
    if (needed.some((field) => !(field in input)) || Object.keys(input).some((field) => !(field in parts))) {
      return null;
    }
    const said: string[] = [...words];
    for (const [field, part] of Object.entries(parts)) {
      if (!(field in input)) continue;
      const more = await part(input[field], world);
      if (more === null) return null;
      said.push(...more);
    }
    return said;
  };
}

/** A service that is wanted otherwise: whoever does not say `wait` waits for nothing. */
function wanting(verb: string): Words {
  const parts = { name: text, timeout: span('--timeout'), wait: flag('') };
  return async (input, world) => {
    const words = await command([verb], parts, ['name'])(input, world);
    if (words === null) return null;
    const said = words.filter((word) => word !== '');
    return input['wait'] === true ? said : [...said, '--no-wait'];
  };
}

/** `SERVICE/ACTION` of a job of the services' present runs. */
const target: Part = async (id, { owner }) => {
  const { items } = await owner.service.list();
  for (const { name, actions } of items) {
    for (const { action, job_id } of actions) if (job_id === id) return [`${name}/${action}`];
  }
  return null;
};

/** A file that says it. */
const file: Part = (spec, { box }) => {
  if (typeof spec !== 'string') return null;
  const path = box.path('agreement.yaml');
  writeFileSync(path, spec);
  return [path];
};

const NONE: Words = () => null;

const COMMANDS = {
  'service.list': command(['status'], {}),
  'service.get': command(['status'], { name: text }, ['name']),
  'service.start': wanting('start'),
  'service.stop': wanting('stop'),
  'service.restart': wanting('restart'),
  'service.why': command(['why'], { name: text }, ['name']),
  // What is applied is a plan, which the command makes itself.
  'service.heal': command(['heal'], { name: text, dry_run: flag('--dry-run') }, ['name', 'dry_run']),
  'service.put': NONE,
  'service.delete': NONE,
  // `check` reads a file without any upkeep, and says more: it loads the plugins.
  'spec.check': NONE,
  'spec.apply': command(['apply'], { spec: file, dry_run: flag('--dry-run') }, ['spec']),
  'run.list': NONE,
  'run.get': NONE,
  'job.list': NONE,
  'job.get': NONE,
  'job.signal': command(['signal'], { id: target, signal: text }, ['id', 'signal']),
  // `logs` gives lines and no more of them.
  'log.read': NONE,
  'log.search': command(
    ['search'],
    {
      query: text,
      service: text,
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
  'plugin.list': command(['plugins'], {}),
  'event.list': command(['events'], { service: text, limit: option('--lines') }, ['limit']),
  'health.get': NONE,
  // `down` waits for the end and says whose it was.
  'daemon.shutdown': NONE,
  'token.create': command(
    ['token', 'create'],
    { name: text, scope: option('--scope'), expires_in: span('--expires') },
    ['name', 'scope'],
  ),
  'token.list': command(['token', 'list'], {}),
  'token.revoke': command(['token', 'revoke'], { name: text }, ['name']),
  'audit.list': command(['audit'], { limit: option('--lines') }, ['limit']),
} as const satisfies Record<CallName, Words>;

/** The command line, in this process. */
export function cliFace(world: World): Face {
  return {
    name: 'cli',
    tokens: false,
    async call(operation, input) {
      const words = await (COMMANDS[operation] as Words)(input, world);
      if (words === null) return { unsaid: 'no command says it' };
      const io = new MemoryIo(world.box.dir, { ...definedEnv(), UPKEEP_STATE: world.box.state });
      const code = await runCommandLine([...words, '--json'], io);
      return outcomeOf(code, io);
    },
  };
}

/** The words of the exit codes, for what the command line refuses by itself. */
const REFUSALS: Readonly<Record<number, 'invalid_input' | 'not_found'>> = {
  2: 'invalid_input',
  3: 'not_found',
};

function outcomeOf(code: number, { stdout, stderr }: MemoryIo): Outcome {
  if (code === 0) return { answer: JSON.parse(stdout) };
  const { exit_code, message, problem } = JSON.parse(stderr);
  if (exit_code !== code) throw new Error(`exit code ${code}, and it says ${exit_code}`);
  const refused = REFUSALS[code];
  if (problem === null && refused !== undefined) return { refused };
  // A command that did what it was to do, which did not help: the answer is there all the same.
  if (problem === null && stdout !== '') return { answer: JSON.parse(stdout) };
  if (problem === null) throw new Error(`the command failed: ${message}`);
  if (REFUSALS[code] !== undefined && REFUSALS[code] !== problem.code) {
    throw new Error(`exit code ${code} for ${problem.code}`);
  }
  return failed(problem);
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
