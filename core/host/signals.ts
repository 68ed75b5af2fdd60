/**
 * Sending signals. Whether it is the right process is for the caller to have proved.
 */
import type { SignalOutcome } from './host.ts';

/** Signals one process. Never init, and never "every process", which is what 0 and below mean to the kernel. */
export function signalProcess(pid: number, signal: NodeJS.Signals): SignalOutcome {
  return pid > 1 ? send(pid, signal) : 'denied';
}

/** Signals a whole group; -1 would be every process there is. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): SignalOutcome {
  return pgid > 1 ? send(-pgid, signal) : 'denied';
}

/** Whether a group has a member, zombies included. One that may not be signalled is a member all the same. */
export function groupExists(pgid: number): boolean {
  return pgid > 1 && send(-pgid, 0) !== 'gone';
}

function send(target: number, signal: NodeJS.Signals | 0): SignalOutcome {
  try {
    process.kill(target, signal);
    return 'sent';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'denied';
    throw error;
  }
}
