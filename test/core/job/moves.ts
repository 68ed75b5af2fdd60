/**
 * All that can happen next, in any state of the world.
 *
 * Whatever the shell promises is a condition here: it says `prepared` only while nothing of the job's own lives, an
 * exit is told after the spawn and not seconds late, `group_gone` after the exit. Nothing else is promised: replies to
 * earlier epochs can arrive at any time, and so can a death.
 */
import type { ExitStatus } from '../../../core/host/host.ts';
import type { JobEvent } from '../../../core/job/event.ts';
import { deadlineOf, type Job } from '../../../core/job/job.ts';
import type { JobPolicy } from '../../../core/job/policy.ts';
import { reason } from '../../../core/job/reason.ts';
import { exitReason, UNKNOWN_EXIT } from '../../../core/process/exit.ts';
import { daemonDies, type Incarnation, isUntold, isWantedUp, lives, spawn, type World } from './world.ts';

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

const HELD = reason('PORT_HELD', 'tcp:8080 is held by pid 7');
const MISSING = reason('COMMAND_NOT_FOUND', 'no such program');
const LOST = reason('CLAIM_LOST', 'tcp:8080 is not held any more');
const ILL = reason('UNHEALTHY', 'http: no answer');
const WAITS = reason('DEPENDENCY_WAIT', 'waits for db');
const ASKED = reason('REQUESTED', 'restart requested');

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
  const event = { type: 'recovered', found, status, rebooted: world.rebooted } as const;
  add('progress', 'the daemon is back', back, event);
  const over = deadlineOf(job);
  if (over !== null && over > world.now) {
    add('chance', 'the daemon is back, after its time', { ...back, now: over }, event);
  }
}

function commands(world: World, policy: JobPolicy, add: Add): void {
  const { job } = world;
  const spawning = job.phase === 'preparing' && job.step === 'spawn';
  const done = job.phase === 'succeeded' && !policy.process;
  const owes = !world.halting && !spawning && !done;
  const owedByStart = world.owed || (owes && !alive(job));
  const owedByRestart = world.owed || owes;
  add('user', 'start', { ...world, owed: owedByStart }, { type: 'want', wanted: 'up' });
  add('user', 'stop', { ...world, owed: false }, { type: 'want', wanted: 'down' });
  add('user', 'restart', { ...world, owed: owedByRestart }, { type: 'restart', reason: ASKED });
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
    add('chance', 'blocked', done, { type: 'blocked', epoch: reclaim, reason: HELD });
  }
  if (launch !== null) {
    const { epoch, incarnation } = launch;
    if (launch.done && process !== null) {
      const { identity } = process;
      add('progress', 'spawned', { ...world, launch: null }, { type: 'spawned', epoch, identity });
    } else {
      add('progress', 'the program starts', spawn(world, incarnation));
      add(
        'chance',
        'spawn fails',
        { ...world, launch: null },
        { type: 'spawn_failed', epoch, reason: MISSING },
      );
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
  if (world.reaping && process?.noticed && !process.group) {
    const event = { type: 'group_gone', incarnation: process.number } as const;
    add('progress', 'group gone', { ...world, reaping: false }, event);
  }
  if (alive(job)) {
    const { epoch } = job;
    add('chance', 'faulted', world, { type: 'faulted', epoch, reason: LOST, give_up: false });
    add('chance', 'faulted for good', world, { type: 'faulted', epoch, reason: ILL, give_up: true });
    add('chance', 'suspected', world, { type: 'suspected', epoch, suspect: true });
    add('chance', 'not suspected any more', world, { type: 'suspected', epoch, suspect: false });
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
  add('chance', 'waiting', world, { type: 'waiting', reason: WAITS });
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
    add('chance', 'blocked (stale)', world, { type: 'blocked', epoch, reason: HELD });
    add('chance', 'spawned (stale)', world, { type: 'spawned', epoch, identity });
    add('chance', 'spawn fails (stale)', world, { type: 'spawn_failed', epoch, reason: HELD });
    add('chance', 'ready (stale)', world, { type: 'ready', epoch });
    add('chance', 'faulted (stale)', world, { type: 'faulted', epoch, reason: HELD, give_up: true });
    add('chance', 'suspected (stale)', world, { type: 'suspected', epoch, suspect: true });
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
