/**
 * What keeps the store from its disk, and how that is told.
 */
import { type Reason, reason } from '../job/reason.ts';
import { isRefusal } from './batch.ts';

/** Failures that have nothing to do with the connection. */
const PASSING: readonly string[] = ['SQLITE_FULL', 'SQLITE_BUSY'];

/** Why the store is degraded. */
export interface Failure {
  /** Of SQLite, or an errno. */
  readonly code: string;
  readonly message: string;
  /** Since when it is, ms since the epoch. */
  readonly since: number;
  /** The connection is not at fault, and will do once the cause is gone. */
  readonly sound: boolean;
}

/** What was thrown, as a failure. */
export function failureOf(error: unknown, since: number): Failure {
  const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
  return { code, message, since, sound: isRefusal(error) || PASSING.includes(code) };
}

/** How a failure is told. `evidence`: what else is known. */
export function degradedReason({ code, message, since }: Failure, evidence: object): Reason {
  const told = `the store cannot be written (${code}): ${message}`;
  return reason('STORE_DEGRADED', told, { error: code, since, ...evidence });
}

/** How it is told that a database was set aside. */
export function lossReason(setAside: string, damage: string): Reason {
  const told = `the database was damaged (${damage}) and is now ${setAside}`;
  return reason('STORE_DEGRADED', told, { set_aside: setAside });
}
