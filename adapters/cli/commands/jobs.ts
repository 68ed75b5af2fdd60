/**
 * `upkeep jobs [SERVICE[/ACTION] | JOB] [--run RUN]`
 */
import type { JobView } from '../../../core/supervisor/control.ts';
import type { Client } from '../../client/client.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { everyItem } from '../pages.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { isNotFound, parseTarget } from '../target.ts';
import { oneLine } from '../text/event_line.ts';
import { fieldsText } from '../text/fields.ts';
import { paintFor, toneOf } from '../text/paint.ts';
import { type Cell, formatTable } from '../text/table.ts';
import { formatMoment } from '../text/time.ts';

/** The options of `jobs`. */
export interface JobsOptions extends CommonOptions {
  readonly run?: string;
}

const HEADING = ['JOB', 'SERVICE/ACTION', 'PHASE', 'RESTARTS', 'CREATED', 'ENDED', 'REASON'];

/** Lists jobs, or shows one by its id with every field of its record. */
export async function jobs(io: Io, target: string | undefined, options: JobsOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const items = await listed(client, target, options);
    if (items.length === 0 && target !== undefined) {
      const job = await byId(client, target);
      if (job !== null) {
        await io.out(options.json === true ? jsonDocument(job) : jobText(job, io));
        return EXIT.done;
      }
    }
    await io.out(options.json === true ? jsonDocument({ items, next_cursor: null }) : jobTable(items, io));
    if (items.length === 0 && options.json !== true) io.err('there are no jobs');
    return EXIT.done;
  });
}

async function listed(
  client: Client,
  target: string | undefined,
  { run }: JobsOptions,
): Promise<readonly JobView[]> {
  const { service, action } = target === undefined ? { service: null, action: null } : parseTarget(target);
  const items = await everyItem(client, 'job.list', {
    ...(service === null ? {} : { service }),
    ...(run === undefined ? {} : { run_id: run }),
  });
  const chosen = action === null ? items : items.filter((job) => job.action === action);
  // A run that nothing is known of is a mistake, and no empty list.
  if (chosen.length === 0 && run !== undefined) await client.call('run.get', { id: run });
  return chosen;
}

/** The job of an id; null where it is a service that has no jobs yet. @throws where it is neither. */
async function byId(client: Client, id: string): Promise<JobView | null> {
  try {
    return await client.call('job.get', { id });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // With the name that was probably meant.
    await client.call('service.get', { name: parseTarget(id).service });
    return null;
  }
}

function jobTable(items: readonly JobView[], io: Io): string {
  const now = Date.now();
  const rows = items.map((job): Cell[] => [
    { text: job.id },
    { text: `${job.service}/${job.action}` },
    { text: job.phase, tone: toneOf(job.phase) },
    { text: String(job.restart_count) },
    { text: formatMoment(job.created_at, now) },
    { text: job.finished_at === null ? '-' : formatMoment(job.finished_at, now) },
    { text: `${job.reason.code}: ${oneLine(job.reason.message)}` },
  ]);
  return formatTable(HEADING, rows, {
    paint: paintFor(io),
    columns: io.columns,
    right: ['RESTARTS'],
    expendable: ['ENDED', 'CREATED'],
  });
}

function jobText(job: JobView, io: Io): string {
  const { identity, reason, ...fields } = job;
  return fieldsText({ ...fields, ...identity, reason: `${reason.code}: ${reason.message}` }, io, Date.now());
}
