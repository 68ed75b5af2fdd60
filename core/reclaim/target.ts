/**
 * Whom reclaim works for, and what it may ask about the world.
 */
import type { Host } from '../host/host.ts';
import type { Identity } from '../process/identity.ts';
import type { ActionSpec } from '../spec/mod.ts';
import type { HolderLookUp } from './look_up.ts';

/** A job that is about to be spawned. */
export interface ReclaimTarget {
  readonly action: ActionSpec;
  readonly service: string;
  readonly job_id: string;
  /** The incarnation that is about to be spawned. */
  readonly next_incarnation: number;
  /** Absolute, default resolved. */
  readonly pid_file: string;
  /** The PATH that the program is started with: what its name means. */
  readonly search_path: string;
  /** The main process of the last incarnation, dead or alive; null before the first. */
  readonly last: Identity | null;
  /** Its group was seen to be empty at its end. An empty group stays empty, so nobody has to look again. */
  readonly last_gone: boolean;
}

/** A job by its names. */
export interface JobName {
  readonly service: string;
  readonly action: string;
}

/** What the supervisor lends to reclaim. */
export interface ReclaimWorld {
  readonly host: Host;
  /** Who tells who holds a claim. */
  readonly probes: HolderLookUp;
  /** This upkeep's pid: neither it nor its ancestors are ever stopped. */
  readonly upkeep_pid: number;
  /** This upkeep's name in markers. */
  readonly instance: string;
  /**
   * The job that a session was seen in while the job's tree lived: knows the processes whose environment was wiped.
   */
  jobOfSession(session: number): { readonly job_id: string; readonly incarnation: number } | null;
  /** A job of this instance by its id, of earlier runs too; null where it is not known. */
  describeJob(job_id: string): JobName | null;
}
