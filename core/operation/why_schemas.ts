/**
 * The parts of an explanation that only an explanation has.
 */
import * as v from 'valibot';
import { REASON_CODES } from '../job/reason.ts';
import type { NextCall } from '../supervisor/next_step.ts';
import type { WhyNote } from '../supervisor/notes.ts';

/** A {@link NextCall}. */
export const nextCallSchema: v.GenericSchema<NextCall> = v.pipe(
  v.object({
    operation: v.pipe(v.string(), v.description('The operation to call.')),
    input: v.pipe(v.record(v.string(), v.unknown()), v.description('Its input.')),
  }),
  v.description('The call that helps or tells more.'),
);

/** A {@link WhyNote}. */
export const noteSchema: v.GenericSchema<WhyNote> = v.object({
  code: v.pipe(v.picklist(REASON_CODES), v.description('What it is about.')),
  message: v.pipe(v.string(), v.description('The note in words.')),
  evidence: v.pipe(v.record(v.string(), v.unknown()), v.description('What it rests on.')),
  time: v.pipe(v.number(), v.description('When it was recorded, ms since the epoch.')),
  seq: v.pipe(v.number(), v.description('The number of its event.')),
  next_step: v.pipe(v.string(), v.description('What to do about it.')),
  next: v.pipe(v.nullable(nextCallSchema), v.description('What to call about it; null where nothing helps.')),
});
