/**
 * What the log module is given.
 */
import type { Host } from '../host/host.ts';
import type { Reason } from '../job/reason.ts';
import type { LogRotator } from '../plugin/log_rotator.ts';
import type { LogJob } from './log_job.ts';

/** See {@link Logs}. */
export interface LogsOptions {
  readonly host: Host;
  /** The folder of all logs; it need not be there yet. */
  readonly dir: string;
  readonly rotators: readonly LogRotator[];
  /** Told what is worth an event: `LOG_TRUNCATED`, `LOG_LOSSY`, `LOG_DEGRADED`. */
  readonly report: (job: LogJob, why: Reason) => void;
  /** Called when {@link Logs.look} should be called sooner than it last asked for; it must not do so itself. */
  readonly wake?: () => void;
}
