/**
 * What the plan is made from: facts, and nothing that could be looked up again.
 */
import type { Claim, SocketClaim } from './claim.ts';
import type { FileStamp } from './file_stamp.ts';
import type { KnownProcess } from './holder_class.ts';
import type { PidFile } from './pid_file.ts';

/** A process that holds a claim; `process` null where it cannot be seen. */
export interface ObservedHolder {
  readonly process: KnownProcess | null;
  /** The address it is bound to, where it is a port. */
  readonly address: string | null;
}

/**
 * A claim and what it is at. `own` false: only `kill_other` lists it. `sign` is what tells the state.
 *
 * - `stale`: a dead socket's file.
 * - `held`: in use; `holders` is empty where nobody was seen.
 * - `unclear`: nothing says that it is in use, and nothing that it is free.
 */
export type ObservedClaim = { readonly own: boolean } & (
  | { readonly state: 'free'; readonly claim: Claim }
  | { readonly state: 'stale'; readonly claim: SocketClaim; readonly stamp: FileStamp }
  | { readonly state: 'not_a_socket'; readonly claim: SocketClaim; readonly found: string }
  | {
      readonly state: 'held';
      readonly claim: Claim;
      readonly sign: string;
      readonly holders: readonly ObservedHolder[];
    }
  | { readonly state: 'unclear'; readonly claim: Claim; readonly sign: string }
);

/** A claim in state `S`. */
export type ObservedClaimIn<S extends ObservedClaim['state']> = Extract<ObservedClaim, { state: S }>;

/** A PID file that names a process. Times are ms since the epoch. */
export interface NamingPidFile extends Extract<PidFile, { state: 'names' }> {
  /** Null: no such process lives. */
  readonly process: KnownProcess | null;
  /** When the process started, by today's clock. */
  readonly started_ms: number;
  /** It has the action's executable and whole argument vector. */
  readonly runs_action: boolean;
}

/** What is at the path of the PID file. */
export type ObservedPidFile = Exclude<PidFile, { state: 'names' }> | NamingPidFile;

/** A process that matches one of `kill_other.process_filters`. */
export interface FilterMatch {
  readonly process: KnownProcess;
  readonly filter: string;
}

/** Everything that was seen. */
export interface Observations {
  readonly pid_file: ObservedPidFile;
  /** Live processes of the last incarnation, whether they hold a claim or not. */
  readonly left_behind: readonly KnownProcess[];
  readonly claims: readonly ObservedClaim[];
  readonly matched: readonly FilterMatch[];
  /** The probe that named the holders; null where none was needed, or none could. */
  readonly probe: string | null;
}
