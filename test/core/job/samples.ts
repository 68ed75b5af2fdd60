/** A job in each phase, and everything that can be told to one: the words of the machine's specification. */
import type { ExitStatus } from '../../../core/host/host.ts';
import type { JobEvent } from '../../../core/job/event.ts';
import type { Job, JobIn, Phase, PhaseState } from '../../../core/job/job.ts';
import { transition } from '../../../core/job/machine.ts';
import { reason } from '../../../core/job/reason.ts';
import type { Context, Step } from '../../../core/job/step.ts';
import { exitReason } from '../../../core/process/exit.ts';
import { aContext, aJob, anIdentity, aPolicy } from './builders.ts';

export const IDENTITY = anIdentity();
export const NOW = aContext().now;
export const WALL = aContext().wall;
export const HELD = reason('PORT_HELD', 'tcp:8080 is held by nc (pid 7)');
export const MISSING = reason('COMMAND_NOT_FOUND', 'no such program: worker');
export const LOST = reason('CLAIM_LOST', 'tcp:8080 is not held any more');
export const ASKED = reason('REQUESTED', 'restart requested');

export const CLEAN: ExitStatus = { exit_code: 0, exit_signal: null };
export const FAILED: ExitStatus = { exit_code: 3, exit_signal: null };
export const KILLED: ExitStatus = { exit_code: null, exit_signal: 'SIGKILL' };

const SAMPLES: { readonly [P in Phase]: Extract<PhaseState, { phase: P }> } = {
  pending: { phase: 'pending' },
  preparing: { phase: 'preparing', step: 'reclaim', deadline: NOW + 50_000 },
  starting: { phase: 'starting', identity: IDENTITY, deadline: NOW + 30_000 },
  running: { phase: 'running', identity: IDENTITY, stable: false, deadline: NOW + 10_000 },
  stopping: {
    phase: 'stopping',
    identity: IDENTITY,
    main_alive: true,
    cause: 'requested',
    was_stable: false,
    escalation: 'term',
    deadline: NOW + 10_000,
  },
  retrying: { phase: 'retrying', deadline: NOW + 100, next_attempt_at: WALL + 100, in_order: false },
  stopped: { phase: 'stopped' },
  succeeded: { phase: 'succeeded' },
  failed: { phase: 'failed' },
};

export function inPhase<P extends Phase>(
  phase: P,
  fields: object = {},
  changes: Partial<Job> = {},
): JobIn<P> {
  return aJob({ ...SAMPLES[phase], ...fields } as PhaseState, changes) as JobIn<P>;
}

export function spawning(changes: Partial<Job> = {}): Job {
  const state = { phase: 'preparing', step: 'spawn', incarnation: 0 } as const;
  return aJob(state, changes);
}

export const up: JobEvent = { type: 'want', wanted: 'up' };
export const down: JobEvent = { type: 'want', wanted: 'down' };
export const restart: JobEvent = { type: 'restart', reason: ASKED };

export function exit(job: Job, status: ExitStatus, group_alive = false): JobEvent {
  return { type: 'exited', incarnation: job.restart_count, group_alive, status, reason: exitReason(status) };
}

export function gone(job: Job): JobEvent {
  return { type: 'group_gone', incarnation: job.restart_count };
}

export function due(job: Job): JobEvent {
  return { type: 'deadline', epoch: job.epoch };
}

/** What upkeep finds when it comes back; nothing, unless a test says otherwise. */
export function recovered(found: Partial<Extract<JobEvent, { type: 'recovered' }>> = {}): JobEvent {
  return { type: 'recovered', found: null, status: null, rebooted: false, ...found };
}

/** After its deadline, where the event is one. */
export function tell(job: Job, event: JobEvent, changes: Partial<Context> = {}): Step {
  const now = event.type === 'deadline' && 'deadline' in job ? (job.deadline ?? NOW) : NOW;
  return transition(job, event, aContext({ now, ...changes }));
}

export function effects(step: Step): string[] {
  return step.effects.map((effect) => (effect.type === 'stop_group' && effect.kill ? 'kill' : effect.type));
}

export const ONESHOT = aPolicy({ process: false, awaits_ready: false });
export const NO_CLAIMS = aPolicy({ awaits_ready: false });
export const NEVER = aPolicy({}, { policy: 'never' });
export const ON_FAILURE = aPolicy({}, { policy: 'on_failure' });
