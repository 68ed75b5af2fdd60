/**
 * A service that tells by its log how it is.
 */
import * as v from 'valibot';
import { defineHealthCheck } from '../core/plugin/definition.ts';
import { excerpt } from '../core/plugin/excerpt.ts';
import { findPattern, patternField, patternText } from '../core/plugin/text_pattern.ts';
import { timeoutField } from '../core/spec/fields.ts';
import { formatDuration } from '../core/spec/units.ts';

/** As many lines as are shown to a check; those before them are out of its sight. */
const LINES_SHOWN = 1000;

/** Looks through the lines of this incarnation that are younger than `within`. */
export const logCheck = defineHealthCheck({
  name: 'log',
  api: 1,
  summary: 'A line that must, or must not, have been printed within a time.',
  options: v.strictObject({
    must: v.pipe(
      v.optional(patternField),
      v.description('A line must contain this text, or be matched by this /regex/.'),
    ),
    must_not: v.pipe(
      v.optional(patternField),
      v.description('No line may contain this text, or be matched by this /regex/.'),
    ),
    within: v.pipe(
      v.optional(timeoutField, '1m'),
      v.description('How far back lines count. A process that is younger has as long to print what it must.'),
    ),
  }),
  async check({ must, must_not, within }, ctx) {
    if (must === undefined && must_not === undefined) {
      throw new TypeError('Cannot look through the log as must or must_not must be given');
    }
    const now = ctx.now();
    const lines = await ctx.readLog(now - within);
    const time = formatDuration(within);
    const data = { lines: lines.length };
    if (must_not !== undefined) {
      const line = lines[findPattern(must_not, lines)];
      if (line !== undefined) {
        const message = `printed ${patternText(must_not)} within ${time}: ${excerpt(line)}`;
        return { status: 'fail', message, data: { ...data, line: excerpt(line) } };
      }
    }
    if (must === undefined) {
      return { status: 'pass', message: `did not print ${patternText(must_not ?? '')} within ${time}`, data };
    }
    const line = lines[findPattern(must, lines)];
    if (line !== undefined) {
      const message = `printed ${patternText(must)} within ${time}: ${excerpt(line)}`;
      return { status: 'pass', message, data: { ...data, line: excerpt(line) } };
    }
    const missing = `there was no ${patternText(must)}`;
    if (now - ctx.job.started_at < within) {
      throw new Error(`Cannot tell yet as it must have been up for ${time}: ${missing} so far`);
    }
    if (lines.length >= LINES_SHOWN) {
      throw new Error(
        `Cannot tell as there must be fewer than ${LINES_SHOWN} lines within ${time}: ${missing} in the last ones`,
      );
    }
    return { status: 'fail', message: `did not print ${patternText(must)} within ${time}`, data };
  },
});
