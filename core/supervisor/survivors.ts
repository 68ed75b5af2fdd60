/**
 * What an earlier upkeep on this state folder left running: found by the marker, whatever the store says.
 */
import type { Host, ProcessStat } from '../host/host.ts';
import { inSlices } from '../host/slices.ts';
import type { Identity } from '../process/identity.ts';
import { MARKER, parseMark } from '../process/marker.ts';

/** A living process that carries our marker. */
export interface Survivor {
  readonly stat: ProcessStat;
  readonly identity: Identity;
  readonly job_id: string;
  readonly incarnation: number;
  readonly run_id: string;
  readonly service: string;
  readonly action: string;
}

/** Every process with the marker of `instance`, by job. */
export async function findSurvivors(
  host: Host,
  instance: string,
  upkeepPid: number,
): Promise<Map<string, Survivor[]>> {
  const { processes, clock } = host;
  const found = new Map<string, Survivor[]>();
  await inSlices(clock, processes.list(), (pid) => {
    if (pid === upkeepPid) return;
    const env = processes.environ(pid);
    const mark = parseMark(env?.get(MARKER));
    if (env === null || mark?.instance !== instance) return;
    const stat = processes.stat(pid);
    if (stat === null) return;
    const survivor: Survivor = {
      stat,
      identity: { boot_id: processes.boot_id, pid, start_time: stat.start_time },
      job_id: mark.job_id,
      incarnation: mark.incarnation,
      run_id: env.get('UPKEEP_RUN') ?? '',
      service: env.get('UPKEEP_SERVICE') ?? '',
      action: env.get('UPKEEP_ACTION') ?? '',
    };
    found.set(mark.job_id, [...(found.get(mark.job_id) ?? []), survivor]);
  });
  return found;
}

/**
 * The main process among a job's survivors: the leader of its own session and group, as upkeep starts it, of the
 * newest incarnation.
 */
export function mainSurvivor(survivors: readonly Survivor[]): Survivor | null {
  const leaders = survivors.filter(({ stat }) => stat.pid === stat.pgrp && stat.pid === stat.session);
  // A daemon that a job started leads a session too: the one that was there first is the job's own.
  leaders.sort((a, b) => b.incarnation - a.incarnation || a.stat.start_time - b.stat.start_time);
  return leaders[0] ?? null;
}
