/**
 * Observing: everything that a spawn can find in its way. Reads only.
 *
 * On the fast path (after a crash that left nothing in the way) this costs a few system calls: the process table is
 * not walked and no probe is asked.
 */
import { inSlices } from '../host/slices.ts';
import { lookAtClaims } from './claim_look.ts';
import { matchesGlob } from './glob.ts';
import { classify, type KnownProcess } from './holder_class.ts';
import type { FilterMatch, Observations, ObservedPidFile } from './observations.ts';
import { type PidFile, readPidFile } from './pid_file.ts';
import { runsAction } from './program.ts';
import type { ReclaimTarget, ReclaimWorld } from './target.ts';

/**
 * Looks at the PID file, the last incarnation, the claims, and what `kill_other` names.
 *
 * @example
 * ```ts
 * const plan = planReclaim(target, await observe(target, world)); // what would be done
 * ```
 */
export async function observe(target: ReclaimTarget, world: ReclaimWorld): Promise<Observations> {
  const pidFile: PidFile = isReplaced(target)
    ? { state: 'absent' }
    : readPidFile(world.host.files, target.pid_file);
  const suspects = [
    ...(target.last === null ? [] : [target.last.pid]),
    ...(pidFile.state === 'names' ? [pidFile.pid] : []),
  ];
  const { claims, probe } = await lookAtClaims(target, world, suspects);
  const { left_behind, matched } = await lookAtProcesses(target, world);
  return { pid_file: identify(pidFile, target, world), left_behind, claims, matched, probe };
}

/**
 * A PID file in upkeep's own folder is written by nobody else, so that after an end which this upkeep has seen there is
 * nothing to be learnt from it. The next one takes its place.
 */
function isReplaced({ action, last_gone }: ReclaimTarget): boolean {
  return last_gone && action.pid_file === null;
}

function identify(file: PidFile, target: ReclaimTarget, world: ReclaimWorld): ObservedPidFile {
  if (file.state !== 'names') return file;
  const stat = world.host.processes.stat(file.pid);
  const process = stat === null ? null : known(file.pid, target, world);
  if (stat === null || process === null) return { ...file, process: null, started_ms: 0, runs_action: false };
  const runs_action = runsAction(file.pid, target.action, target.search_path, world.host);
  return { ...file, process, started_ms: stat.started_ms, runs_action };
}

async function lookAtProcesses(
  target: ReclaimTarget,
  world: ReclaimWorld,
): Promise<{ left_behind: KnownProcess[]; matched: FilterMatch[] }> {
  const { processes, clock } = world.host;
  const filters = target.action.kill_other?.process_filters ?? [];
  const session = livingSession(target, world);
  const left_behind: KnownProcess[] = [];
  const matched: FilterMatch[] = [];
  if (session === null && filters.length === 0) return { left_behind, matched };

  await inSlices(clock, processes.list(), (pid) => {
    const inSession = session !== null && processes.stat(pid)?.session === session;
    const filter = matchingFilter(pid, filters, world);
    if (!inSession && filter === undefined) return;
    const process = known(pid, target, world);
    if (process === null) return;
    if (inSession && process.class === 'own_earlier') left_behind.push(process);
    if (filter !== undefined) matched.push({ process, filter });
  });
  return { left_behind, matched };
}

/**
 * The last incarnation's session, if anything of its group may live. One cheap question stands in for a walk over the
 * process table: its main process leads the session and cannot leave the group. What fled the group and holds no claim
 * is left to the sweep that follows the spawn.
 */
function livingSession({ last, last_gone }: ReclaimTarget, { host }: ReclaimWorld): number | null {
  if (last === null || last_gone || last.boot_id !== host.processes.boot_id) return null;
  return host.processes.groupExists(last.pid) ? last.pid : null;
}

function known(pid: number, target: ReclaimTarget, world: ReclaimWorld): KnownProcess | null {
  const identity = world.host.processes.identity(pid);
  return identity === null ? null : classify(identity, target, world);
}

function matchingFilter(pid: number, filters: readonly string[], { host }: ReclaimWorld): string | undefined {
  if (filters.length === 0) return undefined;
  const argv = host.processes.argv(pid);
  // A kernel thread, or gone.
  if (argv === null || argv.length === 0) return undefined;
  const command = argv.join(' ');
  const exe = host.processes.exe(pid);
  return filters.find((filter) => filter === exe || matchesGlob(filter, command));
}
