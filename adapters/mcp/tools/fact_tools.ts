/**
 * Tools on what happened, and on who holds what.
 */
import type { EventRecord } from '../../../core/store/records.ts';
import { defineTool } from '../tool.ts';
import { eventLine, holderLine } from '../words.ts';

/** What happened. */
export const timeline = defineTool({
  name: 'timeline',
  operation: 'event.list',
  title: 'Show what happened',
  description:
    'List events in order: starts, exits, restarts, lost claims, failed health checks, commands and who gave them, each with its cause (the seq of the event that brought it about). Without after these are the newest, with before: SEQ the ones before it, with after: SEQ the ones that follow it. Use it to find out what led to a failure, or to prove what a change did.',
  defaults: { limit: 50 },
  untrusted: ['items[].message', 'items[].evidence'],
  list: {
    keep: (input) => ('after' in input ? 'first' : 'before' in input ? 'last' : 'newest'),
    cursor: (event: EventRecord) => String(event.seq),
  },
  text: ({ items, next_cursor }, { after, limit }) => {
    const [oldest] = items;
    const older =
      after === undefined && (items.length === limit || next_cursor !== null) ? oldest : undefined;
    return [
      items.length === 0 ? 'No events.' : `${items.length} events, the oldest first:`,
      ...items.map(eventLine),
      ...(after !== undefined && next_cursor !== null
        ? [`There are more: call timeline again with after: ${next_cursor}.`]
        : []),
      ...(older === undefined ? [] : [`For older ones call timeline again with before: ${older.seq}.`]),
    ].join('\n');
  },
});

/** Who holds a port or a socket. */
export const whoHolds = defineTool({
  name: 'who_holds',
  operation: 'holder.find',
  title: 'Find out who holds a port or a socket',
  description:
    'Find the processes that hold a TCP port, a UDP port or a Unix socket; give exactly one of tcp_port, udp_port and socket. Each is managed (a service of upkeep), foreign (a stranger), protected (never to be stopped) or unknown. Use it for PORT_HELD and SOCKET_HELD, or before a new service is given a port.',
  untrusted: ['items[].command'],
  text: ({ items, complete }) =>
    [
      ...(items.length === 0
        ? [
            complete
              ? 'Nobody holds it: it is free.'
              : 'Nobody was seen, but not everything could be looked at.',
          ]
        : items.map(holderLine)),
      ...(items.length > 0 && !complete ? ['Not everything could be looked at: there may be more.'] : []),
    ].join('\n'),
});
