/**
 * What follows of a change of a job once it is committed: its PID file, its log, who watches it and who waits for it.
 */
import type { Files } from '../host/host.ts';
import { atRest, identityOf, type Job } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Logs } from '../log/mod.ts';
import { removePidFileIfOurs, writePidFile } from '../reclaim/mod.ts';
import type { Fleet } from './fleet.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { JobWaiters } from './job_waiters.ts';
import type { JobWatch } from './job_watch.ts';
import { pidFile, type StatePaths } from './paths.ts';
import type { JobRuntime } from './runtime.ts';
import type { Standbys } from './standbys.ts';

/** Who has to be told, and what has to be touched. */
export interface JobChangedPorts {
  readonly files: Files;
  readonly paths: StatePaths;
  readonly logs: Logs;
  readonly fleet: Fleet;
  readonly watch: JobWatch;
  readonly housekeeping: Housekeeping;
  readonly standbys: Standbys;
  readonly waiters: JobWaiters;
  /** Records a fact about a job that changes no phase. */
  note(runtime: JobRuntime, why: Reason): void;
}

/** Carries out what follows of the change from `before` to what the job is now. */
export function jobChanged(runtime: JobRuntime, before: Job, ports: JobChangedPorts): void {
  const { files, paths, logs, fleet, watch, housekeeping, standbys, waiters } = ports;
  const { job } = runtime;
  const alive = job.phase === 'starting' || job.phase === 'running';
  const process = identityOf(job);
  if (alive && process !== null && process !== identityOf(before)) {
    writePid(runtime, process.pid, ports);
    housekeeping.started();
    fleet.started(runtime);
  }
  // An epoch of its own: an adopted job enters anew what it was in before.
  if (job.phase === 'running' && job.epoch !== before.epoch) {
    watch.keep(runtime);
    standbys.expect(runtime);
  }
  if (!alive) watch.drop(job.id);
  if (atRest(job) && !atRest(before)) {
    if (job.last_identity !== null)
      removePidFileIfOurs(files, pidFile(paths, runtime), job.last_identity.pid);
    logs.close(job.id);
    standbys.drop(job.id);
  }
  fleet.clearGates(job.service);
  fleet.settle(job.service);
  waiters.changed();
}

function writePid(runtime: JobRuntime, pid: number, { files, paths, note }: JobChangedPorts): void {
  try {
    writePidFile(files, pidFile(paths, runtime), pid);
  } catch (error) {
    // The service runs all the same: a PID file is no condition of anything.
    note(runtime, reason('PIDFILE_UNWRITABLE', `could not write the PID file: ${(error as Error).message}`));
  }
}
