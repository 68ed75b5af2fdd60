/**
 * `upkeep logs SERVICE[/ACTION]|JOB [-f] [-t] [-n COUNT] [--since WHEN] [--incarnation N] [--grep TEXT]`
 */
import type { InputOf, OutputOf } from '../../../core/operation/table.ts';
import type { Client } from '../../client/client.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, withDaemon } from '../session.ts';
import { chosenJobs, type TargetJob } from '../target.ts';
import { oneLine } from '../text/event_line.ts';
import { wholeLines } from '../text/lines.ts';
import { type Paint, paintFor } from '../text/paint.ts';

/** The options of `logs`. */
export interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  /** True to show the time and the incarnation of each line. */
  readonly times?: boolean;
  /** Ms since the epoch. */
  readonly since?: number;
  readonly incarnation?: number;
  readonly grep?: string;
}

/** How many lines a terminal is shown where nothing says which; a file or a pipe gets all of them. */
const TERMINAL_LINES = 100;

/** How many lines are asked for at once. */
const PAGE = 1000;

/** Shows what a service has written: one action byte for byte, several with the action before each line. */
export async function logs(io: Io, target: string, options: LogsOptions): Promise<ExitCode> {
  if (options.times === true && (options.follow === true || options.grep !== undefined)) {
    throw new CliError(EXIT.usage, '--times goes with neither --follow nor --grep; see: upkeep search TEXT');
  }
  return withDaemon(io, options, async (client) => {
    const jobs = await chosenJobs(client, target);
    if (options.times === true) {
      for (const job of jobs) await timedLines(io, client, job, jobs.length > 1, options);
      return EXIT.done;
    }
    const width = Math.max(...jobs.map((job) => job.action.length));
    const paint = paintFor(io);
    const show = async ({ action: from, id }: TargetJob): Promise<void> => {
      const chunks = client.subscribe('job.log', { id, ...query(options, io) });
      if (options.json === true) {
        for await (const line of wholeLines(chunks))
          await io.out(`${JSON.stringify({ action: from, line })}\n`);
      } else if (jobs.length === 1) {
        for await (const chunk of chunks) await io.out(chunk);
      } else {
        const before = paint('cyan', from.padEnd(width));
        for await (const line of wholeLines(chunks)) await io.out(`${before} ${paint('dim', '|')} ${line}\n`);
      }
    };
    if (options.follow === true) await Promise.all(jobs.map(show));
    else for (const job of jobs) await show(job);
    return EXIT.done;
  });
}

type Line = OutputOf<'log.read'>['items'][number];

async function timedLines(
  io: Io,
  client: Client,
  { service, action, id }: TargetJob,
  several: boolean,
  options: LogsOptions,
): Promise<void> {
  const paint = paintFor(io);
  // An unfollowed log: what is narrowed there is narrowed here.
  const { follow, grep, ...narrowed } = query(options, io);
  let cursor: string | null = null;
  do {
    const page: OutputOf<'log.read'> = await client.call('log.read', {
      id,
      ...narrowed,
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    const text = page.items.map((line) =>
      options.json === true
        ? `${JSON.stringify({ service, action, ...line })}\n`
        : `${timeText(line, paint)} ${several ? `${paint('cyan', action)} ` : ''}${oneLine(line.text)}\n`,
    );
    await io.out(text.join(''));
    cursor = page.next_cursor;
  } while (cursor !== null);
}

function timeText({ time, incarnation }: Line, paint: Paint): string {
  const at = time === null ? '-'.padEnd(24) : new Date(time).toISOString();
  return paint('dim', `${at} #${incarnation}`);
}

function query(options: LogsOptions, io: Io): Omit<InputOf<'job.log'>, 'id'> {
  const { follow, since, incarnation, grep } = options;
  const narrowed = since !== undefined || incarnation !== undefined || grep !== undefined;
  const tail = options.lines ?? (narrowed || io.columns === null ? undefined : TERMINAL_LINES);
  return {
    ...(follow !== undefined ? { follow } : {}),
    ...(since !== undefined ? { since } : {}),
    ...(incarnation !== undefined ? { incarnation } : {}),
    ...(grep !== undefined ? { grep } : {}),
    ...(tail !== undefined ? { tail } : {}),
  };
}
