/**
 * How reclaim says what it found: reasons, one sentence for people and evidence for programs.
 */
import { type Evidence, type Reason, reason } from '../job/reason.ts';
import { type Claim, claimKey, type SocketClaim } from './claim.ts';
import type { KnownProcess } from './holder_class.ts';
import type { Refusal } from './permission.ts';
import type { RemoveStep } from './plan.ts';

const MAX_COMMAND = 120;

const KIND_WORDS = { tcp: 'port', udp: 'UDP port', socket: 'socket' } as const;

/** `port 8080`, `port 127.0.0.1:9090`, `UDP port 53`, `socket /run/a.sock`. */
export function claimText(claim: Claim): string {
  return `${KIND_WORDS[claim.kind]} ${claimKey(claim).slice(claim.kind.length + 1)}`;
}

/** `pid 4711 (nc -l 8080)`. */
export function processText({ identity, command }: KnownProcess): string {
  const shown = command.length > MAX_COMMAND ? `${command.slice(0, MAX_COMMAND)}…` : command;
  return shown === '' ? `pid ${identity.pid}` : `pid ${identity.pid} (${shown})`;
}

/** A process as evidence. */
export function processEvidence({ identity, command, class: holderClass, job }: KnownProcess): Evidence {
  const { pid, start_time } = identity;
  const holder = { pid, start_time, command, class: holderClass };
  if (job === null) return holder;
  const { job_id, incarnation, name } = job;
  return { ...holder, job_id, incarnation, service: name?.service ?? null, action: name?.action ?? null };
}

/** `PORT_HELD` or `SOCKET_HELD`. */
function heldCode(claim: Claim): 'PORT_HELD' | 'SOCKET_HELD' {
  return claim.kind === 'socket' ? 'SOCKET_HELD' : 'PORT_HELD';
}

/** A claim that somebody holds who may not be stopped. */
export function heldBy(claim: Claim, process: KnownProcess, { because, next }: Refusal): Reason {
  const message = `${claimText(claim)} is held by ${processText(process)}, ${because}`;
  return reason(heldCode(claim), message, { claim: claimKey(claim), holder: processEvidence(process), next });
}

/** A claim that is in use by somebody who was not seen. */
export function heldByUnknown(claim: Claim, sign: string, probe: string | null): Reason {
  const who = probe === null ? 'and no probe could say by whom' : 'by somebody who cannot be seen';
  return reason(heldCode(claim), `${claimText(claim)} is in use, ${who} (${sign})`, {
    claim: claimKey(claim),
    holder: null,
    sign,
    probe,
    next: 'find out as root who has it, and stop that by hand',
  });
}

/** A process that was to be stopped and is still there. */
export function stillThere(
  process: KnownProcess,
  claims: readonly Claim[],
  why: 'survived' | 'denied',
): Reason {
  return why === 'survived'
    ? inTheWay(process, claims, {
        because: 'which survives SIGKILL',
        next: 'look at what it waits for in the kernel',
      })
    : inTheWay(process, claims, {
        because: 'which upkeep has no right to signal',
        next: 'stop it by hand, as its owner or as root',
      });
}

/** One is stopped and the next takes its place. */
export function keepsComingBack(process: KnownProcess, claims: readonly Claim[]): Reason {
  return inTheWay(process, claims, {
    because: 'the latest of several that came back each time they were stopped',
    next: 'find out what starts it, and stop that by hand',
  });
}

function inTheWay(process: KnownProcess, claims: readonly Claim[], refused: Refusal): Reason {
  const [claim] = claims;
  if (claim !== undefined) return heldBy(claim, process, refused);
  const message = `${processText(process)} is still there, ${refused.because}`;
  return reason('SURVIVORS', message, { holder: processEvidence(process), next: refused.next });
}

/** A file that was to be removed and that the system does not let go. */
export function cannotRemove(step: RemoveStep, errno: string): Reason {
  return fileInTheWay(step, `is dead and cannot be removed (${errno})`, 'remove it by hand');
}

/** A file that is another one at each look. */
export function keepsChanging(step: RemoveStep): Reason {
  return fileInTheWay(
    step,
    'is made anew by somebody again and again',
    'find out who makes it, and stop that by hand',
  );
}

function fileInTheWay({ type, path, why }: RemoveStep, what: string, next: string): Reason {
  return type === 'unlink_socket'
    ? reason('SOCKET_HELD', `socket ${path} ${what}`, { ...why?.evidence, holder: null, next })
    : reason(why?.code ?? 'RECLAIMED', `PID file ${path} ${what}`, { ...why?.evidence, next });
}

/** A path of a socket at which there is something else. */
export function notASocket(claim: Claim, found: string): Reason {
  return reason('SOCKET_NOT_A_SOCKET', `${claimText(claim)} is ${found} and no socket; it is never removed`, {
    claim: claimKey(claim),
    found,
    next: 'move it away by hand, or name another socket',
  });
}

/** A claim of which nobody could tell whether it is free. */
export function unclear(claim: Claim, sign: string): Reason {
  return reason('PROBE_UNAVAILABLE', `whether ${claimText(claim)} is free cannot be told (${sign})`, {
    claim: claimKey(claim),
    sign,
    next: 'run upkeep as a user who may see it, or install lsof',
  });
}

/** A live, vetted process in the PID file that may not be stopped. */
export function pidFileHeld(path: string, process: KnownProcess, { because, next }: Refusal): Reason {
  const message = `PID file ${path} is in use by ${processText(process)}, ${because}`;
  return reason('PIDFILE_HELD', message, { pid_file: path, holder: processEvidence(process), next });
}

/** A PID file that names a process it was not written for. */
export function pidFileReused(path: string, process: KnownProcess): Reason {
  const message = `PID file ${path} names ${processText(process)}, a stranger: left it alone, removed the file`;
  return reason('PIDFILE_REUSED', message, { pid_file: path, holder: processEvidence(process) });
}

/** Something at the path of the PID file that is none. */
export function notAPidFile(path: string, found: string): Reason {
  return reason('PIDFILE_REUSED', `PID file ${path} is none (${found}): left it alone`, {
    pid_file: path,
    found,
  });
}

/** A PID file that was of no use any more. */
export function removedPidFile(path: string, because: string): Reason {
  return reason('RECLAIMED', `removed the stale PID file ${path}, ${because}`, { pid_file: path });
}

/** A dead socket's file. */
export function removedSocket(claim: SocketClaim): Reason {
  return reason('RECLAIMED', `removed the stale socket ${claim.path}`, { claim: claimKey(claim) });
}

/** A process that was stopped. */
export function stopped(process: KnownProcess, because: string, claim: Claim | null): Reason {
  const origin = process.class === 'own_earlier' ? ` of incarnation ${process.job?.incarnation}` : '';
  return reason('RECLAIMED', `stopped ${processText(process)}${origin}, ${because}`, {
    holder: processEvidence(process),
    claim: claim === null ? null : claimKey(claim),
  });
}
