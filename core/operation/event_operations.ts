/**
 * Operations on events.
 */
import * as v from 'valibot';
import { described } from './described.ts';
import { eventSchema } from './event_schemas.ts';
import { eventStream } from './event_stream.ts';
import { exampleEvent } from './examples.ts';
import { countField, nameField } from './fields.ts';
import { defineCall, defineSubscription } from './operation.ts';
import { limitField, pageSchema } from './page.ts';

/** How many events a list has where nothing else is asked for. */
export const DEFAULT_EVENTS = 100;

const filter = {
  service: v.exactOptional(described('Only those of this service.', nameField)),
  job_id: v.exactOptional(described('Only those of this job.', nameField)),
  after: v.exactOptional(described('Only events with a greater `seq`.', countField)),
};

/** What happened. */
export const eventList = defineCall({
  name: 'event.list',
  kind: 'query',
  summary:
    'List events in order: the newest ones, those that follow `after`, or the newest before `before`; `next_cursor` is the next `after`, or `before`.',
  input: v.strictObject({
    ...filter,
    before: v.exactOptional(described('Only events with a smaller `seq`.', countField)),
    limit: v.exactOptional(limitField),
  }),
  output: pageSchema(eventSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: {
    input: { service: 'shop', after: 40, limit: 1 },
    output: { items: [exampleEvent], next_cursor: '41' },
  },
  run: (control, input) => {
    const { after, before, limit = DEFAULT_EVENTS } = input;
    const items = control.events({ ...input, limit });
    // Without both these are the newest: nothing is left behind them.
    const edge = after !== undefined ? items.at(-1) : before !== undefined ? items[0] : undefined;
    return { items, next_cursor: items.length === limit && edge !== undefined ? String(edge.seq) : null };
  },
});

/** What happens. */
export const eventStreamed = defineSubscription({
  name: 'event.stream',
  kind: 'subscription',
  summary: 'Follow events as they happen, beginning with those that follow `after` where it is given.',
  input: v.strictObject(filter),
  output: eventSchema,
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { after: 40 }, output: exampleEvent },
  run: (control, input, context) => eventStream(control, input, context.signal),
});
