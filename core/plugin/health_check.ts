/**
 * The health check interface, as core sees it: one look at a running job.
 */
import type { Host } from '../host/host.ts';
import type { Interrupting } from '../host/interrupt.ts';
import type { CheckedJob } from './context.ts';
import type { HealthCheckPlugin, HealthResult, OptionsSchema } from './definition.ts';
import { hostCalls, unlessAborted } from './host_context.ts';
import { EVERYTHING, NOTHING } from './permissions.ts';

/** The job that is looked at, and what belongs to this one look. */
export interface Look {
  readonly job: CheckedJob;
  /** The last lines that the incarnation has written since a moment (ms since the epoch). */
  readLog(since: number): Promise<readonly string[]>;
  /** Aborts at the look's deadline, or where nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** The same for connections, where the signal is made only when it is asked for. */
  readonly interrupt?: Interrupting;
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

/** What a look adds to a context. Its signal is made only for those who ask for it. */
class LookContext {
  readonly #look: Look;
  readonly job: CheckedJob;

  constructor(look: Look) {
    this.#look = look;
    this.job = look.job;
  }

  get signal(): AbortSignal {
    return this.#look.signal;
  }

  readLog(since: number): Promise<readonly string[]> {
    return unlessAborted(this.#look.signal, () => this.#look.readLog(since));
  }
}

/** A health check that runs in this process, with everything that it asks for. */
export function inProcessHealthCheck(plugin: HealthCheckPlugin, host: Host): HealthCheck {
  const asked = { ...NOTHING, ...plugin.permissions };
  return {
    name: plugin.name,
    summary: plugin.summary,
    options: plugin.options,
    async look(options, look) {
      const { interrupt = look.signal } = look;
      if (interrupt.aborted) throw interrupt.reason;
      const signal = (): AbortSignal => look.signal;
      const calls = hostCalls(host, { asked, granted: EVERYTHING, signal, interrupt, log: () => {} });
      return await plugin.check(options, Object.assign(new LookContext(look), calls));
    },
  };
}
