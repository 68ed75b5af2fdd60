/**
 * What an exit says.
 */
import type { ExitStatus } from '../host/host.ts';
import { type Reason, reason } from '../job/reason.ts';

/** Nobody could read how the process ended: it was not our child. */
export const UNKNOWN_EXIT: ExitStatus = { exit_code: null, exit_signal: null };

/** An exit in words; by code, by signal, or not known. */
export function exitReason({ exit_code, exit_signal }: ExitStatus): Reason {
  if (exit_signal !== null) return reason('SIGNALED', `killed by ${exit_signal}`, { exit_signal });
  if (exit_code !== null) return reason('EXITED', `exited with code ${exit_code}`, { exit_code });
  return reason('EXIT_UNKNOWN', 'ended while no parent of it was there to read how');
}
