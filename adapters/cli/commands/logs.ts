/**
 * `upkeep logs SERVICE[/ACTION] [-f] [-n COUNT] [--since WHEN] [--incarnation N] [--grep TEXT]`
 */
import type { InputOf } from '../../../core/operation/table.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, withDaemon } from '../session.ts';
import { chosenJobs, type TargetJob } from '../target.ts';
import { wholeLines } from '../text/lines.ts';
import { paintFor } from '../text/paint.ts';

/** The options of `logs`. */
export interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  /** Ms since the epoch. */
  readonly since?: number;
  readonly incarnation?: number;
  readonly grep?: string;
}

/** How many lines a terminal is shown where nothing says which; a file or a pipe gets all of them. */
const TERMINAL_LINES = 100;

/** Shows what a service has written: one action byte for byte, several with the action before each line. */
export async function logs(io: Io, target: string, options: LogsOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const jobs = await chosenJobs(client, target);
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
