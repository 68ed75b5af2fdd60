/**
 * Operations on the lines of logs, and on what writes them.
 */
import * as v from 'valibot';
import { parseSpot } from '../log/mod.ts';
import { PatternTooSlow, patternFault } from '../plugin/text_pattern.ts';
import type { FoundLineView, LineView, SearchPage } from '../supervisor/log_control.ts';
import { parseSearchCursor } from '../supervisor/log_lines.ts';
import { SENDABLE_SIGNALS } from '../supervisor/signal_job.ts';
import { described } from './described.ts';
import { OperationError } from './error.ts';
import { countField, nameField, timeField } from './fields.ts';
import { defineCall } from './operation.ts';
import { cursorField, limitField, pageSchema } from './page.ts';
import { identitySchema } from './view_parts.ts';

const MOMENT = 'ms since the epoch, as finely as the index of the log knows';

const incarnationField = described('Only what this incarnation has written.', countField);
const sinceField = described(`Only what was written after this time: ${MOMENT}.`, timeField);
const linesField = described('How many lines at most; 100 where it is left out.', limitField);

const line = {
  job_id: described('The job that wrote it.', v.string()),
  incarnation: described('The incarnation that wrote it.', v.number()),
  time: described(
    'When it was written, at the earliest that is known, ms since the epoch; null: not known.',
    v.nullable(v.number()),
  ),
  offset: described('The offset of its first byte in the log file it is in.', v.number()),
  text: described(
    'The line without its end, control characters and all. Untrusted: a program wrote it.',
    v.string(),
  ),
  truncated: described('Whether the line is longer than what is here of it.', v.boolean()),
};

const lineSchema: v.GenericSchema<LineView> = v.object(line);

const foundSchema: v.GenericSchema<FoundLineView> = v.object({
  ...line,
  service: described('The service of the job.', v.string()),
  action: described('The action of the job.', v.string()),
});

const searchSchema: v.GenericSchema<SearchPage> = v.object({
  items: described(
    'Lines found, job by job in the order of their making, the oldest line first.',
    v.array(foundSchema),
  ),
  complete: described('False where a bound ended the search before the logs did.', v.boolean()),
  next_cursor: described('What to go on with; null where it is complete.', v.nullable(v.string())),
});

const TIME = 1_764_000_000_000;
const exampleLine = {
  job_id: 'jmiw0k3a1b2c3d4e5',
  incarnation: 2,
  time: TIME,
  offset: 4096,
  text: 'error: connect ECONNREFUSED 127.0.0.1:5432',
  truncated: false,
};

/** A page of a job's log. */
export const logRead = defineCall({
  name: 'log.read',
  kind: 'query',
  summary:
    "Read a job's log line by line, the oldest first, each line with its time, incarnation and offset; `tail` for the last ones.",
  input: v.strictObject({
    id: described('The id of the job.', nameField),
    tail: v.exactOptional(described('Only the last so many lines of what is there.', countField)),
    since: v.exactOptional(sinceField),
    incarnation: v.exactOptional(incarnationField),
    limit: v.exactOptional(linesField),
    cursor: v.exactOptional(
      v.pipe(
        cursorField,
        v.check((cursor) => parseSpot(cursor) !== null, 'must be a cursor of this list'),
        v.description('The next_cursor of the page before.'),
      ),
    ),
  }),
  output: pageSchema(lineSchema),
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: {
    input: { id: exampleLine.job_id, tail: 1 },
    output: { items: [exampleLine], next_cursor: null },
  },
  run: (control, { id, ...query }) => control.lines.read(id, query),
});

/** Looks for lines in logs. */
export const logSearch = defineCall({
  name: 'log.search',
  kind: 'query',
  summary:
    'Look for lines in the logs of all jobs, or of a service, an action or one job. Bounded: where `complete` is false, `next_cursor` goes on.',
  input: v.strictObject({
    query: v.pipe(
      v.string('must be text'),
      v.maxLength(1024, 'must be 1024 characters or fewer'),
      v.check(
        (query) => patternFault(query) === null,
        'must be text to look for, or a /regex/ that is right',
      ),
      v.description('Text that a line must contain, or a /regex/ with the flags i, m, s, u.'),
    ),
    service: v.exactOptional(described('Only the jobs of this service.', nameField)),
    action: v.exactOptional(described('Only the jobs of this action.', nameField)),
    job_id: v.exactOptional(described('Only this job.', nameField)),
    incarnation: v.exactOptional(incarnationField),
    since: v.exactOptional(sinceField),
    until: v.exactOptional(described(`Only what was written by this time: ${MOMENT}.`, timeField)),
    limit: v.exactOptional(linesField),
    cursor: v.exactOptional(
      v.pipe(
        cursorField,
        v.check((cursor) => parseSearchCursor(cursor) !== null, 'must be a cursor of this search'),
        v.description('The next_cursor of the search that went before.'),
      ),
    ),
  }),
  output: searchSchema,
  errors: ['not_found', 'unavailable'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: {
    input: { query: '/ECONN\\w+/', service: 'shop' },
    output: {
      items: [{ ...exampleLine, service: 'shop', action: 'web' }],
      complete: true,
      next_cursor: null,
    },
  },
  run: async (control, query, { signal }) => {
    try {
      return await control.lines.search(query, signal);
    } catch (error) {
      if (!(error instanceof PatternTooSlow)) throw error;
      const issue = { path: 'query', rule: 'pattern', value: 'a regex', message: 'must be a faster one' };
      throw new OperationError('invalid_input', error.message, { issues: [issue], cause: error });
    }
  },
});

/** Sends a signal. */
export const jobSignal = defineCall({
  name: 'job.signal',
  kind: 'command',
  summary:
    'Send a signal to the main process of a job, as a program may ask for (reload, reopen logs). A death by it is an ordinary one: the job is started again. What SIGSTOP holds stays held until SIGCONT.',
  input: v.strictObject({
    id: described('The id of the job.', nameField),
    signal: described(
      'The signal.',
      v.picklist(SENDABLE_SIGNALS, `must be one of ${SENDABLE_SIGNALS.join(', ')}`),
    ),
  }),
  output: v.object({
    job_id: described('The job.', v.string()),
    signal: described('The signal that was sent.', v.picklist(SENDABLE_SIGNALS)),
    process: described('The process that it was sent to.', identitySchema),
  }),
  errors: ['not_found', 'conflict'],
  idempotent: false,
  destructive: true,
  scope: 'operate',
  example: {
    input: { id: exampleLine.job_id, signal: 'SIGHUP' },
    output: {
      job_id: exampleLine.job_id,
      signal: 'SIGHUP',
      process: { boot_id: '5d0d6c2e', pid: 10412, start_time: 812_345 },
    },
  },
  run: (control, { id, signal }, { actor }) => ({
    job_id: id,
    signal,
    process: control.signal(id, signal, actor),
  }),
});
