/**
 * /proc/PID/stat, the line that the kernel keeps about each process.
 */

/** What upkeep needs of it. */
export interface ProcStatLine {
  readonly state: string;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Clock ticks since boot. */
  readonly start_time: number;
}

// Places in what follows the command's name; proc(5) counts from 1 and with the two fields before.
const STATE = 0;
const PPID = 1;
const PGRP = 2;
const SESSION = 3;
const THREADS = 17;
const START_TIME = 19;

/**
 * Reads the line; null where the process is dead: a zombie, or being taken away.
 *
 * The name stands in parentheses and may hold anything, spaces and parentheses too, so that only the last closing one
 * tells where it ends.
 */
export function parseProcStat(line: Buffer): ProcStatLine | null {
  const fields = line.toString('latin1', line.lastIndexOf(')') + 2).split(' ', START_TIME + 1);
  const state = fields[STATE] ?? '';
  if ((state === 'Z' || state === 'X') && !hasOtherThreads(fields)) return null;
  return {
    state,
    ppid: Number(fields[PPID]),
    pgrp: Number(fields[PGRP]),
    session: Number(fields[SESSION]),
    start_time: Number(fields[START_TIME]),
  };
}

/** A first thread that has ended shows as a zombie while the others run on, and hold what the process holds. */
function hasOtherThreads(fields: readonly string[]): boolean {
  return Number(fields[THREADS]) > 1;
}
