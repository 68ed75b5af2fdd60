/**
 * A service that touches a file as long as it is well.
 */
import { resolve } from 'node:path';
import * as v from 'valibot';
import { defineHealthCheck } from '../core/plugin/definition.ts';
import { pathField, timeoutField } from '../core/spec/fields.ts';
import { formatDuration } from '../core/spec/units.ts';

/** Looks at when a file was last changed. What an earlier process left there says nothing of this one. */
export const heartbeatCheck = defineHealthCheck({
  name: 'heartbeat',
  api: 1,
  summary: 'A file that the service touches again and again.',
  options: v.strictObject({
    path: v.pipe(
      pathField,
      v.description('The file; a relative path begins in the folder that the action runs in.'),
    ),
    within: v.pipe(
      v.optional(timeoutField, '1m'),
      v.description(
        'How old its last change may be. A process that is younger has as long to touch it first.',
      ),
    ),
  }),
  permissions: { read: ['*'] },
  async check({ path, within }, ctx) {
    const facts = await ctx.stat(resolve(ctx.job.cwd, path));
    const now = ctx.now();
    const { started_at } = ctx.job;
    const touched = facts === null || facts.modified_at < started_at ? null : facts.modified_at;
    const time = formatDuration(within);
    if (touched !== null && touched - now > within) {
      throw new Error(`Cannot tell how old ${path} is as its time must be past: the clock was set back`);
    }
    const age = touched === null ? null : Math.max(0, Math.round(now - touched));
    const data = { age_ms: age };
    if (age !== null && age <= within) {
      return { status: 'pass', message: `touched ${formatDuration(age)} ago`, data };
    }
    if (now - started_at <= within) {
      throw new Error(`Cannot tell yet as it must have been up for ${time}: ${path} was not touched so far`);
    }
    if (facts === null) return { status: 'fail', message: `${path} is not there`, data };
    const message =
      age === null ? `${path} was not touched since the start` : `last touched ${formatDuration(age)} ago`;
    return { status: 'fail', message: `${message}, not within ${time}`, data };
  },
});
