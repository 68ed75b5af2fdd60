/**
 * Commands around upkeep: its plugins, its machine, its other faces, and the shell.
 */
import { Argument } from 'commander';
import type { McpOptions } from '../commands/mcp.ts';
import type { PluginsCheckOptions } from '../commands/plugins_check.ts';
import type { PluginsNewOptions } from '../commands/plugins_new.ts';
import { SHELLS, type Shell } from '../completion/scripts.ts';
import type { CommonOptions } from '../session.ts';
import { type Grammar, placed, withState } from './grammar.ts';

/** Declares `plugins`, `doctor`, `mcp`, `completion` and `demo`. */
export function aroundCommands({ program, io, ended }: Grammar): void {
  const plugins = placed(program, 'plugins', 'show the plugins, what they may touch and how they do').action(
    async (options: CommonOptions) =>
      ended(await (await import('../commands/plugins.ts')).plugins(io, options)),
  );
  plugins
    .command('check <file>')
    .description('run the contract suite against a plugin, and print what fails')
    .option('--allow-run <program...>', 'programs that it may run')
    .option('--allow-read <path...>', 'files and folders that it may read')
    .option('--allow-net <target...>', 'where it may connect to: 127.0.0.1:80, unix:/run/x.sock')
    .option('--options <json>', 'its options, as they would stand in a service file')
    .option('--json', 'answer in JSON')
    .action(async (file: string, options: PluginsCheckOptions) =>
      ended(await (await import('../commands/plugins_check.ts')).pluginsCheck(io, file, options)),
    );
  plugins
    .command('new <kind> <name>')
    .description('write a plugin that works, and its test; kinds: probe, health, rotate, notify')
    .option('--dir <dir>', 'where to (default: here)')
    .action(async (kind: string, name: string, options: PluginsNewOptions) =>
      ended(await (await import('../commands/plugins_new.ts')).pluginsNew(io, kind, name, options)),
    );

  placed(program, 'doctor', 'look whether upkeep can do all that it is there for on this machine').action(
    async (options: CommonOptions) =>
      ended(await (await import('../commands/doctor.ts')).doctor(io, options)),
  );

  withState(program, 'mcp', 'serve the tools of an AI agent (MCP) on standard input and output')
    .option('--read-only', 'offer nothing that changes anything')
    .action(async (options: McpOptions) =>
      ended(await (await import('../commands/mcp.ts')).mcp(io, options)),
    );

  program
    .command('completion')
    .description('print what lets a shell complete command lines: eval "$(upkeep completion bash)"')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(async (shell: Shell) =>
      ended(await (await import('../commands/completion.ts')).completion(io, shell)),
    );
  program
    .command('__complete [words...]', { hidden: true })
    .allowUnknownOption()
    .action(async (words: string[]) =>
      ended(await (await import('../commands/complete.ts')).complete(io, program, words)),
    );

  program
    .command('demo')
    .description('run a small service that is made to crash, and watch it heal')
    .action(async () => ended(await (await import('../commands/demo.ts')).demo(io)));
}
