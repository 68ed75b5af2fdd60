/**
 * What an incarnation of a job is known by once its group says nothing any more: its logs, its sessions, its successor.
 */
import type { Logs } from '../log/mod.ts';
import type { Successor, Traces } from '../process/escapees.ts';
import type { Identity } from '../process/identity.ts';
import type { ReapTarget } from '../process/reaper.ts';
import { CLOCK_TOLERANCE } from '../reclaim/mod.ts';
import type { JobRuntime } from './runtime.ts';

/** What an incarnation whose main process is, or was, `identity` is ended by. */
export function reapTargetOf(
  runtime: JobRuntime,
  identity: Identity,
  incarnation: number,
  logs: Logs,
): ReapTarget {
  return { ...tracesOf(runtime, incarnation, logs), identity, sessions: runtime.sessions };
}

/** What is known of an incarnation and those before it, beside its main process and the sessions in its tree. */
export function tracesOf(
  runtime: JobRuntime,
  incarnation: number,
  logs: Logs,
): Omit<Traces, 'identity' | 'sessions'> {
  const active = logs.activeFile(runtime.job.id);
  const files = active === null ? runtime.unreleased : [...runtime.unreleased, active];
  return {
    job_id: runtime.job.id,
    incarnation,
    files,
    isLog: (file) => logs.has(runtime.log, file),
    since: runtime.job.created_at - CLOCK_TOLERANCE,
    successor: (): Successor | null => {
      const { id, restart_count, last_identity: main } = runtime.job;
      if (restart_count <= incarnation || main === null || main.start_time < 0) return null;
      const { sessions, spawned_at } = runtime;
      const since = spawned_at ?? main.start_time;
      return { job_id: id, incarnation: restart_count, main, since, sessions, log: logs.activeFile(id) };
    },
  };
}
