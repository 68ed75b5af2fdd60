/**
 * The job: one action in one run, and the total list of the states it can be in.
 *
 * There are two axes and no flags. `wanted` is what the user wants; `phase` is what is so. What only one phase
 * needs is a field of that phase alone, so a pid without a process, or a deadline nobody waits for, cannot be
 * written down:
 *
 * | phase       | means                                                     | ends by                          |
 * |-------------|-----------------------------------------------------------|----------------------------------|
 * | `pending`   | waits for what it depends on                              | its dependencies, or a stop      |
 * | `preparing` | makes its claims free (`reclaim`), then is being spawned (`spawn`) | the reply, or its deadline |
 * | `starting`  | runs, does not hold its claims yet                        | readiness, its exit, its deadline|
 * | `running`   | runs and is ready                                         | its exit, a fault, a stop        |
 * | `stopping`  | its group is being ended                                  | the group's end, escalation      |
 * | `retrying`  | waits until `deadline`                                    | its deadline, or a stop          |
 * | `stopped`   | nothing runs                                              | a start                          |
 * | `succeeded` | it is done, and that is what was wanted                   | a new run                        |
 * | `failed`    | it is not tried any more                                  | a start                          |
 *
 * Restart is not among them: it is "`wanted` stays up while `stopping`".
 */
import type { Identity } from '../process/identity.ts';
import type { Reason } from './reason.ts';

/** What the user wants. Stored, never inferred. */
export type Wanted = 'up' | 'down';

/** What every job has, whatever its phase. Times are ms since the epoch. */
export interface JobBase {
  readonly id: string;
  readonly run_id: string;
  readonly service: string;
  readonly action: string;
  readonly wanted: Wanted;
  /** Rises on every phase entry; a reply to an older one is dropped. */
  readonly epoch: number;
  /** How many times the program was started again in this job: the number of the latest incarnation. */
  readonly restart_count: number;
  /** The current streak of failed tries. */
  readonly attempt: number;
  /** Why it is where it is. */
  readonly reason: Reason;
  readonly created_at: number;
  /** When the latest incarnation was spawned; null while there was none. */
  readonly started_at: number | null;
  /** When the latest incarnation became ready. */
  readonly ready_at: number | null;
  /** When the latest incarnation ended. */
  readonly finished_at: number | null;
  readonly exit_code: number | null;
  readonly exit_signal: string | null;
  /** What the latest spawn was decided from: the policy's `spec_digest` of then. Null before the first. */
  readonly spec_digest: string | null;
  /** The process of the latest incarnation, dead or alive: what reclaim knows as its own. */
  readonly last_identity: Identity | null;
}

/** Why a job is being stopped, which says what comes next where it is still wanted up. */
export type StopCause =
  /** Somebody asked: a stop, a restart, a shutdown. */
  | 'requested'
  /** It was not ready in time, lost a claim, or was found ill. */
  | 'fault'
  /** The same, and it is not to be tried again until somebody starts it. */
  | 'given_up'
  /** Its main process ended by itself and left others of its group behind. */
  | 'exit'
  /** Its main process ended while upkeep was not there, and may have left others behind. */
  | 'lost';

/** How far the ending of a group has come. */
export type Escalation = 'term' | 'kill' | 'survived';

/** The fields of each phase. `deadline` is monotonic ms. */
export type PhaseState =
  | { readonly phase: 'pending' }
  | { readonly phase: 'preparing'; readonly step: 'reclaim'; readonly deadline: number }
  | { readonly phase: 'preparing'; readonly step: 'spawn'; readonly incarnation: number }
  | { readonly phase: 'starting'; readonly identity: Identity; readonly deadline: number }
  | {
      readonly phase: 'running';
      readonly identity: Identity;
      /**
       * It has been up, and well, for `stable_after`; until then `deadline` says when it will have been. Both false and
       * null while its health is in doubt.
       */
      readonly stable: boolean;
      readonly deadline: number | null;
    }
  | {
      readonly phase: 'stopping';
      readonly identity: Identity;
      readonly main_alive: boolean;
      readonly cause: StopCause;
      readonly was_stable: boolean;
      readonly escalation: Escalation;
      readonly deadline: number;
    }
  | {
      readonly phase: 'retrying';
      readonly deadline: number;
      /** The same in ms since the epoch: for people, and for the next upkeep. */
      readonly next_attempt_at: number;
      /** upkeep was away since it last ran, and with it may be gone what it depends on: it takes its turn then. */
      readonly in_order: boolean;
    }
  | { readonly phase: 'stopped' }
  | { readonly phase: 'succeeded' }
  | { readonly phase: 'failed' };

/** A phase's name. */
export type Phase = PhaseState['phase'];

/** A job in some phase. */
export type Job = JobBase & PhaseState;

/** A job in phase `P`. */
export type JobIn<P extends Phase> = JobBase & Extract<PhaseState, { phase: P }>;

/** Every phase, in the order in which a healthy job goes through them. */
export const PHASES = [
  'pending',
  'preparing',
  'starting',
  'running',
  'stopping',
  'retrying',
  'stopped',
  'succeeded',
  'failed',
] as const satisfies readonly Phase[];

/** The process that a job has now; null in the phases that have none. */
export function identityOf(job: Job): Identity | null {
  return 'identity' in job ? job.identity : null;
}

/** When the job wants to be woken (monotonic ms); null where no time matters to it. */
export function deadlineOf(job: Job): number | null {
  return 'deadline' in job ? job.deadline : null;
}

/** True where nothing of the job runs and nothing is on its way. */
export function atRest(job: Job): boolean {
  return job.phase === 'stopped' || job.phase === 'succeeded' || job.phase === 'failed';
}

/** The number that the next spawn gets. */
export function nextIncarnation(job: Job): number {
  return job.started_at === null ? 0 : job.restart_count + 1;
}
