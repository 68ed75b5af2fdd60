/**
 * Operations on runs and jobs.
 */
import * as v from 'valibot';
import { described } from './described.ts';
import { OperationError } from './error.ts';
import { exampleJob, exampleRun } from './examples.ts';
import { countField, flagField, nameField, timeField } from './fields.ts';
import { jobSchema, runSchema } from './job_schemas.ts';
import { defineCall, defineSubscription } from './operation.ts';
import { cursorField, limitField, page, pageSchema } from './page.ts';

const bytes: v.GenericSchema<Uint8Array> = described(
  'Bytes of the log, as the program wrote them.',
  v.instance(Uint8Array),
);

const jobId = described('The id of the job.', nameField);
const ofService = v.exactOptional(described('Only those of this service.', nameField));

/** Runs, the newest first. */
export const runList = defineCall({
  name: 'run.list',
  kind: 'query',
  summary: 'List runs, the newest first: each is a service from a start to the next stop.',
  input: v.strictObject({
    service: ofService,
    limit: v.exactOptional(limitField),
    cursor: v.exactOptional(cursorField),
  }),
  output: pageSchema(runSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { service: 'shop' }, output: { items: [exampleRun], next_cursor: null } },
  run: (control, input) => page(control.runs(input), newestFirst, input),
});

/** One run. */
export const runGet = defineCall({
  name: 'run.get',
  kind: 'query',
  summary: 'Show one run.',
  input: v.strictObject({ id: described('The id of the run.', nameField) }),
  output: runSchema,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { id: exampleRun.id }, output: exampleRun },
  run: (control, { id }) => {
    const run = control.runs({}).find((candidate) => candidate.id === id);
    if (run === undefined) throw new OperationError('not_found', `no run '${id}'`);
    return run;
  },
});

/** Jobs, by service and action. */
export const jobList = defineCall({
  name: 'job.list',
  kind: 'query',
  summary: 'List jobs: each is one action in one run, however often it was restarted.',
  input: v.strictObject({
    service: ofService,
    run_id: v.exactOptional(described('Only those of this run.', nameField)),
    limit: v.exactOptional(limitField),
    cursor: v.exactOptional(cursorField),
  }),
  output: pageSchema(jobSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { service: 'shop' }, output: { items: [exampleJob], next_cursor: null } },
  run: (control, input) =>
    page(control.jobs(input), (job) => `${job.service}/${job.action}/${job.id}`, input),
});

/** One job. */
export const jobGet = defineCall({
  name: 'job.get',
  kind: 'query',
  summary: 'Show one job with every field of its record.',
  input: v.strictObject({ id: jobId }),
  output: jobSchema,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { id: exampleJob.id }, output: exampleJob },
  run: (control, { id }) => control.job(id),
});

/** A job's log, as it was written. */
export const jobLog = defineSubscription({
  name: 'job.log',
  kind: 'subscription',
  summary: "Read a job's log, all incarnations in order, and follow it where asked.",
  input: v.strictObject({
    id: jobId,
    tail: v.exactOptional(described('Only the last so many lines of what is there.', countField)),
    since: v.exactOptional(
      described(
        "Only what was written after this time, ms since 1970, as finely as the log's index knows.",
        timeField,
      ),
    ),
    incarnation: v.exactOptional(described('Only what this incarnation wrote.', countField)),
    grep: v.exactOptional(
      v.pipe(
        v.string('must be text'),
        v.maxLength(1024, 'must be 1024 characters or fewer'),
        v.description('Only lines that contain this text.'),
      ),
    ),
    follow: v.exactOptional(described('True to go on with what is written from now on.', flagField)),
  }),
  output: bytes,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: { id: exampleJob.id, tail: 100 }, output: Buffer.from('listening on 8080\n') },
  run: (control, { id, follow = false, ...query }, context) => {
    // Throws for a job that is not there: now, and not at the first byte, so that a face can still say so.
    control.job(id);
    return alone(follow ? control.followLog(id, query, context.signal) : control.log(id, query));
  },
});

/** Each chunk by itself: it is what was there to be read. */
async function* alone<T>(chunks: AsyncIterable<T>): AsyncGenerator<readonly [T], void, undefined> {
  for await (const chunk of chunks) yield [chunk];
}

/** Rises as the run's age does. */
function newestFirst(run: { readonly id: string; readonly started_at: number }): string {
  return `${String(Number.MAX_SAFE_INTEGER - run.started_at).padStart(16, '0')}/${run.id}`;
}
