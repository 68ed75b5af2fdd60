/**
 * Ends what is left of an incarnation: its process group first, then what escaped it.
 *
 * The reaper escalates nothing by itself: it signals and looks until nothing is left. Whoever began says when the grace
 * time is over.
 */

import type { Agenda } from '../host/agenda.ts';
import type { Host, ProcessStat } from '../host/host.ts';
import { KILL_INTERVAL } from '../job/policy.ts';
import type { EscapeeFinder, Remains, Traces } from './escapees.ts';
import type { Identity } from './identity.ts';
import type { ProcessTable } from './process_table.ts';

/** An incarnation to be ended. */
export interface ReapTarget extends Traces {
  /** Its main process, or one that is certainly left of it: a group is signalled by nobody else's number. */
  readonly identity: Identity;
  /** Grows while the job's tree is watched, and once more before the first signal. */
  readonly sessions: Set<number>;
}

interface Task {
  readonly target: ReapTarget;
  /** Whoever asked for this end. */
  readonly gone: ((complete: boolean) => void)[];
  signal: NodeJS.Signals;
  main_gone: boolean;
  busy: boolean;
  pause: number;
  survivors: readonly ProcessStat[];
  /** When SIGKILL was first sent to the last of those found so far, monotonic ms; null before the grace time is over. */
  killed_at: number | null;
  /** A look has come back since then. */
  looked: boolean;
  /** Whoever waits to hear what survives SIGKILL. */
  readonly undecided: (() => void)[];
}

/** First and longest pause between two looks at something that was signalled, in ms. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 100;
/** How long a look may take before it is known that nothing will be known, in ms: no hung look holds a stop up for ever. */
const LOOK_LIMIT = 30_000;

/** Ends incarnations. Keyed by job and incarnation: asking again only adds to who is told. */
export class Reaper {
  readonly #host: Host;
  readonly #agenda: Agenda;
  readonly #table: ProcessTable;
  readonly #finder: EscapeeFinder;
  readonly #tasks = new Map<string, Task>();

  constructor(host: Host, agenda: Agenda, table: ProcessTable, finder: EscapeeFinder) {
    this.#host = host;
    this.#agenda = agenda;
    this.#table = table;
    this.#finder = finder;
  }

  /**
   * Signals an incarnation and goes on until nothing of it is left.
   *
   * @param main_gone its main process is known to have ended; else {@link mainExited} will say so.
   * @param gone called once; `complete` is false where some process could not be looked into.
   */
  end(
    target: ReapTarget,
    signal: NodeJS.Signals,
    main_gone: boolean,
    gone: (complete: boolean) => void,
  ): void {
    const key = keyOf(target);
    const known = this.#tasks.get(key);
    if (known !== undefined) {
      known.gone.push(gone);
      return;
    }
    const task: Task = {
      target,
      gone: [gone],
      signal,
      main_gone,
      busy: false,
      pause: FIRST_PAUSE,
      survivors: [],
      killed_at: null,
      looked: false,
      undecided: [],
    };
    this.#tasks.set(key, task);
    void this.#begin(task);
  }

  /** The grace time is over: from now on it is SIGKILL. */
  escalate(job_id: string, incarnation: number): void {
    const task = this.#tasks.get(keyOf({ job_id, incarnation }));
    if (task === undefined) return;
    task.signal = 'SIGKILL';
    task.killed_at ??= this.#host.clock.mono();
    task.pause = FIRST_PAUSE;
    this.#signalNow(task);
  }

  /** The main process of an incarnation has ended, and whoever waits for that has been told. */
  mainExited(job_id: string, incarnation: number): void {
    const task = this.#tasks.get(keyOf({ job_id, incarnation }));
    if (task === undefined) return;
    task.main_gone = true;
    void this.#advance(task);
  }

  /** Who is still there of an incarnation that is being ended. */
  survivors(job_id: string, incarnation: number): readonly ProcessStat[] {
    const task = this.#tasks.get(keyOf({ job_id, incarnation }));
    if (task === undefined) return [];
    if (task.main_gone || task.killed_at === null) return task.survivors;
    // Nobody looks for others while the main process itself is there after SIGKILL.
    const { pid, start_time } = task.target.identity;
    const main = this.#host.processes.stat(pid);
    return main?.start_time === start_time ? [main, ...task.survivors] : task.survivors;
  }

  /**
   * Whether it is known what of an incarnation survives SIGKILL: on a busy machine the first look may come back after all
   * grace times, and what nobody has looked for is no survivor.
   *
   * @returns null where it is known; else what resolves once it is, or once the look takes too long.
   */
  undecided(job_id: string, incarnation: number): Promise<void> | null {
    const task = this.#tasks.get(keyOf({ job_id, incarnation }));
    if (task === undefined || this.#isDecided(task)) return null;
    this.#agenda.set(`look:${keyOf(task.target)}`, this.#host.clock.mono() + LOOK_LIMIT, () => decide(task));
    return new Promise((resolve) => task.undecided.push(resolve));
  }

  /** Stops looking; what was signalled stays signalled. */
  forget(job_id: string, incarnation: number): void {
    const key = keyOf({ job_id, incarnation });
    const task = this.#tasks.get(key);
    this.#tasks.delete(key);
    this.#agenda.delete(`reap:${key}`);
    this.#agenda.delete(`look:${key}`);
    if (task !== undefined) decide(task);
  }

  /** Each that is known had its time to die of SIGKILL. */
  #isDecided({ target, main_gone, killed_at, looked, survivors }: Task): boolean {
    if (killed_at === null) return true;
    // Nobody looks for others before its end is told: it survives, or the news is on its way.
    if (!main_gone) return this.#host.processes.isAlive(target.identity);
    if (!looked || this.#host.clock.mono() - killed_at < KILL_INTERVAL) return false;
    // Where the event loop comes late, the look was long ago: they have died since, and the next one is due.
    return survivors.some((stat) => this.#lives(target, stat));
  }

  async #begin(task: Task): Promise<void> {
    const { identity, sessions } = task.target;
    if (!task.main_gone) {
      // While the main process lives its tree can still be read; afterwards its children are init's.
      const snapshot = await this.#table.snapshot(20);
      for (const stat of snapshot.descendants(identity.pid)) {
        if (stat.session !== identity.pid && stat.start_time >= identity.start_time)
          sessions.add(stat.session);
      }
    }
    this.#signalNow(task);
    await this.#advance(task);
  }

  /** Signals the group while its leader proves it, and whoever was found to survive. */
  #signalNow(task: Task): void {
    const { processes } = this.#host;
    const { identity } = task.target;
    // kill(-pgid) only with proof: the live leader is one; without it #advance looks for a member.
    if (processes.isAlive(identity)) processes.signalGroup(identity.pid, task.signal);
    for (const stat of task.survivors) {
      processes.signal({ ...identity, pid: stat.pid, start_time: stat.start_time }, task.signal);
    }
  }

  async #advance(task: Task): Promise<void> {
    if (!task.main_gone || task.busy || !this.#isCurrent(task)) return;
    task.busy = true;
    const left = await this.#look(task);
    task.busy = false;
    if (!this.#isCurrent(task)) return;
    const known = new Set(task.survivors.map((stat) => stat.pid));
    task.survivors = left.processes;
    if (left.processes.length === 0) {
      this.forget(task.target.job_id, task.target.incarnation);
      for (const gone of task.gone) gone(left.complete);
      return;
    }
    const fresh = left.processes.filter((stat) => !known.has(stat.pid));
    const { identity } = task.target;
    for (const stat of fresh) {
      this.#host.processes.signal({ ...identity, pid: stat.pid, start_time: stat.start_time }, task.signal);
    }
    if (task.killed_at !== null) {
      task.looked = true;
      if (fresh.length > 0) task.killed_at = this.#host.clock.mono();
      if (this.#isDecided(task)) decide(task);
    }
    const at = this.#host.clock.mono() + task.pause;
    task.pause = Math.min(task.pause * 2, LONGEST_PAUSE);
    this.#agenda.set(`reap:${keyOf(task.target)}`, at, () => void this.#advance(task));
  }

  async #look(task: Task): Promise<Remains> {
    const { identity } = task.target;
    const { processes } = this.#host;
    // Known survivors first: as long as one of them lives there is no need to walk over /proc again.
    const still = task.survivors.filter((stat) => this.#lives(task.target, stat));
    if (still.length > 0) return { processes: still, complete: true };
    if (processes.groupExists(identity.pid)) {
      const snapshot = await this.#table.snapshot(0);
      const members = snapshot.members(identity);
      // No live member: what keeps the group are zombies, which hold nothing.
      if (members.length > 0) return { processes: members, complete: true };
    }
    return this.#finder.find(task.target);
  }

  #lives({ identity }: ReapTarget, { pid, start_time }: ProcessStat): boolean {
    return this.#host.processes.isAlive({ ...identity, pid, start_time });
  }

  #isCurrent(task: Task): boolean {
    return this.#tasks.get(keyOf(task.target)) === task;
  }
}

function decide(task: Task): void {
  for (const resolve of task.undecided.splice(0)) resolve();
}

function keyOf(target: { readonly job_id: string; readonly incarnation: number }): string {
  return `${target.job_id}/${target.incarnation}`;
}
