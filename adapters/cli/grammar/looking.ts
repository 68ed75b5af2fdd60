/**
 * Commands that tell what is so, and what was.
 */
import type { EventsOptions } from '../commands/events.ts';
import type { JobsOptions } from '../commands/jobs.ts';
import type { LogsOptions } from '../commands/logs.ts';
import type { RunsOptions } from '../commands/runs.ts';
import type { SearchOptions } from '../commands/search.ts';
import type { CommonOptions } from '../session.ts';
import { type Grammar, placed } from './grammar.ts';
import { count, moment, pageSize } from './values.ts';

/** Declares `status`, `why`, `logs`, `search`, `events`, `jobs`, `runs`, `holders` and `health`. */
export function lookingCommands({ program, io, ended }: Grammar): void {
  placed(program, 'status [service[/action]]', 'show what every service is at, or one').action(
    async (target: string | undefined, options: CommonOptions) =>
      ended(await (await import('../commands/status.ts')).status(io, target, options)),
  );

  placed(program, 'why <service[/action]>', 'explain why a service is as it is, and what to do').action(
    async (target: string, options: CommonOptions) =>
      ended(await (await import('../commands/why.ts')).why(io, target, options)),
  );

  placed(program, 'logs <service[/action]|job>', 'show what a service has written, or an earlier job')
    .option('-f, --follow', 'go on with what is written from now on')
    .option('-n, --lines <count>', 'only the last so many lines (default: all; 100 on a terminal)', count)
    .option('-t, --times', 'show when each line was written, and by which incarnation')
    .option('--since <time>', 'only what is newer: 10m, 2026-11-24T03:12, or ms since 1970', moment)
    .option('--incarnation <number>', 'only what one incarnation has written', count)
    .option('--grep <text>', 'only lines that contain this text')
    .action(async (target: string, options: LogsOptions) =>
      ended(await (await import('../commands/logs.ts')).logs(io, target, options)),
    );

  placed(
    program,
    'search <query> [service[/action]]',
    'look for text, or a /regex/, in the logs of all services or of one',
  )
    .option('-n, --lines <count>', 'the first so many lines (default: 100)', pageSize)
    .option('--since <time>', 'only what is newer: 10m, 2026-11-24T03:12, or ms since 1970', moment)
    .option('--until <time>', 'only what is older', moment)
    .action(async (query: string, target: string | undefined, options: SearchOptions) =>
      ended(await (await import('../commands/search.ts')).search(io, query, target, options)),
    );

  placed(program, 'events [service]', 'show what happened, the newest last')
    .option('-f, --follow', 'go on with what happens from now on')
    .option('-n, --lines <count>', 'how many (default: 20)', pageSize)
    .option('--before <seq>', 'only what was before an event, by its number', count)
    .action(async (service: string | undefined, options: EventsOptions) =>
      ended(await (await import('../commands/events.ts')).events(io, service, options)),
    );

  placed(
    program,
    'jobs [service[/action]|job]',
    'list jobs, those of earlier runs too, or show every field of one',
  )
    .option('--run <run>', 'only those of one run')
    .action(async (target: string | undefined, options: JobsOptions) =>
      ended(await (await import('../commands/jobs.ts')).jobs(io, target, options)),
    );

  placed(
    program,
    'runs [service|run]',
    'list runs, each a service from a start to the next stop, or show one',
  )
    .option('-n, --lines <count>', 'how many of the newest (default: 20)', pageSize)
    .action(async (target: string | undefined, options: RunsOptions) =>
      ended(await (await import('../commands/runs.ts')).runs(io, target, options)),
    );

  placed(
    program,
    'holders <claim>',
    'show who holds a port or a socket: :8080, udp:53, /run/a.sock, @name',
  ).action(async (claim: string, options: CommonOptions) =>
    ended(await (await import('../commands/holders.ts')).holders(io, claim, options)),
  );

  placed(program, 'health', 'show how upkeep itself is; fails where its store does not work').action(
    async (options: CommonOptions) =>
      ended(await (await import('../commands/health.ts')).health(io, options)),
  );
}
