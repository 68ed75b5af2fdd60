/**
 * What can happen to a job, and what the machine asks for in return.
 *
 * A reply to an effect carries the `epoch` of the phase that asked; an observation of a process carries its
 * `incarnation`. Whatever is older than the job is dropped before it reaches the table.
 */
import type { ExitStatus } from '../host/host.ts';
import type { Identity } from '../process/identity.ts';
import type { Wanted } from './job.ts';
import type { Reason } from './reason.ts';

/** The payload of each event, by its name. */
export interface EventPayloads {
  /** The user wants it up or down. Up also means: try now, and forget failed tries. */
  want: { readonly wanted: Wanted };
  /** The user wants a fresh incarnation. */
  restart: { readonly reason: Reason };
  /** upkeep itself is going down; `wanted` stays as it is. */
  halt: object;
  /** Nothing stands in the way any more: what it depends on is up, or what depends on it is down. */
  cleared: object;
  /** What it waits for while pending. */
  waiting: { readonly reason: Reason };
  /** Reply to `prepare`: the claims are free. */
  prepared: { readonly epoch: number };
  /** Reply to `prepare`: something may not be reclaimed, or could not be seen. */
  blocked: { readonly epoch: number; readonly reason: Reason };
  /** Reply to `spawn`. */
  spawned: { readonly epoch: number; readonly identity: Identity };
  /** Reply to `spawn`: the program did not start. */
  spawn_failed: { readonly epoch: number; readonly reason: Reason };
  /** Reply to `watch_ready`: every claim is held by the job's own tree, and every check that counts has passed. */
  ready: { readonly epoch: number };
  /** The main process ended. `group_alive`: others of its group go on. */
  exited: {
    readonly incarnation: number;
    readonly group_alive: boolean;
    readonly status: ExitStatus;
    /** The status in words, and what else is known of the end: out of memory, no such command. */
    readonly reason: Reason;
  };
  /** Nothing is left of the incarnation: main process, group and escapees. */
  group_gone: { readonly incarnation: number };
  /**
   * It runs and must not go on so: a claim was lost, a health check failed. `give_up`: it is not tried again until
   * somebody starts it.
   */
  faulted: { readonly epoch: number; readonly reason: Reason; readonly give_up: boolean };
  /** A look at its health failed where the last one had passed, or the other way round. */
  suspected: { readonly epoch: number; readonly suspect: boolean };
  /** The time that the job was waiting for has come. */
  deadline: { readonly epoch: number };
  /**
   * upkeep has come back and looked. `found`: the live main process of the newest incarnation. `status`: what a
   * oneshot left in its status file. `rebooted`: the machine was started since.
   */
  recovered: {
    readonly found: { readonly identity: Identity; readonly incarnation: number } | null;
    readonly status: ExitStatus | null;
    readonly rebooted: boolean;
  };
}

/** The name of an event. */
export type JobEventType = keyof EventPayloads;

/** An event of type `T`. */
export type JobEventOf<T extends JobEventType> = { readonly type: T } & EventPayloads[T];

/** Something that happened to a job. */
export type JobEvent = { [T in JobEventType]: JobEventOf<T> }[JobEventType];

/** Every event's name. */
export const JOB_EVENTS = [
  'want',
  'restart',
  'halt',
  'cleared',
  'waiting',
  'prepared',
  'blocked',
  'spawned',
  'spawn_failed',
  'ready',
  'exited',
  'group_gone',
  'faulted',
  'suspected',
  'deadline',
  'recovered',
] as const satisfies readonly JobEventType[];

/** What the shell is asked to do. Each is done after the job is committed. */
export type JobEffect =
  /** Run reclaim; reply `prepared` or `blocked`. */
  | { readonly type: 'prepare'; readonly epoch: number }
  /** Give up the reclaim that is under way; no reply. */
  | { readonly type: 'abort_prepare' }
  /** Start the program; reply `spawned` or `spawn_failed`. */
  | { readonly type: 'spawn'; readonly epoch: number; readonly incarnation: number }
  /** Look until the claims are held by the job's own tree and its checks have passed; reply `ready`. */
  | { readonly type: 'watch_ready'; readonly epoch: number }
  /** Keep the process that an earlier upkeep started: watch it for its exit. */
  | { readonly type: 'adopt'; readonly identity: Identity; readonly incarnation: number }
  /** Signal the group and what escaped it, and go on looking; reply `group_gone`. `kill`: with SIGKILL. */
  | {
      readonly type: 'stop_group';
      readonly identity: Identity;
      readonly incarnation: number;
      readonly kill: boolean;
    };
