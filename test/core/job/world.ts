/**
 * A small model of everything around one job: the shell with its requests under way, the processes as they truly
 * are, and the daemon that may die at any instant. What can happen in it is listed by `moves`.
 */
import type { JobEffect } from '../../../core/job/event.ts';
import type { Job } from '../../../core/job/job.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import type { Context, Step } from '../../../core/job/step.ts';
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
export function isUntold(process: Incarnation): boolean {
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

/** The program has started; the reply is on its way. */
export function spawn(world: World, incarnation: number): World {
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
  const said = job.phase === 'stopped' ? [...notes, job.reason] : notes;
  const survivors = said.some(({ code }) => code === 'SURVIVORS');
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
