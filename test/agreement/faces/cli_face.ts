/**
 * The command line: the command that says the same as a call, with `--json`, where there is one. What it cannot say is
 * unsaid here.
 */
import { expect } from 'vitest';
import { runCommandLine } from '../../../adapters/cli/program.ts';
import type { CallName } from '../../../core/operation/table.ts';
import { MemoryIo } from '../../adapters/cli/memory_io.ts';
import { failed, type Outcome } from '../outcome.ts';
import type { World } from '../world.ts';
import { COMMANDS, type Command } from './cli_words.ts';
import type { Face } from './face.ts';

/** The command line, in this process. */
export function cliFace(world: World): Face {
  return {
    name: 'cli',
    tokens: false,
    async call(operation, input) {
      const { words, read }: Command = COMMANDS[operation];
      const said = await words(input, world);
      if (said === null) return { unsaid: 'no command says it' };
      if (!(await isThere(operation))) return { unsaid: 'there is no such command' };
      const io = ioOf(world);
      return outcomeOf(await runCommandLine([...said, '--json'], io), io, read ?? JSON.parse);
    },
  };
}

/** Whether the help knows the command of an operation, with the option that makes it that. */
export async function isThere(operation: CallName): Promise<boolean> {
  const { help }: Command = COMMANDS[operation];
  if (help.length === 0) return false;
  const [option, path] = [
    help.find((word) => word.startsWith('--')),
    help.filter((word) => !word.startsWith('--')),
  ];
  const io = new MemoryIo('/');
  await runCommandLine([...path, '--help'], io);
  return io.stdout.includes(`Usage: upkeep ${path.join(' ')} `) && io.stdout.includes(option ?? '');
}

function ioOf({ box }: World): MemoryIo {
  const env = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new MemoryIo(box.dir, { ...Object.fromEntries(env), UPKEEP_STATE: box.state });
}

/** What the exit codes say of a failure. */
const REFUSALS: Readonly<Record<number, 'invalid_input' | 'not_found'>> = {
  2: 'invalid_input',
  3: 'not_found',
};

function outcomeOf(code: number, { stdout, stderr }: MemoryIo, read: (text: string) => unknown): Outcome {
  if (code === 0 || stderr === '') return { answer: read(stdout) };
  const { exit_code, message, problem } = JSON.parse(stderr);
  expect(exit_code).toBe(code);
  if (problem !== null) {
    // Whatever has no exit code of its own has the common one.
    expect(REFUSALS[code] ?? problem.code).toBe(problem.code);
    return failed(problem);
  }
  // What was asked for was done, and it did not help.
  if (stdout !== '') return { answer: read(stdout) };
  const refused = REFUSALS[code];
  if (refused === undefined) throw new Error(`the command failed: ${message}`);
  return { refused };
}
