/**
 * What the declarations of commands have in common. A group of commands a file; each loads the module that does the
 * work only when its command was given.
 */
import type { Command } from 'commander';
import type { ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';

/** What commands are declared with. */
export interface Grammar {
  readonly program: Command;
  readonly io: Io;
  /** Takes the exit code of the command that ran. */
  readonly ended: (code: ExitCode) => void;
}

/** Declares a command that is about the upkeep on a state folder. */
export function placed(parent: Command, usage: string, description: string): Command {
  return withState(parent, usage, description).option('--json', 'answer in JSON');
}

/** The same, of what has no answer for programs. */
export function withState(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option(
      '--state <dir>',
      'the state folder (default: $UPKEEP_STATE, else .upkeep beside the service file)',
    );
}
