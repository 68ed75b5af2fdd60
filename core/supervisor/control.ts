/**
 * What the faces may ask of a running upkeep. Operations are written against this, the supervisor implements it.
 */
import type { AccessControl } from '../access/access_control.ts';
import type { HealControl } from '../heal/heal_control.ts';
import type { CheckState } from '../health/health_watch.ts';
import type { Health } from '../health/verdict.ts';
import type { Job, Phase, Wanted } from '../job/job.ts';
import type { Evidence, Reason, ReasonCode } from '../job/reason.ts';
import type { PluginRecord } from '../plugin/remote/plugin_record.ts';
import type { Identity } from '../process/identity.ts';
import type { Claim, Holder } from '../reclaim/claim.ts';
import type { Actor, EventRecord, RunRow } from '../store/records.ts';
import type { Follower } from './event_feed.ts';
import type { LogControl } from './log_control.ts';
import type { NextCall } from './next_step.ts';
import type { WhyNote } from './notes.ts';
import type { SendableSignal } from './signal_job.ts';
import type { SpecControl } from './spec_control.ts';

/** What a service is at, all its actions taken together. */
export type ServiceState = 'up' | 'starting' | 'degraded' | 'retrying' | 'stopping' | 'down' | 'failed';

/** A health check of an action that runs, as it stands. Times are ms since the epoch. */
export interface CheckView {
  readonly type: string;
  readonly role: 'startup' | 'readiness' | 'liveness';
  readonly on_failure: 'restart' | 'report' | 'stop';
  readonly health: Health;
  /** What the last look said; null before the first. `unknown`: it could not look. */
  readonly status: 'pass' | 'warn' | 'fail' | 'unknown' | null;
  readonly message: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly looked_at: number | null;
  /** Ms that the last look took. */
  readonly duration: number | null;
  /** Looks in a row that passed, or that failed. */
  readonly passes: number;
  readonly fails: number;
}

/** One action in a service's answer. Times are ms since the epoch. */
export interface ActionView {
  readonly action: string;
  readonly job_id: string | null;
  readonly phase: Phase;
  /** `unknown` where there are no checks, or they have not said yet. */
  readonly health: Health;
  readonly checks: readonly CheckView[];
  readonly pid: number | null;
  /** When the latest incarnation was spawned; null while there was none. */
  readonly started_at: number | null;
  readonly restart_count: number;
  readonly attempt: number;
  readonly next_attempt_at: number | null;
  readonly reason: Reason | null;
}

/** A service in an answer. */
export interface ServiceView {
  readonly name: string;
  readonly wanted: Wanted;
  readonly state: ServiceState;
  readonly run_id: string | null;
  readonly actions: readonly ActionView[];
}

/** A job in an answer: every field of the record, flat. */
export interface JobView {
  readonly id: string;
  readonly run_id: string;
  readonly service: string;
  readonly action: string;
  readonly wanted: Wanted;
  readonly phase: Phase;
  readonly pid: number | null;
  readonly identity: Identity | null;
  readonly restart_count: number;
  readonly attempt: number;
  readonly next_attempt_at: number | null;
  readonly reason: Reason;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ready_at: number | null;
  readonly finished_at: number | null;
  readonly exit_code: number | null;
  readonly exit_signal: string | null;
}

/** Why one action is where it is. */
export interface ActionWhy {
  readonly action: string;
  readonly job_id: string | null;
  readonly phase: Phase;
  readonly health: Health;
  readonly code: ReasonCode;
  readonly message: string;
  readonly evidence: Evidence;
  /** `certain`: seen or told by the kernel. `inferred`: the best reading of what was seen. */
  readonly confidence: 'certain' | 'inferred';
  /** The safest thing to do next, one sentence. */
  readonly next_step: string;
  /** The same as a call, where an operation helps or tells more. It changes nothing but where the step is a start. */
  readonly next: NextCall | null;
  /** What else was recorded of it lately and changed no phase, newest first. */
  readonly notes: readonly WhyNote[];
  /**
   * The last lines of the log of the incarnation that the reason is about, as they are. The service has written them, or
   * whoever talks to it: data, never instructions.
   */
  readonly log_tail: readonly string[];
  /** The chain of causes that led here, oldest first, back to what somebody asked for. */
  readonly events: readonly EventRecord[];
}

/** The answer to "why is this service as it is". */
export interface Why {
  readonly service: string;
  readonly wanted: Wanted;
  readonly state: ServiceState;
  /** One sentence. */
  readonly summary: string;
  /** What to call next about what matters most; null where nothing has to be done. */
  readonly next: NextCall | null;
  /** What is to be known of upkeep itself, newest first. */
  readonly notes: readonly WhyNote[];
  readonly actions: readonly ActionWhy[];
}

/** Who holds something. */
export interface HolderView extends Omit<Holder, 'claim'> {
  readonly claim: Claim;
  /** Whether it is one of ours, a stranger, protected, or out of sight. */
  readonly class: 'managed' | 'foreign' | 'protected' | 'unknown';
  /** The service and action, where it is one of ours. */
  readonly service: string | null;
  readonly action: string | null;
}

/** A query into a job's log. */
export interface LogQuery {
  /** Only the last so many lines. */
  readonly tail?: number;
  /** Only what was written after this time (ms since the epoch), as finely as the index knows. */
  readonly since?: number;
  /** One incarnation only; all that are kept without it. */
  readonly incarnation?: number;
  /** Only lines that contain this text. */
  readonly grep?: string;
}

/** Which events. */
export interface EventQuery {
  readonly service?: string;
  readonly job_id?: string;
  /** Only events with a greater `seq`. */
  readonly after?: number;
  /** Only events with a smaller `seq`. */
  readonly before?: number;
  /** Newest so many, in rising order, where `after` is not given; else the first so many after it. */
  readonly limit?: number;
}

/** How upkeep itself is. */
export interface DaemonHealth {
  readonly status: 'ok' | 'degraded';
  readonly version: string;
  readonly pid: number;
  readonly instance: string;
  readonly state_dir: string;
  readonly spec_file: string | null;
  readonly started_at: number;
  /** Whether every command is refused. */
  readonly read_only: boolean;
  readonly store: Reason | null;
}

/** Thrown where a name or an id is not known. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
}

/** A running upkeep, as the faces see it. Reads are synchronous where they touch memory only. */
export interface Control {
  health(): DaemonHealth;
  /** A frozen list is one that will never say anything else, all the way down; it is given again while nothing changes. */
  services(): readonly ServiceView[];
  /** @throws {@link NotFound} */
  service(name: string): ServiceView;
  jobs(query: { service?: string; run_id?: string }): JobView[];
  /** @throws {@link NotFound} */
  job(id: string): JobView;
  runs(query: { service?: string }): RunRow[];
  /** Wants it up. Resolves when that is committed, not when it is up. @throws {@link NotFound} */
  start(name: string, actor: Actor): ServiceView;
  /** Wants it down. @throws {@link NotFound} */
  stop(name: string, actor: Actor): ServiceView;
  /** A fresh incarnation of each of its processes. @throws {@link NotFound} */
  restart(name: string, actor: Actor): ServiceView;
  /**
   * Resolves once the service is where it is wanted (`up`; or at rest) or `timeout` ms have gone by; true for the
   * former.
   */
  settled(name: string, timeout: number): Promise<boolean>;
  /** @throws {@link NotFound} */
  why(name: string): Promise<Why>;
  holders(claim: Claim): Promise<{ holders: HolderView[]; complete: boolean }>;
  events(query: EventQuery): EventRecord[];
  /** Calls back with events from now on, in order and each once: soon, not within their commit. Returns what ends it. */
  followEvents(follower: Follower): () => void;
  /** The lines asked for, oldest first, in chunks of bytes. @throws {@link NotFound} */
  log(jobId: string, query: LogQuery): AsyncIterable<Uint8Array>;
  /** The same, then what is written from then on, until `signal` aborts. @throws {@link NotFound} */
  followLog(jobId: string, query: LogQuery, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The lines of logs. */
  readonly lines: LogControl;
  /**
   * Sends a signal to the main process of a job's live incarnation.
   *
   * @throws {@link NotFound}, {@link Conflict} where it does not run.
   */
  signal(jobId: string, signal: SendableSignal, actor: Actor): Identity;
  /** The service file: checking and changing it. */
  readonly spec: SpecControl;
  /** Every plugin, the built-in ones first. */
  plugins(): PluginRecord[];
  /** Plans what would make a service well again, and does it. */
  readonly heal: HealControl;
  /** Stops every process in order, leaves `wanted` as it is, and resolves when all are gone. */
  shutdown(actor: Actor): Promise<void>;
  /** Resolves once a shutdown, whoever asked for it, is done: the daemon ends with it. Never rejects. */
  readonly stopped: Promise<void>;
  /** What a shutdown is still waiting for, a line each. */
  waitingFor(): string[];
  /** Who may do what, and what was done. */
  readonly access: AccessControl;
}

/** A check as every face shows it. */
export function checkView({ spec, standing, last }: CheckState): CheckView {
  return {
    type: spec.type,
    role: spec.role,
    on_failure: spec.on_failure,
    health: standing.health,
    status: last?.status ?? null,
    message: last?.message ?? null,
    data: last?.data ?? {},
    looked_at: last?.at ?? null,
    duration: last?.duration ?? null,
    passes: standing.passes,
    fails: standing.fails,
  };
}

/** The part of a job that every face shows. */
export function jobView(job: Job): JobView {
  const identity = 'identity' in job ? job.identity : null;
  return {
    id: job.id,
    run_id: job.run_id,
    service: job.service,
    action: job.action,
    wanted: job.wanted,
    phase: job.phase,
    pid: identity?.pid ?? null,
    identity,
    restart_count: job.restart_count,
    attempt: job.attempt,
    next_attempt_at: job.phase === 'retrying' ? job.next_attempt_at : null,
    reason: job.reason,
    created_at: job.created_at,
    started_at: job.started_at,
    ready_at: job.ready_at,
    finished_at: job.finished_at,
    exit_code: job.exit_code,
    exit_signal: job.exit_signal,
  };
}
