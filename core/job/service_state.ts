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
 * | `up`       | up     | every process runs and is ready, every oneshot has succeeded                       |
 * | `failed`   | up     | some job is not tried any more: without help it does not come up                   |
 * | `degraded` | up     | a process serves while another job is retried, is being stopped or is stopped      |
 * | `retrying` | up     | some job waits for its next try                                                    |
 * | `stopping` | up     | some job is being ended, to be started again or because upkeep goes down           |
 * | `down`     | up     | every job is at rest: upkeep went down, or something survives                      |
 * | `starting` | up     | the rest: what is not there yet is on its way                                      |
 */
import type { ServiceState } from '../supervisor/control.ts';
import { atRest, type Job, type Phase, type Wanted } from './job.ts';

/**
 * The state of a service.
 *
 * @example
 * ```ts
 * serviceState('up', [web, migrate]); // 'up' once web runs and migrate has succeeded
 * ```
 */
export function serviceState(wanted: Wanted, jobs: readonly Job[]): ServiceState {
  const some = (...phases: readonly Phase[]): boolean => jobs.some((job) => phases.includes(job.phase));
  if (wanted === 'down') return jobs.every(atRest) ? 'down' : 'stopping';
  if (jobs.length === 0) return 'starting';
  if (jobs.every((job) => serves(job) || job.phase === 'succeeded')) return 'up';
  if (some('failed')) return 'failed';
  if (jobs.some(serves) && some('retrying', 'stopping', 'stopped')) return 'degraded';
  if (some('retrying')) return 'retrying';
  if (some('stopping')) return 'stopping';
  return jobs.every(atRest) ? 'down' : 'starting';
}

/** A process that is ready. A oneshot that runs is not done yet: it neither is stable nor ever will be. */
function serves(job: Job): boolean {
  return job.phase === 'running' && (job.stable || job.deadline !== null);
}
