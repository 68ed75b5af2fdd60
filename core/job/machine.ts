/**
 * The job's state machine: one pure function over a total table, phase × event.
 *
 * A cell is a handler, `ignore` (an expected race: the event was true a moment ago) or `impossible` (a bug of the
 * shell: reported, never acted on). The shell commits the job first and carries the effects out afterwards; what
 * comes of them arrives here as further events. Nothing in the machine reads a clock, draws a random number or
 * touches the world.
 *
 * Where a job is headed is `target`: what is wanted, or down while upkeep itself is going down. A stop of something
 * that others depend on waits for `cleared`: until then the job runs on with `wanted` down, and if it dies in the
 * meantime it is not started again.
 *
 * `table` says what can happen in each phase. Its handlers are in `request` (what the user asks for), `ending` (what
 * follows an end) and `recover` (what is left when upkeep comes back); all of them are made of `moves`, one for each
 * way into a phase, and those of the pieces in `step`.
 */
import type { JobEvent } from './event.ts';
import { deadlineOf, type Job } from './job.ts';
import { type Context, type Step, untouched } from './step.ts';
import { TABLE, type Table } from './table.ts';

/**
 * Decides what an event means to a job.
 *
 * @returns the job as it is from now on, what is to be done (after the job is committed), and what to record.
 *
 * @example
 * ```ts
 * const { job: next, effects } = transition(job, { type: 'want', wanted: 'down' }, context);
 * ```
 */
export function transition(job: Job, event: JobEvent, context: Context, table: Table = TABLE): Step {
  if (isStale(job, event, context.now)) return untouched(job, 'stale');
  const cell = table[job.phase][event.type];
  if (cell === 'ignore') return untouched(job, 'ignored');
  if (cell === 'impossible') return untouched(job, 'impossible');
  // The table's type ties each handler to its row and column; the look-up by two strings loses that tie.
  return (cell as (job: Job, event: JobEvent, context: Context) => Step)(job, event, context);
}

/**
 * True where the event is a reply to a phase, or a look at an incarnation, that the job has left behind. A deadline
 * that was moved while its timer was on the way has not come yet.
 */
function isStale(job: Job, event: JobEvent, now: number): boolean {
  if (event.type === 'deadline' && now < (deadlineOf(job) ?? Number.POSITIVE_INFINITY)) return true;
  if ('epoch' in event) return event.epoch !== job.epoch;
  if ('incarnation' in event) return event.incarnation !== job.restart_count || job.started_at === null;
  return false;
}
