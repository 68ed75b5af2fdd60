/**
 * What lies where in the state folder.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import type { Job } from '../job/job.ts';
import type { JobRuntime } from './runtime.ts';

/** The files of one state folder. */
export interface StatePaths {
  readonly dir: string;
  readonly database: string;
  readonly lock: string;
  readonly logs: string;
  /** Default PID files. */
  readonly pids: string;
  /** Exit statuses of oneshots. */
  readonly statuses: string;
}

/** The paths below a state folder. */
export function statePaths(dir: string): StatePaths {
  return {
    dir,
    database: join(dir, 'upkeep.db'),
    lock: join(dir, 'lock.db'),
    logs: join(dir, 'logs'),
    pids: join(dir, 'pids'),
    statuses: join(dir, 'statuses'),
  };
}

/** Where a job's main pid is written. */
export function pidFile(paths: StatePaths, { job, spec }: JobRuntime): string {
  return spec.pid_file ?? join(paths.pids, `${job.service}.${job.action}.pid`);
}

/** Where a oneshot leaves its status. The name tells whose it is even when the store is lost. */
export function statusFile(paths: StatePaths, job: Pick<Job, 'service' | 'action' | 'id'>): string {
  return join(paths.statuses, `${job.service}.${job.action}.${job.id}`);
}

/** The name by which processes of this state folder are known in their marker: a hash of its real path. */
export function instanceName(realDir: string): string {
  return createHash('sha256').update(realDir).digest('hex').slice(0, 12);
}

/** The state folder is not ours to use. */
export class StateFolderError extends Error {
  override readonly name = 'StateFolderError';
}

/**
 * Makes the folder where it is missing, and refuses one that another user could have prepared.
 *
 * @throws {@link StateFolderError}
 */
export function openStateFolder(dir: string, { files }: Host): StatePaths {
  files.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const stat = files.statSync(dir);
  const uid = process.getuid?.() ?? stat.uid;
  if (stat.uid !== uid) {
    throw new StateFolderError(
      `Cannot use ${dir} as the state folder must belong to uid ${uid}: its owner is ${stat.uid}`,
    );
  }
  if ((stat.mode & 0o077) !== 0) files.chmodSync(dir, 0o700);
  const paths = statePaths(files.realpathSync(dir));
  for (const folder of [paths.logs, paths.pids, paths.statuses]) {
    files.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  return paths;
}
