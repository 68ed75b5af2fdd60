/**
 * What a shutdown still waits for.
 */
import { atRest, identityOf } from '../job/job.ts';
import type { Reaper } from '../process/reaper.ts';
import type { JobRuntime } from './runtime.ts';

/** Each job that is not at rest, a line: its phase, whoever lives of it, and when that is killed. */
export function waitedFor(jobs: Iterable<JobRuntime>, reaper: Pick<Reaper, 'survivors'>): string[] {
  return [...jobs].flatMap(({ job, spec }) => {
    if (atRest(job)) return [];
    const pids = [
      ...(job.phase === 'stopping' && !job.main_alive ? [] : [identityOf(job)?.pid]),
      ...reaper.survivors(job.id, job.restart_count).map((stat) => stat.pid),
    ].filter((pid) => pid !== undefined);
    const of = pids.length === 0 ? '' : ` (pid ${[...new Set(pids)].join(', ')})`;
    const limit = job.phase === 'stopping' ? `, SIGKILL after ${spec.stop.timeout / 1000} s` : '';
    return [`${job.service}/${job.action} is ${job.phase}${of}${limit}`];
  });
}
