/**
 * What lies where in the state folder.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

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

/** The name by which processes of this state folder are known in their marker: a hash of its real path. */
export function instanceName(realDir: string): string {
  return createHash('sha256').update(realDir).digest('hex').slice(0, 12);
}
