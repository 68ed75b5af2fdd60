/**
 * What a service is at, all its jobs taken together. It shows what is so; what is wanted only decides what that is
 * called.
 *
 * The first line that holds:
 *
 * | state      | wanted | when                                                                               |
 * |------------|--------|------------------------------------------------------------------------------------|
 * | `down`     | down   | every job is at rest, or there is none                                             |
 * | `stopping` | down   | anything else                                                                      |
 * | `starting` | up     | there is no job yet                                                                |
 * | `up`       | up     | every process runs, is ready and not unhealthy, every oneshot has succeeded        |
 * | `failed`   | up     | some job is not tried any more: without help it does not come up                   |
 * | `degraded` | up     | a process runs and is unhealthy, or runs while another job is retried, is being stopped or is stopped |
 * | `retrying` | up     | some job waits for its next try                                                    |
 * | `stopping` | up     | some job is being ended, to be started again or because upkeep goes down           |
 * | `down`     | up     | every job is at rest: upkeep went down, or something survives                      |
 * | `starting` | up     | the rest: what is not there yet is on its way                                      |
 */
import type { ServiceState } from '../supervisor/control.ts';
import { atRest, type Job, type Phase, type Wanted } from './job.ts';

/** What is known of one action. */
export interface ActionState {
  readonly job: Job;
  /** It must stay alive; else it is a oneshot. */
  readonly process: boolean;
  /** Its checks have found it ill. */
  readonly unhealthy: boolean;
}

/**
 * The state of a service.
 *
 * @example
 * ```ts
 * serviceState('up', [web, migrate]); // 'up' once web runs and migrate has succeeded
 * ```
 */
export function serviceState(wanted: Wanted, actions: readonly ActionState[]): ServiceState {
  const some = (...phases: readonly Phase[]): boolean =>
    actions.some(({ job }) => phases.includes(job.phase));
  const allAtRest = actions.every(({ job }) => atRest(job));
  if (wanted === 'down') return allAtRest ? 'down' : 'stopping';
  if (actions.length === 0) return 'starting';
  const serving = actions.filter(({ job, process }) => process && job.phase === 'running');
  const ill = serving.some(({ unhealthy }) => unhealthy);
  const done = actions.filter(({ job }) => job.phase === 'succeeded').length;
  if (serving.length + done === actions.length && !ill) return 'up';
  if (some('failed')) return 'failed';
  if (ill || (serving.length > 0 && some('retrying', 'stopping', 'stopped'))) return 'degraded';
  if (some('retrying')) return 'retrying';
  if (some('stopping')) return 'stopping';
  return allAtRest ? 'down' : 'starting';
}
