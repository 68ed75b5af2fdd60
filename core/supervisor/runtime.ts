/**
 * What the supervisor keeps in memory for each service and each job beside their records.
 */
import type { FileId } from '../host/host.ts';
import type { Job, Wanted } from '../job/job.ts';
import type { JobPolicy } from '../job/policy.ts';
import type { LogJob } from '../log/mod.ts';
import type { ActionSpec, ServiceSpec } from '../spec/mod.ts';
import type { Actor, RunRow, ServiceRow } from '../store/records.ts';

/** A job of the current run of its service. */
export interface JobRuntime {
  job: Job;
  spec: ActionSpec;
  policy: JobPolicy;
  log: LogJob;
  /** Sessions seen in the tree of the current incarnation: what stops and sweeps can find it by. */
  sessions: Set<number>;
  /** Logs of earlier incarnations that may still have writers. */
  unreleased: readonly FileId[];
  /** The start time of a process that would have begun when the current incarnation was spawned; null: not known. */
  spawned_at: number | null;
  /** The current incarnation was signalled by us, so that its death needs no further explanation. */
  signalled: boolean;
  /** The group of the current incarnation was empty when its main process had ended. */
  group_gone: boolean;
  /** Ends the reclaim that is under way. */
  abort: AbortController | null;
  /** The number of the job's latest event: the cause of the next. */
  last_event: number | null;
}

/** A service with the jobs of its run, in the order of its actions. */
export interface ServiceRuntime {
  row: ServiceRow;
  spec: ServiceSpec;
  run: RunRow | null;
  jobs: JobRuntime[];
  /** It left the service file: it is stopped, then forgotten. */
  leaving: boolean;
}

/**
 * What is wanted of a service now. One that leaves the file goes down whatever its row says, which stays as it is:
 * back in the file, the service goes on as the user had wanted it.
 */
export function wantedOf(service: ServiceRuntime): Wanted {
  return service.leaving ? 'down' : service.row.wanted;
}

/** A run has begun and is not over. */
export function isInRun({ run }: ServiceRuntime): boolean {
  return run !== null && run.finished_at === null;
}

/** Who or what made something happen. */
export interface Origin {
  readonly actor: Actor;
  /** The number of the event that did. */
  readonly cause: number | null;
}

/** upkeep itself. */
export const CORE: Origin = { actor: 'core', cause: null };
