/**
 * Whose process is it? The answer decides what may be done to it, so each rule rests on something that a stranger
 * does not have by accident.
 */
import type { Host, ProcessStat } from '../host/host.ts';
import { commandLine } from '../plugin/command_line.ts';
import type { Identity } from '../process/identity.ts';
import { MARKER, type Mark, parseMark } from '../process/marker.ts';
import type { JobName, ReclaimTarget, ReclaimWorld } from './target.ts';

/**
 * - `own_earlier`: of an earlier incarnation of this action; always stopped.
 * - `managed`: of another job, of this upkeep or of another one; never stopped.
 * - `foreign`: somebody else's; stopped only where the action has permission.
 * - `protected`: init, the kernel, upkeep itself and its ancestors; never stopped.
 * - `unknown`: it cannot be told; never stopped.
 */
export type HolderClass = 'own_earlier' | 'managed' | 'foreign' | 'protected' | 'unknown';

/** The job that a process belongs to. */
export interface OwningJob {
  /** The upkeep that it belongs to. */
  readonly instance: string;
  readonly job_id: string;
  readonly incarnation: number;
  /** Null where the job is another upkeep's, whose ids mean nothing here. */
  readonly name: JobName | null;
}

/** A live process, and whose it is. */
export interface KnownProcess {
  readonly identity: Identity;
  /** The command line, bounded; empty where it cannot be read. */
  readonly command: string;
  readonly class: HolderClass;
  /** The job, where it is `own_earlier` or `managed`. */
  readonly job: OwningJob | null;
}

/**
 * Tells whose a process is.
 *
 * The marker in its environment comes first, as it is the most explicit. Some programs wipe it (postgres does in its
 * children); then the session tells, and last the marker of its nearest ancestor that has one.
 *
 * @param target the job to reclaim for; null where there is none (`upkeep holders`), and nothing is `own_earlier`.
 * @returns null where the process is gone.
 */
export function classify(
  identity: Identity,
  target: ReclaimTarget | null,
  world: ReclaimWorld,
): KnownProcess | null {
  const { processes } = world.host;
  const stat = processes.stat(identity.pid);
  if (stat === null || stat.start_time !== identity.start_time) return null;
  const known = (holderClass: HolderClass, job: OwningJob | null): KnownProcess => {
    const command = commandLine(processes.argv(identity.pid), () => '');
    return { identity, command, class: holderClass, job };
  };
  if (isProtected(stat, world)) return known('protected', null);

  const environ = processes.environ(identity.pid);
  const mark = parseMark(environ?.get(MARKER));
  const job =
    (mark === null ? null : jobOfMark(mark, target, world)) ??
    jobOfLast(stat, identity, target, world) ??
    jobOfSession(stat, world) ??
    jobOfAncestor(stat, target, world);
  if (job === null) return known(environ === null ? 'unknown' : 'foreign', null);
  return known(isOwn(job, target, world) ? 'own_earlier' : 'managed', job);
}

/** A job of an earlier run of the same action is as much its own as one of this run. */
function isOwn(job: OwningJob, target: ReclaimTarget | null, world: ReclaimWorld): boolean {
  if (target === null || job.instance !== world.instance) return false;
  if (job.job_id === target.job_id) return true;
  return job.name?.service === target.service && job.name.action === target.action.name;
}

/**
 * Null where the mark is of this upkeep and the job is not known any more: nobody looks after that process, so it is
 * a stranger like any other.
 */
function jobOfMark(mark: Mark, target: ReclaimTarget | null, world: ReclaimWorld): OwningJob | null {
  if (mark.instance !== world.instance) return { ...mark, name: null };
  const name = mark.job_id === target?.job_id ? nameOf(target) : world.describeJob(mark.job_id);
  return name === null ? null : { ...mark, name };
}

/**
 * The last incarnation led a session. Whoever is in that now is its offspring, unless the number was given out anew:
 * then its leader is another one, or the process is older than the session.
 */
function jobOfLast(
  stat: ProcessStat,
  identity: Identity,
  target: ReclaimTarget | null,
  { host, instance }: ReclaimWorld,
): OwningJob | null {
  const last = target?.last ?? null;
  if (target === null || last === null || last.boot_id !== identity.boot_id) return null;
  if (stat.session !== last.pid || stat.start_time < last.start_time) return null;
  const leader = host.processes.stat(last.pid);
  if (leader !== null && leader.start_time !== last.start_time) return null;
  return { instance, job_id: target.job_id, incarnation: target.next_incarnation - 1, name: nameOf(target) };
}

function jobOfSession(stat: ProcessStat, world: ReclaimWorld): OwningJob | null {
  const seen = world.jobOfSession(stat.session);
  return seen === null ? null : { ...seen, instance: world.instance, name: world.describeJob(seen.job_id) };
}

function jobOfAncestor(
  stat: ProcessStat,
  target: ReclaimTarget | null,
  world: ReclaimWorld,
): OwningJob | null {
  const { processes } = world.host;
  for (const pid of ancestors(stat.pid, world.host)) {
    // What upkeep itself was started from says nothing about the rest.
    if (pid === world.upkeep_pid) return null;
    const mark = parseMark(processes.environ(pid)?.get(MARKER));
    if (mark !== null) return jobOfMark(mark, target, world);
  }
  return null;
}

function nameOf({ service, action }: ReclaimTarget): JobName {
  return { service, action: action.name };
}

function isProtected(stat: ProcessStat, world: ReclaimWorld): boolean {
  const { pid, ppid } = stat;
  if (pid <= 1 || pid === world.upkeep_pid) return true;
  if (world.host.platform === 'linux' && isKernelThread(pid, ppid, world.host)) return true;
  for (const ancestor of ancestors(world.upkeep_pid, world.host)) if (ancestor === pid) return true;
  return false;
}

/** Pid 2 is the kernel's only outside of a container; its children have no command line, and it has none. */
function isKernelThread(pid: number, ppid: number, host: Host): boolean {
  return (pid === 2 || ppid === 2) && (host.processes.argv(pid) ?? []).length === 0;
}

/** The parents of a process, nearest first, init and what has no parent here left out. */
function* ancestors(pid: number, host: Host): Generator<number> {
  let parent = host.processes.stat(pid)?.ppid ?? 0;
  // The table changes between two reads: a reused pid could close a ring.
  for (let depth = 0; parent > 1 && depth < 256; depth++) {
    yield parent;
    parent = host.processes.stat(parent)?.ppid ?? 0;
  }
}
