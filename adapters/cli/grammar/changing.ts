/**
 * Commands about the service file.
 */
import type { ApplyOptions } from '../commands/apply.ts';
import type { CheckOptions } from '../commands/check.ts';
import type { InitOptions } from '../commands/init.ts';
import type { RemoveOptions } from '../commands/remove.ts';
import type { SetOptions } from '../commands/set.ts';
import { type Grammar, placed } from './grammar.ts';

const DRY_RUN = 'say what would change, and change nothing';

/** Declares `init`, `check`, `apply`, `set` and `remove`. */
export function changingCommands({ program, io, ended }: Grammar): void {
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
      ended(await (await import('../commands/init.ts')).init(io, options)),
    );

  placed(program, 'check [file]', 'say what is wrong with a service file, without starting anything')
    .option('--daemon', 'let the upkeep that runs look at it, with the plugins that it has')
    .action(async (file: string | undefined, options: CheckOptions) =>
      ended(await (await import('../commands/check.ts')).check(io, file, options)),
    );

  placed(
    program,
    'apply [file]',
    'make what a file says what upkeep keeps (default: the service file as it is on disk)',
  )
    .option('--dry-run', DRY_RUN)
    .action(async (file: string | undefined, options: ApplyOptions) =>
      ended(await (await import('../commands/apply.ts')).apply(io, file, options)),
    );

  placed(
    program,
    'set <service> [file]',
    'write one service into the service file, {actions: …} from a file or the input, and take it over',
  )
    .option('--dry-run', DRY_RUN)
    .action(async (service: string, file: string | undefined, options: SetOptions) =>
      ended(await (await import('../commands/set.ts')).set(io, service, file, options)),
    );

  placed(program, 'remove <service>', 'take a service out of the service file: what it runs is stopped')
    .option('--dry-run', DRY_RUN)
    .option('--yes', 'do it without asking')
    .action(async (service: string, options: RemoveOptions) =>
      ended(await (await import('../commands/remove.ts')).remove(io, service, options)),
    );
}
