/**
 * Whether a process belongs to a job: by descent, by a session seen in its tree, or by the marker it carries.
 */
import type { Processes } from '../host/host.ts';
import type { Identity } from './identity.ts';
import { MARKER, parseMark } from './marker.ts';

/** The tree of one incarnation. */
export interface OwnTree {
  readonly job_id: string;
  readonly incarnation: number;
  readonly main: Identity;
  readonly sessions: ReadonlySet<number>;
}

/** No tree of processes is deeper; a circle (a pid handed out anew while we climb) ends here as well. */
const MAX_DEPTH = 64;

/** True where the process `pid` is the tree's own. */
export function isOwnProcess(pid: number, tree: OwnTree, processes: Processes): boolean {
  if (pid === tree.main.pid) return true;
  const stat = processes.stat(pid);
  if (stat === null || stat.start_time < tree.main.start_time) return false;
  if (stat.session === tree.main.pid || tree.sessions.has(stat.session)) return true;
  const mark = parseMark(processes.environ(pid)?.get(MARKER));
  if (mark?.job_id === tree.job_id && mark.incarnation === tree.incarnation) return true;
  let parent = stat.ppid;
  for (let depth = 0; parent > 1 && depth < MAX_DEPTH; depth += 1) {
    if (parent === tree.main.pid) return true;
    parent = processes.stat(parent)?.ppid ?? 0;
  }
  return false;
}
