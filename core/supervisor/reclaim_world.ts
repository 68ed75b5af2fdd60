/**
 * What the supervisor lends to reclaim: whose a process is.
 */
import type { Host } from '../host/host.ts';
import { identityOf } from '../job/job.ts';
import type { ProbeHost, ReclaimWorld } from '../reclaim/mod.ts';
import type { Store } from '../store/store.ts';
import type { JobLoop } from './job_loop.ts';

/** What it is lent from. */
export interface ReclaimWorldParts {
  readonly host: Host;
  readonly probes: ProbeHost;
  readonly upkeep_pid: number;
  readonly instance: string;
  readonly loop: JobLoop;
  readonly store: Store;
}

/** The world as the jobs of this upkeep know it. */
export function reclaimWorld({
  host,
  probes,
  upkeep_pid,
  instance,
  loop,
  store,
}: ReclaimWorldParts): ReclaimWorld {
  return {
    host,
    probes,
    upkeep_pid,
    instance,
    jobOfSession: (session) => {
      for (const { job, sessions } of loop.jobs.values()) {
        if (identityOf(job)?.pid === session || sessions.has(session)) {
          return { job_id: job.id, incarnation: job.restart_count };
        }
      }
      return null;
    },
    describeJob: (id) => loop.jobs.get(id)?.job ?? store.jobs({ id })[0] ?? null,
  };
}
