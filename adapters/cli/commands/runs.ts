/**
 * `upkeep runs [SERVICE | RUN] [-n COUNT]`
 */
import type { RunRow } from '../../../core/store/records.ts';
import type { Client } from '../../client/client.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { isNotFound } from '../target.ts';
import { fieldsText } from '../text/fields.ts';
import { paintFor } from '../text/paint.ts';
import { type Cell, formatTable } from '../text/table.ts';
import { formatMoment, formatSpan } from '../text/time.ts';

/** The options of `runs`. */
export interface RunsOptions extends CommonOptions {
  readonly lines?: number;
}

const HEADING = ['RUN', 'SERVICE', 'STARTED', 'FINISHED', 'LASTED'];

/** How many are shown where nothing else is asked for. */
const SHOWN = 20;

/** Lists runs, the newest first, or shows one by its id. */
export async function runs(io: Io, target: string | undefined, options: RunsOptions): Promise<ExitCode> {
  return withDaemon(io, options, async (client) => {
    const limit = Math.max(1, options.lines ?? SHOWN);
    const page = await client.call('run.list', {
      ...(target === undefined ? {} : { service: target }),
      limit,
    });
    const run = page.items.length === 0 && target !== undefined ? await byId(client, target) : null;
    if (options.json === true) await io.out(jsonDocument(run ?? page));
    else await io.out(run === null ? runTable(page.items, io) : fieldsText({ ...run }, io, Date.now()));
    if (run === null && page.items.length === 0 && options.json !== true) io.err('there are no runs');
    return EXIT.done;
  });
}

/** The run of an id; null where it is a service that had none yet. @throws where it is neither. */
async function byId(client: Client, id: string): Promise<RunRow | null> {
  try {
    return await client.call('run.get', { id });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    // With the name that was probably meant.
    await client.call('service.get', { name: id });
    return null;
  }
}

function runTable(items: readonly RunRow[], io: Io): string {
  const now = Date.now();
  const rows = items.map(({ id, service, started_at, finished_at }): Cell[] => [
    { text: id },
    { text: service },
    { text: formatMoment(started_at, now) },
    finished_at === null ? { text: 'goes on', tone: 'green' } : { text: formatMoment(finished_at, now) },
    { text: formatSpan((finished_at ?? now) - started_at) },
  ]);
  return formatTable(HEADING, rows, { paint: paintFor(io), columns: io.columns, right: ['LASTED'] });
}
