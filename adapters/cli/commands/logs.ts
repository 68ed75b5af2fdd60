/**
 * `upkeep logs SERVICE[/ACTION] [-f] [-n COUNT] [--since WHEN] [--incarnation N] [--grep TEXT]`
 */
import type { InputOf } from '../../../core/operation/table.ts';
import type { ActionView } from '../../../core/supervisor/control.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, withDaemon } from '../session.ts';
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
  const [name = '', action] = target.split('/', 2);
  return withDaemon(io, options, async (client) => {
    const service = await client.call('service.get', { name });
    const jobs = chosen(name, action, service.actions);
    const width = Math.max(...jobs.map((job) => job.action.length));
    const paint = paintFor(io);
    const show = async ({ action: from, id }: Job): Promise<void> => {
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

interface Job {
  readonly action: string;
  readonly id: string;
}

function chosen(service: string, action: string | undefined, actions: readonly ActionView[]): Job[] {
  const named = action === undefined ? actions : actions.filter((candidate) => candidate.action === action);
  if (named.length === 0) {
    const names = actions.map((candidate) => candidate.action).join(', ');
    throw new CliError(EXIT.not_found, `'${service}' has no action '${action ?? ''}'; it has: ${names}`);
  }
  const jobs = named.flatMap(({ action: of, job_id }) =>
    job_id === null ? [] : [{ action: of, id: job_id }],
  );
  if (jobs.length === 0)
    throw new CliError(EXIT.failed, `'${service}' has not been started yet: it has no log`);
  return jobs;
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
