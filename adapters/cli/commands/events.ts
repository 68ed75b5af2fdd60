/**
 * `upkeep events [-f | --before SEQ] [-n COUNT] [SERVICE]`
 */
import type { EventRecord } from '../../../core/store/records.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, jsonDocument, withDaemon } from '../session.ts';
import { eventLine } from '../text/event_line.ts';
import { paintFor } from '../text/paint.ts';
import { wrapTo } from '../text/width.ts';

/** The options of `events`. */
export interface EventsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  readonly before?: number;
}

/** Shows what happened, and with `follow` what happens. */
export async function events(io: Io, name: string | undefined, options: EventsOptions): Promise<ExitCode> {
  const paint = paintFor(io);
  const filter = name === undefined ? {} : { service: name };
  return withDaemon(io, options, async (client) => {
    const page =
      options.lines === 0
        ? { items: [], next_cursor: null }
        : await client.call('event.list', {
            ...filter,
            ...(options.before === undefined ? {} : { before: options.before }),
            limit: options.lines ?? 20,
          });
    // Events outlive their services: only a name that nothing at all is known of is a mistake.
    if (page.items.length === 0 && name !== undefined) await client.call('service.get', { name });
    if (options.json === true && options.follow !== true) {
      await io.out(jsonDocument(page));
      return EXIT.done;
    }
    const show = (event: EventRecord): Promise<void> =>
      io.out(
        `${options.json === true ? JSON.stringify(event) : wrapTo(eventLine(event, Date.now(), paint), io.columns)}\n`,
      );
    for (const event of page.items) await show(event);
    if (options.follow !== true) return EXIT.done;
    const last = page.items.at(-1);
    const stream = client.subscribe(
      'event.stream',
      last === undefined ? filter : { ...filter, after: last.seq },
    );
    for await (const event of stream) await show(event);
    io.err('upkeep has ended');
    return EXIT.done;
  });
}
