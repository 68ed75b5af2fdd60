/**
 * Whatever a program can tell, in the way of monitoring plugins.
 */
import * as v from 'valibot';
import { defineHealthCheck, type HealthResult } from '../core/plugin/definition.ts';
import { excerpt } from '../core/plugin/excerpt.ts';
import { parsePluginOutput } from '../core/plugin/perfdata.ts';
import { elapsed } from '../core/plugin/service_fault.ts';
import { runField } from '../core/spec/fields.ts';

/** What an exit code says. 3 says that the program itself could not tell; so does any other. */
const STATUSES: Readonly<Record<number, HealthResult['status']>> = { 0: 'pass', 1: 'warn', 2: 'fail' };

/** Bytes of output that are read: monitoring systems read 8 KiB. */
const MAX_OUTPUT = 64 * 1024;

/** Characters of a plugin's further lines that are kept. */
const MAX_DETAILS = 4096;

/** Ms: longer than any look. What ends the program is the look's own deadline. */
const NO_TIMEOUT = 2 ** 31 - 1;

/** Runs a program, also each of the stock monitoring plugins as it is. */
export const execCheck = defineHealthCheck({
  name: 'exec',
  api: 1,
  summary:
    'A program that tells by its exit code: 0 well, 1 a warning, 2 ill, anything else: it could not tell.',
  options: v.strictObject({
    run: v.pipe(
      runField,
      v.description(
        'What to run, in the folder of the action. Text goes to /bin/sh -c; a list is run as it is. Its first line becomes the message; figures behind a | are kept.',
      ),
    ),
  }),
  permissions: { run: ['*'] },
  async check({ run }, ctx) {
    const [program = '', ...args] = typeof run === 'string' ? ['/bin/sh', '-c', run] : run;
    const begun = ctx.now();
    const ran = await ctx.run(program, args, {
      cwd: ctx.job.cwd,
      max_output: MAX_OUTPUT,
      timeout: NO_TIMEOUT,
    });
    const { exit_code, stdout, stderr } = ran;
    const { message, details, perfdata } = parsePluginOutput(stdout);
    const said = excerpt(message) || excerpt(stderr);
    const status = exit_code === null ? undefined : STATUSES[exit_code];
    if (status === undefined) {
      const end = exit_code === null ? 'a signal ended it' : `it ended with ${exit_code}`;
      // Who prints how it is to be used does so on either output.
      const why = [excerpt(message), excerpt(stderr)].filter((text) => text !== '').join('; ');
      throw new Error(`Cannot use the answer of ${program} as it must end with 0, 1 or 2: ${end}: ${why}`);
    }
    return {
      status,
      message: said || `ended with ${exit_code}`,
      data: {
        exit_code,
        response_ms: elapsed(ctx, begun),
        perfdata,
        ...(details === '' ? {} : { details: details.slice(0, MAX_DETAILS) }),
      },
    };
  },
});
