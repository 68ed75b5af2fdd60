/** What must hold, by name: on every edge, in every state, and of every state's future. */
import { atRest, deadlineOf, identityOf, type Job } from '../../../core/job/job.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import type { Step } from '../../../core/job/step.ts';
import { sameIdentity } from '../../../core/process/identity.ts';
import type { Move } from './moves.ts';
import { contextOf, isWantedUp, lives, type World } from './world.ts';

/** The names, in the order in which they are checked. */
export const INVARIANTS = [
  'no impossible cell',
  'only a command changes what is wanted',
  'restart_count never falls',
  'the epoch rises with every phase entry, and only then',
  'nothing acts before its time',
  'a deadline lies in the future and can be rebuilt',
  'nothing is spawned while it is wanted down',
  'never two live incarnations',
  'a oneshot that succeeded never runs again',
  'only what was really spawned is signalled',
  'a phase with a process has its identity',
  'restart_count counts the spawns',
  'running means ready',
  'an end is an end',
  'no request that nobody waits for',
  'nothing alive is forgotten',
  'a start that was asked for is never forgotten',
  'never stuck',
  'it comes up in the end',
  'a stop ends, whatever survives',
] as const;

/** One of {@link INVARIANTS}. */
export type Invariant = (typeof INVARIANTS)[number];

/** What is broken by an edge: `before` and `event`, the decision about it. Null where all is well. */
export function brokenByEdge({ world, event }: Move, step: Step, policy: JobPolicy): Invariant | null {
  if (event === null) return null;
  const before = world.job;
  const after = step.job;
  if (step.verdict === 'impossible') return 'no impossible cell';

  const wanted = event.type === 'want' ? event.wanted : event.type === 'restart' ? 'up' : before.wanted;
  if (after.wanted !== wanted) return 'only a command changes what is wanted';

  if (after.restart_count < before.restart_count) return 'restart_count never falls';

  if (!epochIsRight(before, after, event.type === 'recovered')) {
    return 'the epoch rises with every phase entry, and only then';
  }

  const early = event.type === 'deadline' && world.now < (deadlineOf(before) ?? Number.POSITIVE_INFINITY);
  if (early && after !== before) return 'nothing acts before its time';
  const stayed = event.type === 'recovered' && !event.rebooted;
  if (stayed && !pauseIsKept(before, after, world, policy)) return 'nothing acts before its time';

  if (!deadlineIsRight(before, after, world, policy)) {
    return 'a deadline lies in the future and can be rebuilt';
  }

  for (const effect of step.effects) {
    if (effect.type === 'spawn') {
      if (after.wanted === 'down' || world.halting) return 'nothing is spawned while it is wanted down';
      if (lives(world.process) || world.launch !== null) return 'never two live incarnations';
      if (!policy.process && world.process?.main === 'clean') {
        return 'a oneshot that succeeded never runs again';
      }
    }
    if (effect.type === 'stop_group' || effect.type === 'adopt') {
      const { process, boot } = world;
      const here = process !== null && process.identity.boot_id === `boot ${boot}`;
      if (
        !here ||
        !sameIdentity(process.identity, effect.identity) ||
        process.number !== effect.incarnation
      ) {
        return 'only what was really spawned is signalled';
      }
    }
    if (effect.type === 'prepare' && world.reclaim !== null) return 'no request that nobody waits for';
  }
  return null;
}

/** Reasons to wait that are no failure: upkeep looks again at once when it is back. */
const HELD = ['PORT_HELD', 'PROBE_UNAVAILABLE'];

/** A pause that began before upkeep died ends when it was to, unless the machine was started again meanwhile. */
function pauseIsKept(before: Job, after: Job, world: World, policy: JobPolicy): boolean {
  const { wall } = contextOf(world, policy);
  if (before.phase !== 'retrying' || before.next_attempt_at <= wall || !isWantedUp(world)) return true;
  if (HELD.includes(before.reason.code)) return true;
  return after.phase === 'retrying' && after.next_attempt_at === before.next_attempt_at;
}

function epochIsRight(before: Job, after: Job, recovered: boolean): boolean {
  const entered =
    before.phase !== after.phase ||
    (before.phase === 'preparing' && after.phase === 'preparing' && before.step !== after.step);
  if (entered) return after.epoch > before.epoch;
  // upkeep's return, and a command to what is at rest, may enter the same phase anew.
  return after.epoch === before.epoch || (after.epoch > before.epoch && (recovered || atRest(before)));
}

function deadlineIsRight(before: Job, after: Job, world: World, policy: JobPolicy): boolean {
  const deadline = deadlineOf(after);
  if (deadline === null || deadline === deadlineOf(before)) return true;
  const { now, wall } = contextOf(world, policy);
  if (!Number.isFinite(deadline) || deadline <= now) return false;
  return after.phase !== 'retrying' || after.next_attempt_at - wall === deadline - now;
}

/** What is broken in a state of the world in which the daemon lives. */
export function brokenInState(world: World, policy: JobPolicy): Invariant | null {
  const { job, process, launch } = world;
  const { restart } = policy;

  const identity = identityOf(job);
  const owned = process !== null && sameIdentity(identity, process.identity);
  if (identity !== null && !(owned && process.number === job.restart_count)) {
    return 'a phase with a process has its identity';
  }

  const spawning = job.phase === 'preparing' && job.step === 'spawn';
  const numbered = job.started_at === null ? 0 : job.restart_count + 1;
  if (!spawning && numbered !== world.used) return 'restart_count counts the spawns';

  if (job.phase === 'running' && policy.awaits_ready && process?.ready !== true) return 'running means ready';

  const maySucceed = process?.main === 'clean' && (!policy.process || restart.policy !== 'always');
  const tiredOfIt = restart.max_attempts > 0 && job.attempt >= restart.max_attempts;
  if (job.phase === 'succeeded' && !maySucceed) return 'an end is an end';
  const givenUp = job.reason.code === 'UNHEALTHY';
  if (job.phase === 'failed' && restart.policy !== 'never' && !tiredOfIt && !givenUp)
    return 'an end is an end';

  const reclaiming = job.phase === 'preparing' && job.step === 'reclaim';
  if (world.reclaim !== null && !(reclaiming && world.reclaim === job.epoch)) {
    return 'no request that nobody waits for';
  }
  if (launch !== null && !(spawning && launch.epoch === job.epoch)) return 'no request that nobody waits for';

  const known = owned || launch?.done === true || process?.reported === true || process?.swept === true;
  if (lives(process) && !known) return 'nothing alive is forgotten';

  if (atRest(job) && world.owed) return 'a start that was asked for is never forgotten';
  return null;
}

/** True where nothing has to happen: it is at rest, or runs and would be heard to end. */
export function isSteady(world: World): boolean {
  if (atRest(world.job)) return true;
  const { job, process } = world;
  return (
    job.phase === 'running' && process?.main === 'alive' && process.watched !== 'no' && isWantedUp(world)
  );
}

/** True where the job is where it is headed. */
export function isSettled(world: World): boolean {
  if (world.daemon === 'dead') return false;
  if (!isWantedUp(world)) return atRest(world.job);
  return (
    world.job.phase === 'succeeded' || world.job.phase === 'failed' || (isSteady(world) && !atRest(world.job))
  );
}
