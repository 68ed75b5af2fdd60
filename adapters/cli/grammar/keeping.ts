/**
 * Commands that start and end things.
 */
import { Option } from 'commander';
import type { HealOptions } from '../commands/heal.ts';
import type { UpOptions } from '../commands/up.ts';
import type { WantOptions } from '../commands/want.ts';
import type { CommonOptions } from '../session.ts';
import { type Grammar, placed } from './grammar.ts';
import { listenAddress, span } from './values.ts';

const TIMEOUT = 'how long to wait, such as 30s (default: 60s)';

/** Declares `up`, `down`, `start`, `stop`, `restart`, `heal` and `signal`. */
export function keepingCommands({ program, io, ended }: Grammar): void {
  placed(program, 'up', 'start upkeep and every service that is wanted up')
    .option('-f, --file <file>', 'the service file (default: upkeep.yaml, upkeep.yml or upkeep.json)')
    .option('-d, --detach', 'run in the background')
    .option('--wait', 'with -d: return when every service is up, or say why one is not')
    .option('--timeout <time>', `with --wait: ${TIMEOUT}`, span)
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
    .action(async (options: UpOptions) => ended(await (await import('../commands/up.ts')).up(io, options)));

  placed(
    program,
    'down',
    'stop everything in order and end upkeep; the next up goes on where it left',
  ).action(async (options: CommonOptions) =>
    ended(await (await import('../commands/down.ts')).down(io, options)),
  );

  for (const [verb, description] of [
    ['start', 'want a service up, and wait until it is'],
    ['stop', 'want a service down, and wait until it is'],
    ['restart', 'stop each process of a service and start it again, and wait until it is up'],
  ] as const) {
    placed(program, `${verb} <service>`, description)
      .option('--no-wait', 'return as soon as the wish is recorded')
      .option('--wait', 'wait until it is so, which is what it does anyway')
      .option('--timeout <time>', TIMEOUT, span)
      .action(async (service: string, options: WantOptions) =>
        ended(await (await import('../commands/want.ts')).want(io, verb, service, options)),
      );
  }

  placed(
    program,
    'heal <service>',
    'show what would make a service well again, ask, do it, and tell whether it helped',
  )
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--yes', 'do it without asking')
    .option('--timeout <time>', 'how long to wait until it is well, such as 30s (default: 60s)', span)
    .action(async (service: string, options: HealOptions) =>
      ended(await (await import('../commands/heal.ts')).heal(io, service, options)),
    );

  placed(
    program,
    'signal <service[/action]> <signal>',
    'send a signal to the main process of an action: HUP, USR1 …',
  ).action(async (target: string, name: string, options: CommonOptions) =>
    ended(await (await import('../commands/signal.ts')).signal(io, target, name, options)),
  );
}
