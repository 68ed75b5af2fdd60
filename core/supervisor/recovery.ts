/**
 * Recovery: upkeep is there again and looks what has become of its jobs.
 *
 * Nothing is replayed. Each job is told what is so (its process lives, its status file says, the machine was started
 * again) and its state machine decides; what carries our marker and belongs to no live incarnation is ended.
 */
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import { identityOf, type Job } from '../job/job.ts';
import type { Identity } from '../process/identity.ts';
import { readStatusFile } from '../process/status_file.ts';
import type { JobLoop } from './job_loop.ts';
import type { LostJobs } from './lost_jobs.ts';
import { type StatePaths, statusFile } from './paths.ts';
import type { JobRuntime } from './runtime.ts';
import { mainSurvivor, type Survivor } from './survivors.ts';

/** A living process that belongs to no live incarnation. */
export interface Leftover {
  readonly survivor: Survivor;
  /** The job that it was of, where that is still known. */
  readonly runtime: JobRuntime | null;
}

/**
 * Tells every job what was found of it.
 *
 * @returns what is left over and must be ended.
 */
export function recover(
  lost: LostJobs,
  loop: JobLoop,
  host: Host,
  paths: StatePaths,
  survivors: ReadonlyMap<string, readonly Survivor[]>,
): Leftover[] {
  for (const found of survivors.values()) {
    const main = mainSurvivor(found);
    if (main === null) continue;
    const known = loop.jobs.get(main.job_id);
    if (known === undefined) lost.rebuild({ ...main, id: main.job_id });
    else if (main.incarnation > latestIncarnation(known.job)) lost.catchUp(known, main);
  }
  for (const name of host.files.readdirSync(paths.statuses)) {
    const [service = '', action = '', id = ''] = name.split('.');
    const status = readStatusFile(host.files, join(paths.statuses, name));
    if (status?.exit_code === 0 && !loop.jobs.has(id)) lost.rebuildDone({ service, action, id });
  }
  const live = new Map<string, number>();
  for (const [id, runtime] of [...loop.jobs]) {
    const found = findLive(runtime.job, host, survivors.get(id) ?? []);
    if (found !== null) live.set(id, found.incarnation);
    const { last_identity } = runtime.job;
    loop.dispatch(id, {
      type: 'recovered',
      found,
      status: runtime.spec.process ? null : readStatusFile(host.files, statusFile(paths, runtime.job)),
      rebooted: last_identity !== null && last_identity.boot_id !== host.processes.boot_id,
    });
  }
  return [...survivors.values()]
    .flat()
    .filter((survivor) => survivor.incarnation !== live.get(survivor.job_id))
    .map((survivor) => ({ survivor, runtime: loop.jobs.get(survivor.job_id) ?? null }));
}

/** The newest incarnation that the record knows of, spawned or about to be. */
function latestIncarnation(job: Job): number {
  if (job.phase === 'preparing' && job.step === 'spawn') return job.incarnation;
  return job.started_at === null ? -1 : job.restart_count;
}

/** The live main process of a job's newest incarnation. */
function findLive(
  job: Job,
  host: Host,
  survivors: readonly Survivor[],
): { identity: Identity; incarnation: number } | null {
  const recorded = identityOf(job);
  if (recorded !== null) {
    return host.processes.isAlive(recorded) ? { identity: recorded, incarnation: job.restart_count } : null;
  }
  if (job.phase !== 'preparing' || job.step !== 'spawn') return null;
  // The spawn was decided and never recorded: if it happened, the marker tells.
  const { incarnation } = job;
  const main = mainSurvivor(survivors.filter((survivor) => survivor.incarnation === incarnation));
  return main === null ? null : { identity: main.identity, incarnation };
}
