/**
 * The schemas of jobs and runs, each held to its TypeScript record by the compiler.
 */
import * as v from 'valibot';
import type { RunRow } from '../store/records.ts';
import type { JobView } from '../supervisor/control.ts';
import { described, named } from './described.ts';
import {
  action,
  attempt,
  identitySchema,
  nextAttemptAt,
  phase,
  pid,
  reasonSchema,
  restartCount,
  startedAt,
  text,
  time,
  wanted,
} from './view_parts.ts';

/** A {@link JobView}. */
export const jobSchema: v.GenericSchema<JobView> = named(
  'Job',
  'One action in one run. It keeps its id however often it is restarted.',
  v.object({
    id: described('The id of the job.', v.string()),
    run_id: described('The run that it belongs to.', v.string()),
    service: described('The name of its service.', v.string()),
    action,
    wanted,
    phase,
    pid,
    identity: described('Who its main process is; null where there is none.', v.nullable(identitySchema)),
    restart_count: restartCount,
    attempt,
    next_attempt_at: nextAttemptAt,
    reason: reasonSchema,
    created_at: described('When the job came to be, ms since 1970.', time),
    started_at: startedAt,
    ready_at: described(
      'When its latest incarnation was ready, ms since 1970; null while it is not.',
      v.nullable(time),
    ),
    finished_at: described(
      'When its latest incarnation ended, ms since 1970; null while it lives.',
      v.nullable(time),
    ),
    exit_code: described(
      'What it exited with; null where it did not, or nobody could see.',
      v.nullable(v.number()),
    ),
    exit_signal: described('The signal that ended it; null where none did.', text),
  }),
);

/** A {@link RunRow}. */
export const runSchema: v.GenericSchema<RunRow> = named(
  'Run',
  'A service from one start to the next stop. Restarts stay in it.',
  v.object({
    id: described('The id of the run.', v.string()),
    service: described('The name of its service.', v.string()),
    started_at: described('When it began, ms since 1970.', time),
    finished_at: described('When it ended, ms since 1970; null while it lasts.', v.nullable(time)),
  }),
);
