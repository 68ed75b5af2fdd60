/**
 * A context for probes that run a program: it prints what it is told to.
 */
import type { PluginContext, RunResult } from '../../core/plugin/context.ts';

/** What a program prints, by its arguments; or the error that running it rejects with. */
export type Printing = (args: readonly string[]) => Partial<RunResult> | Error;

/** A context in which every program is this one, and nothing else is granted. */
export function contextPrinting(printing: Printing, changes: Partial<PluginContext> = {}): PluginContext {
  const denied = (): never => {
    throw Object.assign(new Error('not granted'), { code: 'ERR_ACCESS_DENIED' });
  };
  return {
    async run(_program, args = []) {
      const printed = printing(args);
      if (printed instanceof Error) throw printed;
      return { exit_code: 0, stdout: '', stderr: '', ...printed };
    },
    readFile: async () => denied(),
    stat: async () => denied(),
    connect: async () => denied(),
    fetch: async () => denied(),
    now: () => 0,
    signal: new AbortController().signal,
    log: () => {},
    ...changes,
  };
}

/** The error of a program that is not installed. */
export function notInstalled(): Error {
  return Object.assign(new Error('Cannot run it: ENOENT'), { code: 'ENOENT' });
}
