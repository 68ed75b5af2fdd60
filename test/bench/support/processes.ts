/**
 * The processes that a bench has started, found by a variable in their environment and by nothing else: it is
 * inherited by whatever they start, through any number of sessions and daemons, and no stranger carries it.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** The variable. Its value is the folder that the process belongs to, with a slash at its end. */
export const MARK = 'BENCH_PLACE';

/** The value of a /proc file; empty where the process has gone. */
function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** The pids that belong to `dir` or to a folder below it, each looked at right before it is handed out. */
export function* markedWith(dir: string): Generator<number> {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    if (`\0${read(pid, 'environ')}`.includes(`\0${MARK}=${dir}/`)) yield pid;
  }
}

/** The file that a process executes; null where it has gone. */
export function executableOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return null;
  }
}

/** The pids that belong to `dir` and are no workers: a supervisor and all its helpers. */
export function supervisorsOf(dir: string, worker: string): number[] {
  return [...markedWith(dir)].filter((pid) => ![null, worker].includes(executableOf(pid)));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went by itself.
  }
}

/** Kills the supervisors of `dir` and leaves the workers alone; resolves when they are gone. */
export async function killSupervisors(dir: string, worker: string): Promise<void> {
  // More than one round, as a scanner may put a supervisor in the place of one that was killed before it.
  for (let pids = supervisorsOf(dir, worker); pids.length > 0; pids = supervisorsOf(dir, worker)) {
    pids.forEach(kill);
    await pause(10);
  }
}

/** Kills everything that belongs to `dir`, supervisors first, so that nothing is started again meanwhile. */
export async function killAll(dir: string, worker: string): Promise<void> {
  await killSupervisors(dir, worker);
  for (let pids = [...markedWith(dir)]; pids.length > 0; pids = [...markedWith(dir)]) {
    pids.forEach(kill);
    await pause(10);
  }
}

/** What a set of processes takes; `rss` and `pss` in bytes. */
export interface Memory {
  readonly processes: number;
  readonly rss: number;
  /** Shared pages divided by how many share them: what a thousand little processes really cost. */
  readonly pss: number;
}

/** The memory of these processes, added up. */
export function memoryOf(pids: readonly number[]): Memory {
  const kilobytes = (text: string, field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  let rss = 0;
  let pss = 0;
  for (const pid of pids) {
    const rollup = read(pid, 'smaps_rollup');
    rss += kilobytes(rollup, 'Rss') * 1024;
    pss += kilobytes(rollup, 'Pss') * 1024;
  }
  return { processes: pids.length, rss, pss };
}

/** The kernel counts in ticks of 10 ms towards programs, whatever its own timer does. */
const TICKS_PER_SECOND = 100;

/** The processor time of each of these processes so far, in seconds, with that of the children it has reaped. */
export function cpuOf(pids: readonly number[]): ReadonlyMap<number, number> {
  return new Map(
    pids.map((pid) => {
      const stat = read(pid, 'stat');
      // The command may hold spaces and brackets; fields are counted from behind it. 14–17: utime, stime, cutime, cstime.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      return [pid, ticks / TICKS_PER_SECOND];
    }),
  );
}

/** The seconds between two readings; a process that came in between counts whole. */
export function cpuBetween(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  let seconds = 0;
  for (const [pid, now] of after) seconds += now - (before.get(pid) ?? 0);
  return seconds;
}
