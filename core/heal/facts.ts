/**
 * What a heal plan is made from: how each action of a service is, and what stands in the way of its next start.
 */
import type { Health } from '../health/verdict.ts';
import type { Job, Phase, Wanted } from '../job/job.ts';
import type { Reason } from '../job/reason.ts';
import type { Identity } from '../process/identity.ts';
import type { ClaimVerdict } from '../readiness/judge.ts';
import { type Claim, claimKey } from '../reclaim/claim.ts';
import type { KnownProcess } from '../reclaim/holder_class.ts';
import type { Observations, ObservedClaim, ObservedPidFile, ReclaimTarget } from '../reclaim/mod.ts';

/**
 * A phase as far as healing tells phases apart. `waiting`: it has nothing running and is tried again by itself, after a
 * pause or once a holder has left; a look at that holder, twice a second, is no other state.
 */
export type HealState = Exclude<Phase, 'preparing' | 'retrying'> | 'waiting';

/** States in which the next thing that happens to a job is a start. */
export const BEFORE_A_START: ReadonlySet<HealState> = new Set(['waiting', 'failed', 'stopped']);

/** A claim of a job that runs, and who was just seen to hold it. */
export interface HeldClaim {
  readonly claim: Claim;
  readonly verdict: ClaimVerdict;
  /** It proves that the job has lost the claim. */
  readonly lost: boolean;
}

/** What a start finds in its way. */
export interface ReclaimLook {
  readonly target: ReclaimTarget;
  readonly seen: Observations;
}

/** How one action is. */
export interface ActionFacts {
  readonly action: string;
  readonly job_id: string;
  /** It must stay alive; else it is a oneshot. */
  readonly process: boolean;
  readonly state: HealState;
  readonly reason: Reason;
  /** Its last tries have failed: it has to prove itself stable before anybody calls it healed. */
  readonly failing: boolean;
  /** The process that it has now. */
  readonly identity: Identity | null;
  readonly health: Health;
  /** Who holds its claims while it runs. */
  readonly claims: readonly HeldClaim[];
  /** Why its program cannot be started as things are; null where nothing is known to forbid it. */
  readonly obstacle: Reason | null;
  /** Null where no start of it is near. */
  readonly reclaim: ReclaimLook | null;
}

/** How a service is. */
export interface ServiceFacts {
  readonly service: string;
  readonly wanted: Wanted;
  readonly actions: readonly ActionFacts[];
}

/** One fact in words, as it is shown and compared. */
export interface Fact {
  /** What it is about: `main.state`, `main.tcp:8080`. */
  readonly name: string;
  readonly value: string;
}

/** A fact that is another now. Null: it is no fact any more, or was none. */
export interface FactChange {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** The state that healing sees in a job. */
export function healState(job: Job): HealState {
  if (job.phase === 'preparing') return job.step === 'spawn' ? 'starting' : 'waiting';
  return job.phase === 'retrying' ? 'waiting' : job.phase;
}

/**
 * The facts that a plan rests on, in words. What changes by itself while nothing happens (how long it has been waiting,
 * how many tries it has had, the pid in the file of an incarnation that is gone) is not among them.
 */
export function describeFacts({ wanted, actions }: ServiceFacts): Fact[] {
  return [{ name: 'wanted', value: wanted }, ...actions.flatMap(actionFacts)];
}

/** What of `before` is not so any more, and what is new, name by name. */
export function changedFacts(before: readonly Fact[], after: readonly Fact[]): FactChange[] {
  const was = new Map(before.map(({ name, value }) => [name, value]));
  const is = new Map(after.map(({ name, value }) => [name, value]));
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name): FactChange[] => {
    const change = { name, before: was.get(name) ?? null, after: is.get(name) ?? null };
    return change.before === change.after ? [] : [change];
  });
}

function actionFacts(facts: ActionFacts): Fact[] {
  const { action, state, reason, identity, health, claims, obstacle, reclaim } = facts;
  const of = (name: string, value: string): Fact => ({ name: `${action}.${name}`, value });
  return [
    of('job', facts.job_id),
    of('state', state),
    of('reason', reason.code),
    ...(identity === null ? [] : [of('process', `pid ${identity.pid}, start time ${identity.start_time}`)]),
    ...(state === 'running' ? [of('health', health)] : []),
    ...claims.map(({ claim, verdict }) => of(claimKey(claim), `held by: ${verdict}`)),
    ...(obstacle === null ? [] : [of('program', obstacle.message)]),
    ...(reclaim === null ? [] : reclaimFacts(reclaim, of)),
  ];
}

function reclaimFacts({ target, seen }: ReclaimLook, of: (name: string, value: string) => Fact): Fact[] {
  const { singleton, kill_other } = target.action;
  const granted = [...(singleton ? ['singleton'] : []), ...(kill_other === null ? [] : ['kill_other'])];
  return [
    of('permission', granted.join(', ') || 'none'),
    ...seen.claims.map((claim) => of(`in the way at ${claimKey(claim.claim)}`, claimFact(claim))),
    ...pidFileFact(seen.pid_file).map((value) => of('pid_file', value)),
    ...seen.left_behind.map((process) => of(`left behind pid ${process.identity.pid}`, processFact(process))),
    ...seen.matched.map(({ process, filter }) =>
      of(`matches ${filter} pid ${process.identity.pid}`, processFact(process)),
    ),
  ];
}

function claimFact(claim: ObservedClaim): string {
  switch (claim.state) {
    case 'held': {
      const holders = claim.holders.map(({ process }) =>
        process === null ? 'somebody who cannot be seen' : processFact(process),
      );
      return `held by ${holders.sort().join(' and ') || 'somebody who cannot be seen'}`;
    }
    case 'stale':
      return `a dead socket's file, inode ${claim.stamp.ino}`;
    case 'not_a_socket':
      return `${claim.found}, no socket`;
    case 'unclear':
      return 'whether it is free cannot be told';
    case 'free':
      return 'free';
  }
}

function pidFileFact(file: ObservedPidFile): string[] {
  if (file.state === 'absent') return [];
  if (file.state === 'not_a_pid_file') return [`${file.found}, no PID file`];
  if (file.state === 'invalid') return ['names no process'];
  return [file.process === null ? 'names a process that is gone' : `names ${processFact(file.process)}`];
}

function processFact({ identity, command, class: holderClass }: KnownProcess): string {
  return `pid ${identity.pid}, start time ${identity.start_time}, ${holderClass} (${command})`;
}
