/**
 * Operations on runs and jobs.
 */
import * as v from 'valibot';
import { OperationError } from './error.ts';
import { countField, flagField, nameField, timeField } from './fields.ts';
import { defineCall, defineSubscription } from './operation.ts';
import { cursorField, limitField, page, pageSchema } from './page.ts';
import { jobSchema, runSchema } from './schemas.ts';

const bytes: v.GenericSchema<Uint8Array> = v.instance(Uint8Array);

const identified = v.strictObject({ id: nameField });

/** Runs, the newest first. */
export const runList = defineCall({
  name: 'run.list',
  kind: 'query',
  summary: 'List runs, the newest first: each is a service from a start to the next stop.',
  input: v.strictObject({
    service: v.exactOptional(nameField),
    limit: v.exactOptional(limitField),
    cursor: v.exactOptional(cursorField),
  }),
  output: pageSchema(runSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  run: (control, input) => page(control.runs(input), newestFirst, input),
});

/** One run. */
export const runGet = defineCall({
  name: 'run.get',
  kind: 'query',
  summary: 'Show one run.',
  input: identified,
  output: runSchema,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
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
    service: v.exactOptional(nameField),
    run_id: v.exactOptional(nameField),
    limit: v.exactOptional(limitField),
    cursor: v.exactOptional(cursorField),
  }),
  output: pageSchema(jobSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  run: (control, input) =>
    page(control.jobs(input), (job) => `${job.service}/${job.action}/${job.id}`, input),
});

/** One job. */
export const jobGet = defineCall({
  name: 'job.get',
  kind: 'query',
  summary: 'Show one job with every field of its record.',
  input: identified,
  output: jobSchema,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  run: (control, { id }) => control.job(id),
});

/** A job's log, as it was written. */
export const jobLog = defineSubscription({
  name: 'job.log',
  kind: 'subscription',
  summary: "Read a job's log, all incarnations in order, and follow it where asked.",
  input: v.strictObject({
    id: nameField,
    /** Only the last so many lines of what is there. */
    tail: v.exactOptional(countField),
    /** Only what was written after this time, as finely as the log's index knows. */
    since: v.exactOptional(timeField),
    incarnation: v.exactOptional(countField),
    /** Only lines that contain this text. */
    grep: v.exactOptional(
      v.pipe(v.string('must be text'), v.maxLength(1024, 'must be 1024 characters or fewer')),
    ),
    /** True to go on with what is written from now on. */
    follow: v.exactOptional(flagField),
  }),
  output: bytes,
  errors: ['not_found'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  run: (control, { id, follow = false, ...query }, context) => {
    // Throws for a job that is not there: now, and not at the first byte, so that a face can still say so.
    control.job(id);
    return follow ? control.followLog(id, query, context.signal) : control.log(id, query);
  },
});

/** Rises as the run's age does. */
function newestFirst(run: { readonly id: string; readonly started_at: number }): string {
  return `${String(Number.MAX_SAFE_INTEGER - run.started_at).padStart(16, '0')}/${run.id}`;
}
