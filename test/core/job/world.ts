/**
 * A small model of everything around one job: the shell with its requests under way, the processes as they truly
 * are, the user, and the daemon that may die at any instant.
 *
 * {@link moves} lists all that can happen next. Whatever the shell promises is a condition here: it says `prepared`
 * only while nothing of the job's own lives, an exit is told after the spawn, `group_gone` after the exit. Nothing
 * else is promised: replies of earlier epochs can arrive at any time, and so can a death.
 */
import type { ExitStatus } from '../../../core/host/host.ts';
import type { JobEffect, JobEvent } from '../../../core/job/event.ts';
import { deadlineOf, type Escalation, type Job, PHASES, type StopCause } from '../../../core/job/job.ts';
import type { Context, Step } from '../../../core/job/machine.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import { reason } from '../../../core/job/reason.ts';
import { exitReason, UNKNOWN_EXIT } from '../../../core/process/exit.ts';
import { type Identity, sameIdentity } from '../../../core/process/identity.ts';
import { aJob } from './builders.ts';

/** The processes of the latest incarnation that was really spawned. */
export interface Incarnation {
  readonly identity: Identity;
  readonly number: number;
  /** The main process: alive, or how it ended. `killed`: not even a oneshot's status file tells. */
  readonly main: 'alive' | 'clean' | 'failed' | 'killed';
  /** Others of its group live. */
  readonly group: boolean;
  /** Who will tell upkeep of its end: it is a child, it is watched, or nobody is there. */
  readonly watched: 'child' | 'adopted' | 'no';
  /** The end of its main process was told, or found at a recovery. */
  readonly noticed: boolean;
  /** It was sent SIGKILL. */
  readonly killed: boolean;
  /** The job has said that something survives. */
  readonly reported: boolean;
  /** The shell ends it by its marker: the job never heard of it. */
  readonly swept: boolean;
  /** Its claims were seen held by its own tree. */
  readonly ready: boolean;
}

/** One state of the world. */
export interface World {
  readonly daemon: 'up' | 'dead';
  readonly halting: boolean;
  /** The machine was started again while the daemon was dead. */
  readonly rebooted: boolean;
  readonly boot: number;
  readonly now: number;
  /** In memory; as committed while the daemon is dead. */
  readonly job: Job;
  readonly process: Incarnation | null;
  /** Incarnation numbers used up: spawns that happened, and spawns that a death of the daemon left in doubt. */
  readonly used: number;
  /** The epoch of the reclaim under way. */
  readonly reclaim: number | null;
  /** The spawn under way; `done`: it has happened and its reply is on the way. */
  readonly launch: { readonly epoch: number; readonly incarnation: number; readonly done: boolean } | null;
  /** The epoch that waits to hear of readiness. */
  readonly watch: number | null;
  /** The group is being ended, and looked at until it is gone. */
  readonly reaping: boolean;
  /** A start or a restart was asked for, and no spawn has followed yet. */
  readonly owed: boolean;
}

/**
 * How a move comes about: `user` commands, `chance` (anything the environment may do), `progress` (what it owes: a
 * timer, a reply, an open gate), `obey` (a process that was sent SIGKILL dies).
 */
export type MoveKind = 'user' | 'chance' | 'progress' | 'obey';

/** Something that can happen: the world changes, and the job may be told. */
export interface Move {
  readonly label: string;
  readonly kind: MoveKind;
  readonly world: World;
  readonly event: JobEvent | null;
}

/** Before anything has happened. */
export function firstWorld(): World {
  return {
    daemon: 'up',
    halting: false,
    rebooted: false,
    boot: 0,
    now: 1_000,
    job: aJob({ phase: 'pending' }, { epoch: 0 }),
    process: null,
    used: 0,
    reclaim: null,
    launch: null,
    watch: null,
    reaping: false,
    owed: false,
  };
}

/** Something of the latest incarnation lives. */
export function lives(process: Incarnation | null): boolean {
  return process !== null && (process.main === 'alive' || process.group);
}

/** Its main process has ended, and upkeep is about to hear of it. */
function isUntold(process: Incarnation): boolean {
  return process.main !== 'alive' && !process.noticed && process.watched !== 'no';
}

/** What a decision depends on in this world. Wall time stands at some distance from monotonic time. */
export function contextOf(world: World, policy: JobPolicy): Context {
  return { policy, now: world.now, wall: world.now + 1_000_000, random: 0.5, halting: world.halting };
}

/** Where the job is headed. */
export function isWantedUp(world: World): boolean {
  return world.job.wanted === 'up' && !world.halting;
}

const SOME_REASON = reason('PORT_HELD', 'tcp:8080 is held by pid 7');

/** All that can happen next. */
export function moves(world: World, policy: JobPolicy): Move[] {
  const found: Move[] = [];
  const add = (kind: MoveKind, label: string, next: World, event: JobEvent | null = null): void => {
    found.push({ kind, label, world: next, event });
  };
  lifeAndDeath(world, policy, add);
  if (world.daemon === 'dead') {
    absence(world, policy, add);
    return found;
  }
  commands(world, policy, add);
  replies(world, policy, add);
  timesAndGates(world, add);
  leftovers(world, add);
  add('chance', 'the daemon is killed', daemonDies(world));
  return found;
}

type Add = (kind: MoveKind, label: string, next: World, event?: JobEvent | null) => void;

function lifeAndDeath(world: World, policy: JobPolicy, add: Add): void {
  const { process } = world;
  if (process === null) return;
  const becomes = (changes: Partial<Incarnation>): World => ({
    ...world,
    process: { ...process, ...changes },
  });
  if (process.main === 'alive' && process.killed)
    add('obey', 'SIGKILL ends main', becomes({ main: 'killed' }));
  else if (process.main === 'alive') {
    add('chance', 'main exits 0', becomes({ main: 'clean' }));
    add('chance', 'main exits 1', becomes({ main: 'failed' }));
    // To the parent of a process a signal is a failure as well; a oneshot's status file it leaves unwritten.
    if (!policy.process) add('chance', 'main is killed', becomes({ main: 'killed' }));
    if (!process.group) add('chance', 'main forks', becomes({ group: true }));
  }
  if (process.group) add(process.killed ? 'obey' : 'chance', 'the group ends', becomes({ group: false }));
  if (process.swept && lives(process)) {
    const main = process.main === 'alive' ? 'killed' : process.main;
    add('progress', 'the shell sweeps', becomes({ main, group: false }));
  }
}

function absence(world: World, policy: JobPolicy, add: Add): void {
  const { job, process } = world;
  if (!world.rebooted) {
    const main = process?.main === 'alive' ? 'killed' : process?.main;
    const dead = process === null || main === undefined ? null : { ...process, main, group: false };
    add('chance', 'the machine reboots', { ...world, rebooted: true, boot: world.boot + 1, process: dead });
  }
  const spawning = job.phase === 'preparing' && job.step === 'spawn' ? job.incarnation : null;
  const newest = spawning ?? job.restart_count;
  const known = process !== null && process.number === newest ? process : null;
  const mayHave = 'identity' in job || spawning !== null;
  const found = mayHave && known?.main === 'alive' ? { identity: known.identity, incarnation: newest } : null;
  const status = !policy.process && known !== null ? statusFile(known) : null;
  const back: World = {
    ...world,
    daemon: 'up',
    rebooted: false,
    // The number of a spawn that never happened is used up as well.
    used: spawning !== null && known === null ? world.used + 1 : world.used,
    process:
      spawning !== null && found === null && known !== null && lives(known)
        ? { ...known, swept: true }
        : world.process,
  };
  add('progress', 'the daemon is back', back, { type: 'recovered', found, status, rebooted: world.rebooted });
}

function commands(world: World, policy: JobPolicy, add: Add): void {
  const { job } = world;
  const spawning = job.phase === 'preparing' && job.step === 'spawn';
  const alive = job.phase === 'starting' || job.phase === 'running';
  const done = job.phase === 'succeeded' && !policy.process;
  const owes = !world.halting && !spawning && !done;
  const owedByStart = world.owed || (owes && !alive);
  const owedByRestart = world.owed || owes;
  add('user', 'start', { ...world, owed: owedByStart }, { type: 'want', wanted: 'up' });
  add('user', 'stop', { ...world, owed: false }, { type: 'want', wanted: 'down' });
  const why = reason('REQUESTED', 'restart requested');
  add('user', 'restart', { ...world, owed: owedByRestart }, { type: 'restart', reason: why });
  if (!world.halting) add('user', 'halt', { ...world, halting: true, owed: false }, { type: 'halt' });
}

function replies(world: World, policy: JobPolicy, add: Add): void {
  const { reclaim, launch, process, job } = world;
  if (reclaim !== null) {
    const done = { ...world, reclaim: null };
    if (process !== null && lives(process)) {
      const main = process.main === 'alive' ? 'killed' : process.main;
      add('obey', 'reclaim ends what is left', { ...world, process: { ...process, main, group: false } });
    } else if (process === null || !isUntold(process))
      add('progress', 'prepared', done, { type: 'prepared', epoch: reclaim });
    add('chance', 'blocked', done, { type: 'blocked', epoch: reclaim, reason: SOME_REASON });
  }
  if (launch !== null) {
    const { epoch, incarnation } = launch;
    if (launch.done && process !== null) {
      const { identity } = process;
      add('progress', 'spawned', { ...world, launch: null }, { type: 'spawned', epoch, identity });
    } else {
      add('progress', 'the program starts', spawn(world, incarnation));
      const why = reason('COMMAND_NOT_FOUND', 'no such program');
      add('chance', 'spawn fails', { ...world, launch: null }, { type: 'spawn_failed', epoch, reason: why });
    }
  }
  if (world.watch !== null && process !== null) {
    const seen = { ...world, watch: null, process: { ...process, ready: true } };
    add('progress', 'ready', seen, { type: 'ready', epoch: world.watch });
  }
  if (process !== null && isUntold(process) && launch === null) {
    const status = exitStatus(process, policy);
    const { number: incarnation, group: group_alive } = process;
    const told = { ...world, process: { ...process, noticed: true } };
    const why = exitReason(status);
    add('progress', 'exited', told, { type: 'exited', incarnation, group_alive, status, reason: why });
  }
  if (world.reaping && process !== null && process.noticed && !process.group) {
    const event = { type: 'group_gone', incarnation: process.number } as const;
    add('progress', 'group gone', { ...world, reaping: false }, event);
  }
  if (job.phase === 'starting' || job.phase === 'running') {
    const why = reason('CLAIM_LOST', 'tcp:8080 is not held any more');
    add('chance', 'faulted', world, { type: 'faulted', epoch: job.epoch, reason: why });
  }
}

function timesAndGates(world: World, add: Add): void {
  const { job, process } = world;
  const deadline = deadlineOf(job);
  // A timer may overtake an exit, but not by seconds.
  const late = job.phase === 'stopping' && job.escalation !== 'term' && process !== null && isUntold(process);
  if (deadline !== null && !late) {
    const event = { type: 'deadline', epoch: job.epoch } as const;
    const due = { ...world, now: Math.max(world.now, deadline) };
    add('progress', 'deadline', due, event);
    if (world.now < deadline) add('chance', 'early deadline', world, event);
  }
  const { phase } = job;
  const opens = phase === 'pending' ? isWantedUp(world) : alive(job) && !isWantedUp(world);
  if (opens) add('progress', 'cleared', world, { type: 'cleared' });
  else if (phase !== 'pending') add('chance', 'cleared (late)', world, { type: 'cleared' });
  add('chance', 'waiting', world, { type: 'waiting', reason: reason('DEPENDENCY_WAIT', 'waits for db') });
}

function alive(job: Job): boolean {
  return job.phase === 'starting' || job.phase === 'running';
}

/** Replies to phases, and observations of incarnations, that the job has left behind. */
function leftovers(world: World, add: Add): void {
  const { job, process } = world;
  if (job.epoch > 0) {
    const epoch = job.epoch - 1;
    const identity = process?.identity ?? { boot_id: 'boot 0', pid: 99, start_time: 0 };
    add('chance', 'prepared (stale)', world, { type: 'prepared', epoch });
    add('chance', 'blocked (stale)', world, { type: 'blocked', epoch, reason: SOME_REASON });
    add('chance', 'spawned (stale)', world, { type: 'spawned', epoch, identity });
    add('chance', 'spawn fails (stale)', world, { type: 'spawn_failed', epoch, reason: SOME_REASON });
    add('chance', 'ready (stale)', world, { type: 'ready', epoch });
    add('chance', 'faulted (stale)', world, { type: 'faulted', epoch, reason: SOME_REASON });
    const later = { ...world, now: Math.max(world.now, deadlineOf(job) ?? 0) };
    add('chance', 'deadline (stale)', later, { type: 'deadline', epoch });
  }
  if (job.restart_count > 0) {
    const incarnation = job.restart_count - 1;
    const old = { incarnation, group_alive: false, status: UNKNOWN_EXIT, reason: exitReason(UNKNOWN_EXIT) };
    add('chance', 'exited (stale)', world, { type: 'exited', ...old });
    add('chance', 'group gone (stale)', world, { type: 'group_gone', incarnation });
  }
}

function statusFile(process: Incarnation): ExitStatus | null {
  if (process.main === 'clean') return { exit_code: 0, exit_signal: null };
  return process.main === 'failed' ? { exit_code: 1, exit_signal: null } : null;
}

function exitStatus(process: Incarnation, policy: JobPolicy): ExitStatus {
  if (process.watched === 'adopted' && policy.process) return UNKNOWN_EXIT;
  const killed: ExitStatus =
    process.watched === 'adopted' ? UNKNOWN_EXIT : { exit_code: null, exit_signal: 'SIGKILL' };
  return statusFile(process) ?? killed;
}

function spawn(world: World, incarnation: number): World {
  const process: Incarnation = {
    identity: { boot_id: `boot ${world.boot}`, pid: 100 + incarnation, start_time: 1 + world.used },
    number: incarnation,
    main: 'alive',
    group: false,
    watched: 'child',
    noticed: false,
    killed: false,
    reported: false,
    swept: false,
    ready: false,
  };
  const launch = world.launch === null ? null : { ...world.launch, done: true };
  // Whatever is still being looked at is of an earlier incarnation: the job will not hear of it any more.
  return { ...world, process, launch, used: world.used + 1, reaping: false };
}

/** kill -9: what was in flight is lost, processes and what is committed stay. */
export function daemonDies(world: World): World {
  return {
    ...world,
    daemon: 'dead',
    halting: false,
    reclaim: null,
    launch: null,
    watch: null,
    reaping: false,
    process:
      world.process === null
        ? null
        : { ...world.process, watched: 'no', noticed: world.process.main !== 'alive' },
  };
}

/** The world once the decision is committed, before any effect of it. */
export function committed(world: World, { job, notes }: Step): World {
  const survivors = job.reason.code === 'SURVIVORS' || notes.some(({ code }) => code === 'SURVIVORS');
  const done = job.phase === 'succeeded' && world.process?.main === 'clean';
  return {
    ...world,
    job,
    watch: job.epoch === world.watch ? world.watch : null,
    process: survivors && world.process !== null ? { ...world.process, reported: true } : world.process,
    owed: world.owed && !done,
  };
}

/** The world once the shell has begun an effect. */
export function carryOut(world: World, effect: JobEffect): World {
  const { process } = world;
  switch (effect.type) {
    case 'prepare':
      return { ...world, reclaim: effect.epoch };
    case 'abort_prepare':
      return { ...world, reclaim: null };
    case 'spawn':
      return {
        ...world,
        launch: { epoch: effect.epoch, incarnation: effect.incarnation, done: false },
        owed: false,
      };
    case 'watch_ready':
      return { ...world, watch: effect.epoch };
    case 'adopt':
      if (process === null || !sameIdentity(process.identity, effect.identity)) return world;
      return { ...world, process: { ...process, watched: 'adopted' } };
    case 'stop_group': {
      if (process === null) return world;
      // Where the job says that its main process is gone, the shell does not wait to hear of its end.
      const gone = world.job.phase === 'stopping' && !world.job.main_alive;
      const told = { noticed: process.noticed || gone, killed: process.killed || effect.kill };
      return { ...world, reaping: true, process: { ...process, ...told } };
    }
  }
}

/**
 * The same number for worlds that differ in nothing that matters: counts count from where the job is, times do not
 * count at all.
 */
export function worldKey(world: World, policy: JobPolicy): number {
  const { job, launch } = world;
  const key = new Key();
  key.put(world.daemon === 'up' ? 0 : world.rebooted ? 1 : 2, 3);
  key.flag(world.halting);
  key.flag(world.owed);
  key.flag(world.reaping);
  key.flag(world.reclaim !== null);
  key.put(launch === null ? 0 : launch.done ? 1 : 2, 3);
  key.flag(world.watch !== null);
  putJob(key, job, policy);
  key.put(
    job.last_identity === null ? 0 : sameIdentity(job.last_identity, world.process?.identity ?? null) ? 1 : 2,
    3,
  );
  putProcess(key, world, policy);
  return key.value;
}

/** Small numbers, one after the other, in one. */
class Key {
  value = 0;

  /** @param value in [0, size). */
  put(value: number, size: number): void {
    this.value = this.value * size + value;
  }

  flag(value: boolean): void {
    this.put(value ? 1 : 0, 2);
  }
}

function putJob(key: Key, job: Job, { restart }: JobPolicy): void {
  const limit = restart.policy === 'never' ? 0 : restart.max_attempts;
  key.put(PHASES.indexOf(job.phase), PHASES.length);
  key.flag(job.wanted === 'up');
  key.put(Math.min(job.attempt, limit), limit + 1);
  key.flag(job.epoch > 0);
  key.put(job.started_at === null ? 0 : job.restart_count === 0 ? 1 : 2, 3);
  key.flag(deadlineOf(job) !== null);
  key.flag(job.phase === 'running' && job.stable);
  key.flag(job.phase === 'preparing' && job.step === 'spawn');
  key.flag(job.phase === 'stopped' && job.reason.code === 'SURVIVORS');
  if (job.phase !== 'stopping') return;
  key.put(STOP_CAUSES.indexOf(job.cause), STOP_CAUSES.length);
  key.put(ESCALATIONS.indexOf(job.escalation), ESCALATIONS.length);
  key.flag(job.main_alive);
  // What was stable counts where the next step depends on how it ended.
  key.flag(job.cause !== 'requested' && job.was_stable);
  key.put(job.exit_code === 0 ? 0 : job.exit_code === null && job.exit_signal === null ? 1 : 2, 3);
}

const STOP_CAUSES: readonly StopCause[] = ['requested', 'fault', 'exit', 'lost'];
const ESCALATIONS: readonly Escalation[] = ['term', 'kill', 'survived'];
const ENDS = ['alive', 'clean', 'failed', 'killed', 'told'] as const;
const WATCHERS: readonly Incarnation['watched'][] = ['child', 'adopted', 'no'];

function putProcess(key: Key, { process, job, boot }: World, policy: JobPolicy): void {
  key.flag(process !== null);
  if (process === null) return;
  const { main, watched, noticed } = process;
  // How a process ended matters until it was told; a oneshot's status file stays.
  const told = policy.process && (noticed || watched !== 'child') && job.phase !== 'succeeded';
  key.put(ENDS.indexOf(main !== 'alive' && told ? 'told' : main), ENDS.length);
  key.put(WATCHERS.indexOf(watched), WATCHERS.length);
  key.flag(noticed);
  key.flag(process.number === job.restart_count);
  key.flag(process.identity.boot_id === `boot ${boot}`);
  key.flag(process.ready && (job.phase === 'starting' || job.phase === 'running'));
  key.flag(lives(process));
  if (!lives(process)) return;
  key.flag(process.group);
  key.flag(process.killed);
  key.flag(process.reported);
  key.flag(process.swept);
}
