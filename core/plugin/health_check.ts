/**
 * The health check interface, as core sees it: one look at a running job.
 */
import type { Host } from '../host/host.ts';
import type { CheckedJob } from './context.ts';
import type { HealthCheckPlugin, HealthResult, OptionsSchema } from './definition.ts';
import { hostContext, unlessAborted } from './host_context.ts';
import { EVERYTHING, NOTHING } from './permissions.ts';

/** The job that is looked at, and what belongs to this one look. */
export interface Look {
  readonly job: CheckedJob;
  /** The last lines that the incarnation has written since a moment (ms since the epoch). */
  readLog(since: number): Promise<readonly string[]>;
  /** Aborts at the look's deadline, or where nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** A way of telling whether a service is well. Core knows none by name. */
export interface HealthCheck {
  /** The `type` in the service file. */
  readonly name: string;
  readonly summary: string;
  readonly options: OptionsSchema;
  /**
   * Looks once.
   *
   * @param options checked, with defaults.
   * @throws where it could not look: the result is unknown then.
   */
  look(options: Readonly<Record<string, unknown>>, look: Look): Promise<HealthResult>;
}

/** A health check that runs in this process, with everything that it asks for. */
export function inProcessHealthCheck(plugin: HealthCheckPlugin, host: Host): HealthCheck {
  const asked = { ...NOTHING, ...plugin.permissions };
  return {
    name: plugin.name,
    summary: plugin.summary,
    options: plugin.options,
    async look(options, { job, readLog, signal }) {
      signal.throwIfAborted();
      const context = hostContext(host, { asked, granted: EVERYTHING, signal, log: () => {} });
      const lines = (since: number) => unlessAborted(signal, () => readLog(since));
      return await plugin.check(options, Object.assign(context, { job, readLog: lines }));
    },
  };
}
