/**
 * Planted faults: each is the machine with one thing wrong, of the kind that supervisors have had. The explorer must
 * find every one of them, or it proves nothing about the machine without them.
 */
import type { JobEvent, JobEventType } from '../../../core/job/event.ts';
import { deadlineOf, type Job, type Phase } from '../../../core/job/job.ts';
import { transition } from '../../../core/job/machine.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import type { Context, Step } from '../../../core/job/step.ts';
import { TABLE, type Table } from '../../../core/job/table.ts';
import { aPolicy } from './builders.ts';
import type { Machine } from './explorer.ts';
import type { Invariant } from './invariants.ts';

/** A machine with a fault in it. */
export interface Mutant {
  readonly name: string;
  /** What the fault breaks first. */
  readonly breaks: Invariant;
  readonly policy: JobPolicy;
  readonly machine: Machine;
}

/** The table with one cell in another's place. */
function cell<P extends Phase, T extends JobEventType>(phase: P, type: T, value: Table[P][T]): Machine {
  const table: Table = { ...TABLE, [phase]: { ...TABLE[phase], [type]: value } };
  return (job, event, context) => transition(job, event, context, table);
}

/** Another outcome of one cell. */
function outcome(phase: Phase, type: JobEventType, change: (step: Step, job: Job) => Step): Machine {
  return (job, event, context) => {
    const step = transition(job, event, context);
    return step.verdict === 'taken' && job.phase === phase && event.type === type ? change(step, job) : step;
  };
}

/** Effects of one type that are never carried out. */
function without(type: Step['effects'][number]['type']): Machine {
  return (job, event, context) => {
    const step = transition(job, event, context);
    return { ...step, effects: step.effects.filter((effect) => effect.type !== type) };
  };
}

/** The event as something in front of the machine has twisted it. */
function twisted(type: JobEventType, twist: (event: JobEvent, job: Job) => JobEvent): Machine {
  return (job, event, context) => transition(job, event.type === type ? twist(event, job) : event, context);
}

/** The context as something in front of the machine has twisted it. */
function inContext(type: JobEventType, twist: (context: Context, job: Job) => Context): Machine {
  return (job, event, context) => transition(job, event, event.type === type ? twist(context, job) : context);
}

/** An event of the past made to look as if it were of now. */
function asIfOfNow(event: JobEvent, job: Job): JobEvent {
  if ('epoch' in event) return { ...event, epoch: job.epoch };
  return 'incarnation' in event ? { ...event, incarnation: job.restart_count } : event;
}

function amended(step: Step, changes: Partial<Job>): Step {
  return { ...step, job: { ...step.job, ...changes } as Job };
}

const PROCESS = aPolicy();
const ONESHOT = aPolicy({ process: false, awaits_ready: false });
const NO_CLAIMS = aPolicy({ awaits_ready: false });
const NEVER = aPolicy({ awaits_ready: false }, { policy: 'never' });

/** The faults. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no deadline after a failed spawn',
    breaks: 'never stuck',
    policy: PROCESS,
    machine: outcome('preparing', 'spawn_failed', (step) => {
      if (step.job.phase !== 'retrying') return step;
      const { deadline: _lost, ...job } = step.job;
      return { ...step, job: job as Job };
    }),
  },
  {
    name: 'no check of epochs and incarnations',
    breaks: 'no impossible cell',
    policy: PROCESS,
    machine: (job, event, context) => transition(job, asIfOfNow(event, job), context),
  },
  {
    name: 'an exit of an earlier incarnation is taken for one of the latest',
    breaks: 'nothing alive is forgotten',
    policy: PROCESS,
    machine: twisted('exited', asIfOfNow),
  },
  {
    name: 'a `prepared` of an earlier epoch is taken',
    breaks: 'no request that nobody waits for',
    policy: PROCESS,
    machine: twisted('prepared', (event, job) => (job.phase === 'preparing' ? asIfOfNow(event, job) : event)),
  },
  {
    name: 'a `ready` of an earlier epoch is taken',
    breaks: 'running means ready',
    policy: PROCESS,
    machine: twisted('ready', (event, job) => (job.phase === 'starting' ? asIfOfNow(event, job) : event)),
  },
  {
    name: 'down is lost in backoff: it is noted, and the next try comes all the same',
    breaks: 'nothing is spawned while it is wanted down',
    policy: PROCESS,
    machine: cell('retrying', 'want', TABLE.running.want as Table['retrying']['want']),
  },
  {
    name: 'a stop in backoff is not heard at all',
    breaks: 'only a command changes what is wanted',
    policy: PROCESS,
    machine: cell('retrying', 'want', 'ignore'),
  },
  {
    name: 'the main process is gone, and its group is not waited for',
    breaks: 'nothing alive is forgotten',
    policy: PROCESS,
    machine: twisted('exited', (event) => ({ ...event, group_alive: false }) as JobEvent),
  },
  {
    name: 'reclaim is not waited for',
    breaks: 'never two live incarnations',
    policy: PROCESS,
    machine: (job, event, context) => {
      const late = event.type === 'blocked' && event.epoch === job.epoch;
      return transition(job, late ? { type: 'prepared', epoch: job.epoch } : event, context);
    },
  },
  {
    name: 'a manual start begins to count anew',
    breaks: 'restart_count never falls',
    policy: PROCESS,
    machine: outcome('stopped', 'want', (step) => amended(step, { restart_count: 0 })),
  },
  {
    name: 'upkeep comes back to a spawn and does not count it',
    breaks: 'restart_count counts the spawns',
    policy: PROCESS,
    machine: outcome('preparing', 'recovered', (step, { restart_count, started_at }) =>
      amended(step, { restart_count, started_at }),
    ),
  },
  {
    name: 'upkeep comes back to a spawn and does not look for its process',
    breaks: 'nothing alive is forgotten',
    policy: PROCESS,
    machine: (job, event, context) => {
      const blind = event.type === 'recovered' && job.phase === 'preparing';
      return transition(job, blind ? { ...event, found: null } : event, context);
    },
  },
  {
    name: 'upkeep comes back to a dead main process and does not look for its group',
    breaks: 'nothing alive is forgotten',
    policy: PROCESS,
    machine: twisted('recovered', (event, job) =>
      'identity' in job ? ({ ...event, rebooted: true } as JobEvent) : event,
    ),
  },
  {
    name: 'what was recorded before a reboot is signalled after it',
    breaks: 'only what was really spawned is signalled',
    policy: PROCESS,
    machine: twisted('recovered', (event) => ({ ...event, rebooted: false }) as JobEvent),
  },
  {
    name: 'what is adopted is not watched',
    breaks: 'never stuck',
    policy: NO_CLAIMS,
    machine: without('adopt'),
  },
  {
    name: 'nobody looks whether it is ready',
    breaks: 'it comes up in the end',
    policy: PROCESS,
    machine: without('watch_ready'),
  },
  {
    name: 'started is taken for ready',
    breaks: 'running means ready',
    policy: PROCESS,
    machine: inContext('spawned', (context) => ({ ...context, policy: NO_CLAIMS })),
  },
  {
    name: 'a shutdown changes what is wanted',
    breaks: 'only a command changes what is wanted',
    policy: PROCESS,
    machine: outcome('pending', 'halt', (step) => amended(step, { wanted: 'down' })),
  },
  {
    name: 'a stop does not give up the reclaim under way',
    breaks: 'no request that nobody waits for',
    policy: PROCESS,
    machine: without('abort_prepare'),
  },
  {
    name: 'SIGTERM is all that is ever sent',
    breaks: 'it comes up in the end',
    policy: NO_CLAIMS,
    machine: (job, event, context) => {
      const step = transition(job, event, context);
      const mild = step.effects.map((effect) =>
        effect.type === 'stop_group' ? { ...effect, kill: false } : effect,
      );
      return { ...step, effects: mild };
    },
  },
  {
    name: 'survivors hold a shutdown up',
    breaks: 'a stop ends, whatever survives',
    policy: NO_CLAIMS,
    machine: (job, event, context) => {
      const due = job.phase === 'stopping' && event.type === 'deadline' && context.now >= job.deadline;
      if (!due) return transition(job, event, context);
      const step = transition({ ...job, wanted: 'up' }, event, { ...context, halting: false });
      return amended(step, { wanted: job.wanted });
    },
  },
  {
    name: 'a restart is forgotten while the group of a dead main process is being ended',
    breaks: 'a start that was asked for is never forgotten',
    policy: NEVER,
    machine: cell('stopping', 'restart', TABLE.pending.restart as Table['stopping']['restart']),
  },
  {
    name: 'a start begins while upkeep goes down',
    breaks: 'never stuck',
    policy: NO_CLAIMS,
    machine: inContext('want', (context) => ({ ...context, halting: false })),
  },
  {
    name: 'a oneshot that got done while it was being stopped is run again',
    breaks: 'a oneshot that succeeded never runs again',
    policy: ONESHOT,
    machine: (job, event, context) => {
      const forgets = job.phase === 'stopping' && event.type === 'group_gone' && job.cause === 'requested';
      return transition(forgets ? { ...job, exit_code: null } : job, event, context);
    },
  },
  {
    name: 'a timer that was moved still goes off',
    breaks: 'nothing acts before its time',
    policy: PROCESS,
    machine: inContext('deadline', (context, job) => ({ ...context, now: deadlineOf(job) ?? context.now })),
  },
  {
    name: 'the backoff is reckoned from the wall clock',
    breaks: 'a deadline lies in the future and can be rebuilt',
    policy: PROCESS,
    machine: inContext('spawn_failed', (context) => ({ ...context, now: context.wall })),
  },
  {
    name: 'upkeep comes back and forgets a pause',
    breaks: 'nothing acts before its time',
    policy: PROCESS,
    machine: cell('retrying', 'recovered', TABLE.stopped.recovered as Table['retrying']['recovered']),
  },
  {
    name: 'a pause is taken up again without an end',
    breaks: 'a deadline lies in the future and can be rebuilt',
    policy: PROCESS,
    machine: outcome('retrying', 'recovered', (step, job) =>
      job.phase === 'retrying' ? amended(step, { ...job, epoch: job.epoch + 1, deadline: 0 }) : step,
    ),
  },
  {
    name: 'the epoch does not rise when the program starts',
    breaks: 'the epoch rises with every phase entry, and only then',
    policy: PROCESS,
    machine: outcome('preparing', 'spawned', (step, { epoch }) => amended(step, { epoch })),
  },
  {
    name: 'the identity of the last incarnation is kept for the next',
    breaks: 'a phase with a process has its identity',
    policy: NO_CLAIMS,
    machine: outcome('preparing', 'spawned', (step, { last_identity }) =>
      last_identity === null ? step : amended(step, { identity: last_identity } as Partial<Job>),
    ),
  },
  {
    name: 'it is given up where the policy says always',
    breaks: 'an end is an end',
    policy: PROCESS,
    machine: inContext('spawn_failed', (context) => ({ ...context, policy: NEVER })),
  },
];
