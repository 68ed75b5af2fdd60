/**
 * The command line: what there is to say, and which module does it. Only the module of the command that was given is
 * loaded.
 */
import { Command, CommanderError } from 'commander';
import { CliError, EXIT, type ExitCode, exitCodeOf, failureDocument, failureText } from './exit.ts';
import { accessCommands } from './grammar/access.ts';
import { aroundCommands } from './grammar/around.ts';
import { changingCommands } from './grammar/changing.ts';
import type { Grammar } from './grammar/grammar.ts';
import { keepingCommands } from './grammar/keeping.ts';
import { lookingCommands } from './grammar/looking.ts';
import { type Io, OutputClosed } from './io.ts';
import { wrapTo } from './text/width.ts';
import { version } from './version.ts';

/**
 * Runs a command line.
 *
 * @param argv what follows the program's name.
 * @returns the exit code; whatever goes wrong is told on `io`.
 *
 * @example
 * ```ts
 * process.exit(await runCommandLine(process.argv.slice(2), processIo()));
 * ```
 */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  let help: Promise<void> = Promise.resolve();
  // A line that cannot be parsed was asked for JSON all the same; what follows `--` are no options.
  const json = takeUntil(argv, '--').includes('--json');
  let complaint = '';
  // An option belongs to the command that it follows: `plugins check FILE --json` is not `plugins --json`.
  const program = new Command('upkeep')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        help = io.out(text);
      },
      writeErr: (text) => {
        if (json) complaint += text;
        else io.err(text.trimEnd());
      },
    });
  addCommands({
    program,
    io,
    ended: (outcome) => {
      code = outcome;
    },
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.done;
    if (error instanceof CommanderError) {
      // What is wrong with the line, or the help that was asked for, has been told by now.
      await help.catch(() => {});
      if (error.exitCode === 0) return EXIT.done;
      const message = complaint.trim().replace(/^error: /, '');
      if (json) io.err(JSON.stringify(failureDocument(new CliError(EXIT.usage, message))));
      return EXIT.usage;
    }
    if (json) io.err(JSON.stringify(failureDocument(error)));
    else io.err(wrapped(`upkeep: ${failureText(error)}`, io.live));
    return exitCodeOf(error);
  }
}

function wrapped(text: string, width: number | null): string {
  return text
    .split('\n')
    .map((line) => wrapTo(line, width))
    .join('\n');
}

function takeUntil(argv: readonly string[], end: string): readonly string[] {
  const at = argv.indexOf(end);
  return at < 0 ? argv : argv.slice(0, at);
}

/** Declares every command, in the order in which the help lists them. */
function addCommands(grammar: Grammar): void {
  grammar.program
    .description(
      'Keeps the services of an upkeep.yaml alive and healthy, and tells why they are as they are.',
    )
    .version(version())
    // That each has options is no news, and the room is wanted for what it does.
    .configureHelp({ subcommandTerm: (command) => [command.name(), argumentsOf(command)].join(' ').trim() });
  grammar.program.commandsGroup('Start and end:');
  keepingCommands(grammar);
  grammar.program.commandsGroup('Look:');
  lookingCommands(grammar);
  grammar.program.commandsGroup('Service file:');
  changingCommands(grammar);
  grammar.program.commandsGroup('Access:');
  accessCommands(grammar);
  grammar.program.commandsGroup('Around it:');
  aroundCommands(grammar);
  grammar.program.helpCommand('help [command]', 'show how a command is used');
}

function argumentsOf({ registeredArguments }: Command): string {
  return registeredArguments
    .map((argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`))
    .join(' ');
}
