/**
 * The command line: what there is to say, and which module does it. Only the module of the command that was given is
 * loaded.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { SCOPES } from '../../core/access/scope.ts';
import { type ListenAddress, parseListen } from '../http/listen_address.ts';
import type { ApplyOptions } from './commands/apply.ts';
import type { AuditOptions } from './commands/audit.ts';
import type { EventsOptions } from './commands/events.ts';
import type { HealOptions } from './commands/heal.ts';
import type { InitOptions } from './commands/init.ts';
import type { LogsOptions } from './commands/logs.ts';
import type { McpOptions } from './commands/mcp.ts';
import type { PluginsCheckOptions } from './commands/plugins_check.ts';
import type { PluginsNewOptions } from './commands/plugins_new.ts';
import type { SearchOptions } from './commands/search.ts';
import type { TokenCreateOptions } from './commands/token.ts';
import type { UpOptions } from './commands/up.ts';
import type { WantOptions } from './commands/want.ts';
import { CliError, EXIT, type ExitCode, exitCodeOf, failureDocument } from './exit.ts';
import { type Io, OutputClosed } from './io.ts';
import type { CommonOptions } from './session.ts';
import { parseMoment, parseSpan } from './text/time.ts';
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
  addCommands(program, io, (outcome) => {
    code = outcome;
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
    else io.err(`upkeep: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodeOf(error);
  }
}

function takeUntil(argv: readonly string[], end: string): readonly string[] {
  const at = argv.indexOf(end);
  return at < 0 ? argv : argv.slice(0, at);
}

function addCommands(program: Command, io: Io, ended: (code: ExitCode) => void): void {
  program
    .description(
      'Keeps the services of an upkeep.yaml alive and healthy, and tells why they are as they are.',
    )
    .version(version());

  const placed = (command: Command): Command =>
    command
      .option(
        '--state <dir>',
        'the state folder (default: $UPKEEP_STATE, else .upkeep beside the service file)',
      )
      .option('--json', 'answer in JSON');
  const command = (usage: string, description: string): Command =>
    placed(program.command(usage).description(description));

  command('up', 'start upkeep and every service that is wanted up')
    .option('-f, --file <file>', 'the service file (default: upkeep.yaml, upkeep.yml or upkeep.json)')
    .option('-d, --detach', 'run in the background')
    .option('--no-events', 'do not print what happens')
    .option(
      '--listen <[address:]port>',
      'serve HTTP on the loopback too, to whoever has a token',
      listenAddress,
    )
    .option('--read-only', 'refuse every command, whoever gives it; only down ends upkeep')
    .addOption(
      new Option('--recovery <mode>', 'start everything anew that an earlier upkeep left running').choices([
        'restart',
      ]),
    )
    .action(async (options: UpOptions) => ended(await (await import('./commands/up.ts')).up(io, options)));

  command('down', 'stop everything in order and end upkeep; the next up goes on where it left').action(
    async (options: CommonOptions) => ended(await (await import('./commands/down.ts')).down(io, options)),
  );

  command('status [service]', 'show what every service is at, or one').action(
    async (service: string | undefined, options: CommonOptions) =>
      ended(await (await import('./commands/status.ts')).status(io, service, options)),
  );

  for (const [verb, description] of [
    ['start', 'want a service up, and wait until it is'],
    ['stop', 'want a service down, and wait until it is'],
    ['restart', 'stop each process of a service and start it again, and wait until it is up'],
  ] as const) {
    command(`${verb} <service>`, description)
      .option('--no-wait', 'return as soon as the wish is recorded')
      .option('--timeout <time>', 'how long to wait, such as 30s (default: 60s)', span)
      .action(async (service: string, options: WantOptions) =>
        ended(await (await import('./commands/want.ts')).want(io, verb, service, options)),
      );
  }

  command('logs <service[/action]>', 'show what a service has written')
    .option('-f, --follow', 'go on with what is written from now on')
    .option('-n, --lines <count>', 'only the last so many lines (default: all; 100 on a terminal)', count)
    .option('--since <time>', 'only what is newer: 10m, 2026-11-24T03:12, or ms since 1970', moment)
    .option('--incarnation <number>', 'only what one incarnation has written', count)
    .option('--grep <text>', 'only lines that contain this text')
    .action(async (target: string, options: LogsOptions) =>
      ended(await (await import('./commands/logs.ts')).logs(io, target, options)),
    );

  command(
    'search <query> [service[/action]]',
    'look for text, or a /regex/, in the logs of all services or of one',
  )
    .option('-n, --lines <count>', 'the first so many lines (default: 100)', pageSize)
    .option('--since <time>', 'only what is newer: 10m, 2026-11-24T03:12, or ms since 1970', moment)
    .option('--until <time>', 'only what is older', moment)
    .action(async (query: string, target: string | undefined, options: SearchOptions) =>
      ended(await (await import('./commands/search.ts')).search(io, query, target, options)),
    );

  command(
    'signal <service[/action]> <signal>',
    'send a signal to the main process of an action: HUP, USR1 …',
  ).action(async (target: string, name: string, options: CommonOptions) =>
    ended(await (await import('./commands/signal.ts')).signal(io, target, name, options)),
  );

  command('why <service>', 'explain why a service is as it is, and what to do').action(
    async (service: string, options: CommonOptions) =>
      ended(await (await import('./commands/why.ts')).why(io, service, options)),
  );

  command(
    'heal <service>',
    'show what would make a service well again, ask, do it, and tell whether it helped',
  )
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--yes', 'do it without asking')
    .option('--timeout <time>', 'how long to wait until it is well, such as 30s (default: 60s)', span)
    .action(async (service: string, options: HealOptions) =>
      ended(await (await import('./commands/heal.ts')).heal(io, service, options)),
    );

  command('holders <claim>', 'show who holds a port or a socket: :8080, udp:53, /run/a.sock, @name').action(
    async (claim: string, options: CommonOptions) =>
      ended(await (await import('./commands/holders.ts')).holders(io, claim, options)),
  );

  const pluginsCommand = command('plugins', 'show the plugins, what they may touch and how they do').action(
    async (options: CommonOptions) =>
      ended(await (await import('./commands/plugins.ts')).plugins(io, options)),
  );
  pluginsCommand
    .command('check <file>')
    .description('run the contract suite against a plugin, and print what fails')
    .option('--allow-run <program...>', 'programs that it may run')
    .option('--allow-read <path...>', 'files and folders that it may read')
    .option('--allow-net <target...>', 'where it may connect to: 127.0.0.1:80, unix:/run/x.sock')
    .option('--options <json>', 'its options, as they would stand in a service file')
    .option('--json', 'answer in JSON')
    .action(async (file: string, options: PluginsCheckOptions) =>
      ended(await (await import('./commands/plugins_check.ts')).pluginsCheck(io, file, options)),
    );
  pluginsCommand
    .command('new <kind> <name>')
    .description('write a plugin that works, and its test; kinds: probe, health, rotate, notify')
    .option('--dir <dir>', 'where to (default: here)')
    .action(async (kind: string, name: string, options: PluginsNewOptions) =>
      ended(await (await import('./commands/plugins_new.ts')).pluginsNew(io, kind, name, options)),
    );

  command('events [service]', 'show what happened, the newest last')
    .option('-f, --follow', 'go on with what happens from now on')
    .option('-n, --lines <count>', 'how many (default: 20)', pageSize)
    .action(async (service: string | undefined, options: EventsOptions) =>
      ended(await (await import('./commands/events.ts')).events(io, service, options)),
    );

  const token = program.command('token').description('make, list and revoke tokens for access over TCP');
  const tokenCommand = (usage: string, description: string): Command =>
    placed(token.command(usage).description(description));
  tokenCommand('create <name>', 'make a token and print it, this once only')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(SCOPES).default('read'))
    .option(
      '--expires <time>',
      'for how long it is good, such as 12h or 30d (default: until it is revoked)',
      span,
    )
    .action(async (name: string, options: TokenCreateOptions) =>
      ended(await (await import('./commands/token.ts')).tokenCreate(io, name, options)),
    );
  tokenCommand('list', 'show every token').action(async (options: CommonOptions) =>
    ended(await (await import('./commands/token.ts')).tokenList(io, options)),
  );
  tokenCommand('revoke <name>', 'take a token back').action(async (name: string, options: CommonOptions) =>
    ended(await (await import('./commands/token.ts')).tokenRevoke(io, name, options)),
  );

  command('audit', 'show the commands that were given, by whom, and what came of them')
    .option('-n, --lines <count>', 'how many (default: 20)', pageSize)
    .action(async (options: AuditOptions) =>
      ended(await (await import('./commands/audit.ts')).audit(io, options)),
    );

  program
    .command('mcp')
    .description('serve the tools of an AI agent (MCP) on standard input and output')
    .option(
      '--state <dir>',
      'the state folder (default: $UPKEEP_STATE, else .upkeep beside the service file)',
    )
    .option('--read-only', 'offer nothing that changes anything')
    .action(async (options: McpOptions) => ended(await (await import('./commands/mcp.ts')).mcp(io, options)));

  command(
    'apply [file]',
    'make what a file says what upkeep keeps (default: the service file as it is on disk)',
  )
    .option('--dry-run', 'say what would change, and change nothing')
    .action(async (file: string | undefined, options: ApplyOptions) =>
      ended(await (await import('./commands/apply.ts')).apply(io, file, options)),
    );

  command('doctor', 'look whether upkeep can do all that it is there for on this machine').action(
    async (options: CommonOptions) => ended(await (await import('./commands/doctor.ts')).doctor(io, options)),
  );

  program
    .command('init')
    .description(
      'write an upkeep.yaml to begin with, from a Procfile, a compose or pm2 file, or a package.json',
    )
    .option('--from <file>', 'the file to begin from (default: the first of those that is here)')
    .option('-o, --output <file>', 'where to (default: upkeep.yaml)')
    .option('--force', 'write over what is there')
    .option('--json', 'answer in JSON')
    .action(async (options: InitOptions) =>
      ended(await (await import('./commands/init.ts')).init(io, options)),
    );

  program
    .command('check [file]')
    .description('say what is wrong with a service file, without starting anything')
    .option('--json', 'answer in JSON')
    .action(async (file: string | undefined, options: { json?: boolean }) =>
      ended(await (await import('./commands/check.ts')).check(io, file, options)),
    );

  program
    .command('demo')
    .description('run a small service that is made to crash, and watch it heal')
    .action(async () => ended(await (await import('./commands/demo.ts')).demo(io)));
}

function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return Number(text);
}

/** As many as a page of a list can have. */
function pageSize(text: string): number {
  const size = count(text);
  if (size > 1000) throw new InvalidArgumentError('It must be 1000 or less.');
  return size;
}

function listenAddress(text: string): ListenAddress {
  try {
    return parseListen(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

function span(text: string): number {
  const ms = parseSpan(text);
  if (ms === null) throw new InvalidArgumentError('It must be a time such as 500ms, 30s or 2m.');
  return ms;
}

function moment(text: string): number {
  const time = parseMoment(text, Date.now());
  if (time === null) {
    throw new InvalidArgumentError('It must be a time such as 10m or 2026-11-24T03:12, or ms since 1970.');
  }
  return time;
}
