/**
 * The parts that the schemas of several views share.
 */
import * as v from 'valibot';
import { PHASES } from '../job/job.ts';
import { REASON_CODES, type Reason } from '../job/reason.ts';
import type { Identity } from '../process/identity.ts';
import { described, named } from './described.ts';

/** A whole number from 0. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A text, or none. */
export const text = v.nullable(v.string());
/** A moment, ms since 1970. */
export const time = v.number();

/** What the user wants of a service. */
export const wanted = described('What the user wants of it.', v.picklist(['up', 'down']));
/** What a service is at. */
export const state = described(
  'What the service is at, all its actions taken together.',
  v.picklist(['up', 'starting', 'degraded', 'retrying', 'stopping', 'down', 'failed']),
);
/** Where a job is. */
export const phase = named(
  'Phase',
  'Where a job is: `pending` waits for what it depends on, `preparing` reclaims its claims, `starting` is spawned and ' +
    'not ready, `retrying` waits for its next try.',
  v.picklist(PHASES),
);
/** A reason, for programs. */
export const code = named(
  'ReasonCode',
  'Why something is so: one of a closed list.',
  v.picklist(REASON_CODES),
);
/** What backs a reason up. */
export const evidence = described('Facts that back it up, for programs.', v.record(v.string(), v.unknown()));
/** How often a program was started again. */
export const restartCount = described(
  'How often the program was started again in this job; it never falls.',
  count,
);
/** A streak of failed tries. */
export const attempt = described(
  'The current streak of failed tries; 0 once the job has been stable.',
  count,
);
/** When a job is tried next. */
export const nextAttemptAt = described(
  'When the next try is due, ms since 1970; null where none is waited for.',
  v.nullable(time),
);
/** When a job was spawned last. */
export const startedAt = described(
  'When the latest incarnation was spawned, ms since 1970; null while there was none.',
  v.nullable(time),
);
/** A main process. */
export const pid = described('The id of its main process; null where there is none.', v.nullable(count));
/** The job of an action. */
export const jobId = described('The job of the action; null before the first start.', text);
/** The name of an action. */
export const action = described('The name of the action.', v.string());

/** What the checks of an action say. */
export const health = described(
  'What the checks say; `unknown` where there are none, or they have not said yet.',
  v.picklist(['healthy', 'unhealthy', 'unknown']),
);

/** A {@link Reason}. */
export const reasonSchema: v.GenericSchema<Reason> = named(
  'Reason',
  'Why something is as it is.',
  v.object({ code, message: described('One sentence for people.', v.string()), evidence }),
);

/** An {@link Identity}. */
export const identitySchema: v.GenericSchema<Identity> = named(
  'Identity',
  'A process, told apart from every other that ever had its pid.',
  v.object({
    boot_id: described('The boot of the machine that it lives in.', v.string()),
    pid: described('Its process id.', count),
    start_time: described(
      'When it started, as its kernel counts: only equality means something.',
      v.number(),
    ),
  }),
);
