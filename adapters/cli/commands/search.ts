/**
 * `upkeep search QUERY [SERVICE[/ACTION]]`
 */
import type { InputOf, OutputOf } from '../../../core/operation/table.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { parseTarget } from '../target.ts';
import { oneLine } from '../text/event_line.ts';
import { type Paint, paintFor } from '../text/paint.ts';

/** The options of `search`. */
export interface SearchOptions extends CommonOptions {
  readonly lines?: number;
  /** Ms since the epoch. */
  readonly since?: number;
  readonly until?: number;
}

type Found = OutputOf<'log.search'>['items'][number];

/** How many lines are shown where nothing says how many. */
const DEFAULT_LINES = 100;

const NOWHERE = { service: null, action: null };

/** Looks for lines in the logs of all services, or of one; goes on until it has as many as are wanted. */
export async function search(
  io: Io,
  query: string,
  target: string | undefined,
  options: SearchOptions,
): Promise<ExitCode> {
  const { lines = DEFAULT_LINES, since, until } = options;
  const { service, action } = target === undefined ? NOWHERE : parseTarget(target);
  const input: InputOf<'log.search'> = {
    query,
    ...(service === null ? {} : { service }),
    ...(action === null ? {} : { action }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
  const paint = paintFor(io);
  return withDaemon(io, options, async (client) => {
    const items: Found[] = [];
    let cursor: string | null = null;
    do {
      const rest = cursor === null ? {} : { cursor };
      const page: OutputOf<'log.search'> = await client.call('log.search', {
        ...input,
        ...rest,
        limit: Math.max(1, lines - items.length),
      });
      items.push(...page.items);
      if (options.json !== true) for (const item of page.items) await io.out(lineText(item, paint));
      cursor = page.next_cursor;
    } while (cursor !== null && items.length < lines);
    if (options.json === true) {
      await io.out(jsonDocument({ items, complete: cursor === null, next_cursor: cursor }));
    } else if (cursor !== null) io.err(`there may be more: these are the first ${items.length} lines`);
    else if (items.length === 0) {
      // Logs outlive their services: only a name that nothing at all is known of is a mistake.
      if (service !== null) await client.call('service.get', { name: service });
      io.err('nothing was found');
    }
    return EXIT.done;
  });
}

function lineText({ service, action, incarnation, time, text, truncated }: Found, paint: Paint): string {
  const at = time === null ? '' : `${new Date(time).toISOString()} `;
  const from = paint('cyan', `${service}/${action}#${incarnation}`);
  return `${paint('dim', at)}${from} ${oneLine(text)}${truncated ? paint('dim', ' …') : ''}\n`;
}
