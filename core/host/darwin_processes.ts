/**
 * The process table of macOS, read by `ps`: there is no /proc, and Node offers nothing else. Each look costs a few ms.
 */
import { execFileSync } from 'node:child_process';
import type { Identity } from '../process/identity.ts';
import type { Processes, ProcessStat } from './host.ts';
import { groupExists, signalGroup, signalProcess } from './signals.ts';

/** A `ps` that does not answer is as good as none, in ms. */
const DEADLINE = 5_000;

/** The process table of this machine. */
export function darwinProcesses(): Processes {
  const boot_id = run('sysctl', ['-n', 'kern.bootsessionuuid']);
  if (boot_id === null)
    throw new Error('Cannot tell this boot from others as sysctl kern.bootsessionuuid must be there');

  const stat = (pid: number): ProcessStat | null => {
    const line = ps(pid, 'ppid=,pgid=,sess=,stat=,lstart=');
    const [, ppid, pgrp, session, state = '', started = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.+)$/.exec(line ?? '') ?? [];
    if (state === '' || state.startsWith('Z')) return null;
    const started_ms = Date.parse(started);
    return {
      pid,
      ppid: Number(ppid),
      pgrp: Number(pgrp),
      // Shown as a pointer or as 0: the group stands in for it, as a session's leader leads its first group.
      session: Number(session) > 0 ? Number(session) : Number(pgrp),
      start_time: started_ms / 1000,
      started_ms,
      state: state.charAt(0),
    };
  };

  const identity = (pid: number): Identity | null => {
    const found = stat(pid);
    return found && { boot_id, pid, start_time: found.start_time };
  };

  const isAlive = ({ boot_id: boot, pid, start_time }: Identity): boolean =>
    boot === boot_id && stat(pid)?.start_time === start_time;

  return {
    boot_id,
    stat,
    identity,
    isAlive,
    startTimeNow: () => Math.floor(Date.now() / 1000),
    list: () =>
      (run('ps', ['-axo', 'pid=']) ?? '')
        .split('\n')
        .map(Number)
        .filter((pid) => pid > 0),
    argv: (pid) => ps(pid, 'args=')?.split(' ') ?? null,
    exe: (pid) => ps(pid, 'comm='),
    environ,
    uid: (pid) => numberOrNull(ps(pid, 'uid=')),
    descriptors: () => null,
    descriptor: () => null,
    writersOf: (_files, pids) => ({ writers: new Map(), complete: pids.length === 0 }),
    signal: (target, signal) => (isAlive(target) ? signalProcess(target.pid, signal) : 'gone'),
    signalGroup,
    groupExists,
    cohort: () => null,
    living: () => false,
    watch: (target) => (isAlive(target) ? { alive: () => isAlive(target), close: () => {} } : null),
  };
}

/** `ps -E` puts the environment behind the arguments, parted by spaces: a value with a space is cut there. */
function environ(pid: number): ReadonlyMap<string, string> | null {
  const args = ps(pid, 'args=');
  const both = run('ps', ['-wwE', '-p', String(pid), '-o', 'args=']);
  if (args === null || both === null || !both.startsWith(args)) return null;
  const found = new Map<string, string>();
  for (const word of both.slice(args.length).split(' ')) {
    const equals = word.indexOf('=');
    if (equals > 0) found.set(word.slice(0, equals), word.slice(equals + 1));
  }
  // Another user's environment is not shown at all, and not said to be missing.
  return found.size > 0 ? found : null;
}

function ps(pid: number, columns: string): string | null {
  return run('ps', ['-ww', '-p', String(pid), '-o', columns]);
}

function numberOrNull(text: string | null): number | null {
  return text === null ? null : Number(text);
}

/**
 * The output without the spaces around it; null where the program fails, as `ps` does for a pid that is not there.
 *
 * @throws where it could not be run at all: a process that cannot be looked at must not seem to be gone.
 */
function run(file: string, argv: readonly string[]): string | null {
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    return execFileSync(file, argv, {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
      timeout: DEADLINE,
    }).trim();
  } catch (error) {
    if (typeof (error as { status?: unknown }).status === 'number') return null;
    throw error;
  }
}
