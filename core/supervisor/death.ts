/**
 * What a main process has died of, as far as anybody knows.
 */
import type { ExitStatus } from '../host/host.ts';
import { type Reason, reason } from '../job/reason.ts';
import { exitReason } from '../process/exit.ts';
import { shellExit } from '../process/launch.ts';
import type { OomWitness } from '../process/oom.ts';
import { statusFromShell } from '../process/status_file.ts';
import type { ActionSpec } from '../spec/mod.ts';
import type { JobRuntime } from './runtime.ts';

/** What a shell exits with when its child was killed by SIGKILL: 128 + 9. */
const KILLED_CHILD = 137;

/** A oneshot's status comes from the shell above it, which says 128 + n for signal n. */
export function ownStatus(spec: Pick<ActionSpec, 'process'>, status: ExitStatus): ExitStatus {
  return spec.process || status.exit_code === null ? status : statusFromShell(status.exit_code);
}

/** Why the present incarnation of a job has ended: out of memory, what its shell says of the command, or its status. */
export function deathReason(runtime: JobRuntime, status: ExitStatus, oom: OomWitness): Reason {
  const told = shellExit(runtime.spec, status.exit_code) ?? exitReason(status);
  return runtime.signalled ? told : (outOfMemory(runtime, status, oom) ?? told);
}

/** A death by SIGKILL that nobody asked for, be it of a child that a shell tells of, may be the kernel's doing. */
function outOfMemory(
  { job, spec }: JobRuntime,
  { exit_code, exit_signal }: ExitStatus,
  oom: OomWitness,
): Reason | null {
  if (exit_signal !== 'SIGKILL' && exit_code !== KILLED_CHILD) return null;
  // What a oneshot dies of is told by the shell above it.
  const below = exit_code === KILLED_CHILD || !spec.process;
  const verdict = oom.verdict(job.id, below ? 'below' : 'main');
  if (verdict === null) return null;
  const { confidence, victim } = verdict;
  const who = victim === null ? '' : ` (pid ${victim.pid}, ${victim.name})`;
  const evidence = { exit_code, exit_signal, confidence, victim };
  return reason('OOM_KILLED', `killed by the kernel: out of memory${who}`, evidence);
}
