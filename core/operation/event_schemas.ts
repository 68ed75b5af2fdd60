/**
 * The schema of events, held to their TypeScript record by the compiler, and that of who caused them.
 */
import * as v from 'valibot';
import type { Actor, EventRecord } from '../store/records.ts';
import { described, named } from './described.ts';
import { code, count, evidence, phase, text, time } from './view_parts.ts';

// A pattern and not a custom check, as it is to be published as JSON Schema; the type is what the pattern says.
const actorText: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(/^(cli|http|core|mcp:.*|plugin:.*)$/),
  v.description('Who caused it: `cli`, `http`, `core`, `mcp:` and a client, `plugin:` and its name.'),
);
/** An {@link Actor}. */
export const actorSchema = actorText as v.GenericSchema<Actor>;

/** An {@link EventRecord}. */
export const eventSchema: v.GenericSchema<EventRecord> = named(
  'Event',
  'Something that changed, and why.',
  v.object({
    seq: described('Its number, which rises with each event: the cursor of lists and streams.', count),
    time: described('When it happened, ms since 1970.', time),
    service: described('The service that it is about; null where it is about upkeep itself.', text),
    action: described('The action that it is about; null where it is about no single one.', text),
    job_id: described('The job that it is about; null where it is about no single one.', text),
    incarnation: described(
      'The incarnation that it is about: the restart count at that time.',
      v.nullable(count),
    ),
    from: described('The phase before; null where it is no change of phase.', v.nullable(phase)),
    to: described('The phase after; null where it is no change of phase.', v.nullable(phase)),
    code,
    message: described('One sentence for people.', v.string()),
    evidence,
    actor: actorSchema,
    cause: described('The `seq` of the event that caused this one; null where none did.', v.nullable(count)),
  }),
);
