/**
 * Tells of events by running a program.
 */
import * as v from 'valibot';
import { defineNotifier, type PluginContext } from '../core/plugin/mod.ts';
import { runField } from '../core/spec/fields.ts';
import type { EventRecord } from '../core/store/records.ts';

/** The kernel takes 128 KiB for one variable; beyond this the evidence is left out. */
const LONGEST = 100_000;
/** Nobody reads what it prints. */
const MAX_OUTPUT = 1024;

/**
 * Runs a program for the event, which is in its environment: `UPKEEP_EVENT` is all of it as JSON, and its main fields
 * are in `UPKEEP_EVENT_SEQ`, `_TIME`, `_CODE`, `_MESSAGE`, `_SERVICE`, `_ACTION`, `_FROM` and `_TO` (empty where there
 * is none). It has told when it exits with 0.
 */
export const execNotifier = defineNotifier({
  name: 'exec',
  api: 1,
  summary: 'Runs a program, with the event in its environment.',
  options: v.strictObject({
    run: v.pipe(
      runField,
      v.description(
        'What to run. Text goes to /bin/sh -c; a list is a program and its arguments, run as it is. It must end by itself.',
      ),
    ),
  }),
  permissions: { run: ['*'] },
  async notify(event, { run }, ctx) {
    const { exit_code } = await started(run, event, ctx);
    // What it has printed is not repeated: it may hold a secret.
    if (exit_code !== 0) throw new Error(exit_code === null ? 'was killed' : `exited with code ${exit_code}`);
  },
});

async function started(
  run: string | readonly string[],
  event: EventRecord,
  ctx: PluginContext,
): ReturnType<PluginContext['run']> {
  const [program = '', ...args] = typeof run === 'string' ? ['/bin/sh', '-c', run] : run;
  try {
    return await ctx.run(program, args, { env: variables(event), max_output: MAX_OUTPUT });
  } catch (error) {
    // Its message names the program, and that may be all of a command line.
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? 'there is no such program' : `could not be run: ${code}`);
  }
}

function variables(event: EventRecord): Record<string, string> {
  const { seq, time, code, message, service, action, from, to } = event;
  const whole = JSON.stringify(event);
  const fields = { seq, time, code, message, service, action, from, to };
  return {
    UPKEEP_EVENT: whole.length > LONGEST ? JSON.stringify({ ...event, evidence: {} }) : whole,
    ...Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        `UPKEEP_EVENT_${name.toUpperCase()}`,
        // No variable can hold a NUL.
        String(value ?? '').replaceAll('\0', ''),
      ]),
    ),
  };
}
