/**
 * Sending a signal to what a job runs, because somebody asked for it.
 */
import type { Host } from '../host/host.ts';
import { reason } from '../job/reason.ts';
import { isPluginService } from '../plugin/remote/plugin_service.ts';
import type { Identity } from '../process/identity.ts';
import type { Actor } from '../store/records.ts';
import type { JobLoop } from './job_loop.ts';
import { Conflict } from './refusal.ts';
import type { JobRuntime } from './runtime.ts';

/** The signals that may be asked for: those that programs give a meaning to, and those that end or hold them. */
export const SENDABLE_SIGNALS = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGKILL',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGWINCH',
] as const;

/** One of {@link SENDABLE_SIGNALS}. */
export type SendableSignal = (typeof SENDABLE_SIGNALS)[number];

/**
 * Sends a signal to the main process of a job's live incarnation, and to nobody else. What follows is as if anybody
 * had sent it: a process that it ends is started again, one that it stops is not ready for whoever asks it.
 *
 * @param runtime undefined for a job of an earlier run.
 * @returns whom it was sent to.
 * @throws {@link Conflict} where it does not run.
 */
export function signalJob(
  { processes }: Pick<Host, 'processes'>,
  loop: Pick<JobLoop, 'note'>,
  runtime: JobRuntime | undefined,
  signal: SendableSignal,
  actor: Actor,
): Identity {
  const identity = runtime === undefined ? null : liveIdentity(runtime);
  if (runtime === undefined || identity === null) throw new Conflict('the job has no process now');
  const { service, action } = runtime.job;
  if (isPluginService(service)) throw new Conflict('it is a plugin of upkeep: nobody else may signal it');
  // The identity is read again right before.
  const outcome = processes.signal(identity, signal);
  if (outcome === 'gone') throw new Conflict(`${service}/${action} (pid ${identity.pid}) has just ended`);
  if (outcome === 'denied') {
    throw new Conflict(`upkeep may not signal ${service}/${action} (pid ${identity.pid})`);
  }
  // Its death by SIGKILL needs no search for another cause, such as want of memory.
  if (signal === 'SIGKILL') runtime.signalled = true;
  const message = `${signal} was sent to pid ${identity.pid}, as asked for`;
  loop.note(runtime, reason('REQUESTED', message, { signal, identity }), { actor, cause: null });
  return identity;
}

function liveIdentity({ job }: JobRuntime): Identity | null {
  if (job.phase === 'starting' || job.phase === 'running') return job.identity;
  return job.phase === 'stopping' && job.main_alive ? job.identity : null;
}
