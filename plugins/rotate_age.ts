/**
 * No log grows older than an interval, or than a time of the day.
 */
import * as v from 'valibot';
import { defineLogRotator } from '../core/plugin/definition.ts';
import { timeoutField } from '../core/spec/fields.ts';
import { byKind, rule } from '../core/spec/schema_kit.ts';

const DAY = 86_400_000;
/** The longest time between two occurrences of a time of the day, ms: a day on which the clocks go back, and more. */
const LONGEST_DAY = DAY + 4 * 3_600_000;

const TIME_TEXT = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const TIME_RULE = 'must be a time of the day from 00:00 to 23:59, such as 03:00';

const timeField = v.pipe(
  v.string(TIME_RULE),
  v.metadata({ pattern: TIME_TEXT.source }),
  rule('time_of_day', (text: string) => {
    if (TIME_TEXT.test(text)) return text;
    throw new RangeError(TIME_RULE);
  }),
);

const timesField = byKind(
  {
    text: v.pipe(
      timeField,
      v.transform((time) => [time]),
    ),
    list: v.array(timeField),
  },
  `${TIME_RULE}, or a list of them`,
);

/**
 * Rotates a log, in use or not, whose first byte is `interval` old, or from before the latest of the times `at`. All
 * that is there goes into one segment. A time that passed while nobody looked is made up for once.
 */
export const ageRotator = defineLogRotator({
  name: 'age',
  api: 1,
  summary:
    'A log that has reached an age, or has seen a time of the day, is set aside, also while the program runs.',
  options: v.strictObject({
    interval: v.pipe(
      v.optional(timeoutField),
      v.description('The age, counted from the first byte. Default: 1d, or none where `at` is given.'),
    ),
    at: v.pipe(
      v.optional(timesField, []),
      v.description('Times of the day, as the clocks of the machine show them: "03:00", or a list.'),
    ),
  }),
  decide({ size, begun_at, now }, { interval, at }) {
    if (size <= 0) return { action: 'keep' };
    const age = interval ?? (at.length === 0 ? DAY : Number.POSITIVE_INFINITY);
    const due = Math.min(
      settled(begun_at + age, begun_at, age, now),
      settled(nextTime(begun_at, at), begun_at, LONGEST_DAY, now),
    );
    if (due <= now) return { action: 'rotate', bytes: size };
    return Number.isFinite(due) ? { action: 'keep', next_at: due } : { action: 'keep' };
  },
});

/** A clock that was set back by more than a whole period leaves a begin that it may not come to in years: due now. */
function settled(due: number, begunAt: number, period: number, now: number): number {
  return Number.isFinite(due) && begunAt - period > now ? now : due;
}

/**
 * The first of some times of the day after an instant, ms since the epoch; infinite where there is none.
 *
 * Each comes once a day. One that is left out when the clocks go forward comes as much later as they go; of one that
 * comes twice when they go back the first counts.
 */
function nextTime(after: number, times: readonly string[]): number {
  const day = new Date(after);
  const found = times.flatMap((time) =>
    [0, 1].map((ahead) => {
      const [hour, minute] = time.split(':').map(Number);
      return new Date(day.getFullYear(), day.getMonth(), day.getDate() + ahead, hour, minute).getTime();
    }),
  );
  return Math.min(Number.POSITIVE_INFINITY, ...found.filter((time) => time > after));
}
