/**
 * What the machine needs to know of an action: numbers and a digest, no paths, no commands.
 */

/** When a process is started again. */
export type RestartPolicy = 'always' | 'on_failure' | 'never';

/** How a job's program is to be treated. Durations are ms. */
export interface JobPolicy {
  /** True for a process that must stay alive, false for a oneshot that must exit 0. */
  readonly process: boolean;
  /** There are claims or checks to wait for before it counts as ready. */
  readonly awaits_ready: boolean;
  readonly ready_timeout: number;
  readonly stop_timeout: number;
  readonly recovery: 'adopt' | 'restart';
  /** Says what a process of the action is started from: it is another where one has to be started anew. */
  readonly spec_digest: string;
  readonly restart: RestartSettings;
}

/** When and how often a job is started again. Durations are ms. */
export interface RestartSettings {
  readonly policy: RestartPolicy;
  readonly delay: number;
  readonly factor: number;
  readonly max_delay: number;
  /** Share of the delay that is drawn at random and added, 0 to 1. */
  readonly jitter: number;
  readonly stable_after: number;
  /** Failed tries in a row after which it is given up; 0 means never. */
  readonly max_attempts: number;
}

/** Reclaim gives up on a holder after its own grace times; this is the bound on all of it, in ms, beside them. */
export const PREPARE_SLACK = 30_000;

/** How long a job waits before it looks again whether a holder has left, in ms. */
export const HOLDER_LOOK_INTERVAL = 500;

/**
 * What a process has at least to show that it is ready once upkeep is back, in ms: while upkeep was away nobody looked,
 * and it may have been ready for long.
 */
export const READY_LOOK = 5_000;

/**
 * How long SIGKILL may take before survivors are reported and signalled again, in ms. The shell holds that moment back
 * until somebody has looked for them.
 */
export const KILL_INTERVAL = 2_000;

/**
 * The pause before failed try number `attempt` is followed by the next, in ms:
 * `min(delay × factor^(attempt-1), max_delay)` plus up to `jitter` of it.
 *
 * @param attempt 1 for the first failed try; 0 gives no pause.
 * @param random in [0, 1).
 */
export function backoff(restart: JobPolicy['restart'], attempt: number, random: number): number {
  if (attempt <= 0) return 0;
  // factor^(attempt-1) reaches Infinity for long streaks; min() brings it back.
  const base = Math.min(restart.delay * restart.factor ** (attempt - 1), restart.max_delay);
  return base + base * restart.jitter * random;
}
