/**
 * What has to be done from time to time: looks at logs, at trees, for escapees, and the store's own upkeep. All of
 * it on the agenda; nothing of it on the restart path.
 */
import type { Agenda } from '../host/agenda.ts';
import { fileKey, type Host } from '../host/host.ts';
import { identityOf } from '../job/job.ts';
import { KILL_INTERVAL } from '../job/policy.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Logs } from '../log/mod.ts';
import type { EscapeeFinder, Traces } from '../process/escapees.ts';
import type { OomWitness } from '../process/oom.ts';
import type { ProcessTable, TableSnapshot } from '../process/process_table.ts';
import type { Reaper, ReapTarget } from '../process/reaper.ts';
import type { Batch } from '../store/batch.ts';
import type { Store } from '../store/store.ts';
import type { JobLoop } from './job_loop.ts';
import type { Leftover } from './recovery.ts';
import type { JobRuntime } from './runtime.ts';

/** What housekeeping works on. */
export interface HousekeepingPorts {
  readonly host: Host;
  readonly agenda: Agenda;
  readonly loop: JobLoop;
  readonly logs: Logs;
  readonly store: Store;
  readonly table: ProcessTable;
  readonly finder: EscapeeFinder;
  readonly reaper: Reaper;
  readonly oom: OomWitness;
  note(runtime: JobRuntime | null, why: Reason): void;
  /** All services, runs and jobs as they are in memory: what a lost store is made anew from. */
  everything(): Batch;
}

/** After a start, and then again and again, the sessions in each tree are taken down. In ms. */
const TREE_SOON = 1_000;
const TREE_INTERVAL = 30_000;
/** The first search for what an incarnation left behind begins so long after its end, in ms. */
const SWEEP_DELAY = 500;
/** A sweep gets at most this share of the time. */
const SWEEP_SHARE = 0.05;
/** What a leftover gets between SIGTERM and SIGKILL where its action is not known any more, in ms. */
const LEFTOVER_GRACE = 10_000;
/** What the last searches of a shutdown may take beside the grace times, in ms. */
const FINISH_SLACK = 30_000;
/** In ms. */
const PRUNE_INTERVAL = 10_000;
const PRUNE_AGAIN = 100;
const STORE_RETRY_INTERVAL = 2_000;

interface Sweep {
  readonly runtime: JobRuntime;
  readonly traces: Traces;
}

/** Recurring duties. */
export class Housekeeping {
  readonly #ports: HousekeepingPorts;
  #sweeps: Sweep[] = [];
  /** Searches, and ends of what they found. */
  readonly #underWay = new Set<Promise<void>>();
  #treeAt = Number.POSITIVE_INFINITY;

  constructor(ports: HousekeepingPorts) {
    this.#ports = ports;
  }

  /** Begins the duties that go on for as long as upkeep lives. */
  begin(): void {
    this.#lookAtLogs();
    this.#lookAtTrees();
    this.#prune();
  }

  /** A process has started: its tree is looked at soon. */
  started(): void {
    const soon = this.#ports.host.clock.mono() + TREE_SOON;
    if (soon >= this.#treeAt) return;
    this.#treeAt = soon;
    this.#ports.agenda.set('trees', soon, () => this.#lookAtTrees());
  }

  /** A log wants to be looked at earlier than it was to be. */
  logsChanged(): void {
    this.#ports.agenda.set('logs', this.#ports.host.clock.mono(), () => this.#lookAtLogs());
  }

  /** An incarnation is over; what escaped its group is searched for, in the background. */
  leftBehind(runtime: JobRuntime, traces: Traces): void {
    this.#sweeps.push({ runtime, traces });
    if (this.#sweeps.length > 1) return;
    const pause = Math.max(SWEEP_DELAY, this.#ports.finder.last_duration / SWEEP_SHARE);
    this.#ports.agenda.set('sweep', this.#ports.host.clock.mono() + pause, () => this.#sweep());
  }

  /** Ends what an earlier upkeep left of incarnations that are over. */
  endLeftover({ survivor, runtime }: Leftover): void {
    const { job_id, incarnation, identity, service, action } = survivor;
    const target: ReapTarget = {
      job_id,
      incarnation,
      identity,
      sessions: new Set(),
      files: [],
      isLog: () => false,
      since: Number.POSITIVE_INFINITY,
      successor: () => null,
    };
    const message = `stopped pid ${identity.pid}, left over from incarnation ${incarnation} of ${service}/${action}`;
    this.#ports.note(runtime, reason('RECLAIMED', message, { identity, incarnation }));
    this.#await(this.#endRemains(target, runtime?.spec.stop.timeout ?? LEFTOVER_GRACE, () => {}));
  }

  /**
   * Resolves once nothing that an incarnation left behind is still to be searched for or being ended, but for what
   * survives SIGKILL: upkeep is about to go, and nobody else would. What leaves ever more behind, or a walk that hangs,
   * is not waited for any longer than a stop may take.
   */
  async finish(): Promise<void> {
    const { agenda, host, loop } = this.#ports;
    const graces = [...loop.jobs.values()].map(({ spec }) => spec.stop.timeout);
    const end = host.clock.mono() + Math.max(LEFTOVER_GRACE, ...graces) + FINISH_SLACK;
    const late = new Promise<void>((resolve) => agenda.set('finish', end, resolve));
    while (this.#sweeps.length + this.#underWay.size > 0 && host.clock.mono() < end) {
      this.#sweep();
      await Promise.race([late, Promise.all(this.#underWay)]);
    }
    agenda.delete('finish');
  }

  /** SIGTERM, a grace time, SIGKILL. Resolves once nothing is left, or once it is known that something survives that. */
  #endRemains(target: ReapTarget, grace: number, gone: () => void): Promise<void> {
    const { reaper, agenda, host } = this.#ports;
    const { job_id, incarnation } = target;
    const key = `remains:${job_id}/${incarnation}`;
    return new Promise((resolve) => {
      agenda.set(key, host.clock.mono() + grace, () => {
        reaper.escalate(job_id, incarnation);
        agenda.set(key, host.clock.mono() + KILL_INTERVAL, () => {
          const undecided = reaper.undecided(job_id, incarnation);
          resolve(undecided ?? undefined);
        });
      });
      reaper.end(target, 'SIGTERM', true, () => {
        agenda.delete(key);
        gone();
        resolve();
      });
    });
  }

  #await(work: Promise<void>): void {
    const known = work.finally(() => this.#underWay.delete(known));
    this.#underWay.add(known);
  }

  /** The store could not be written to: it is tried again until it can. */
  storeDegraded(): void {
    const { agenda, host, store } = this.#ports;
    agenda.set('store', host.clock.mono() + STORE_RETRY_INTERVAL, () => {
      const mended = store.lost ? store.rebuild(this.#ports.everything()) : store.retry();
      if (!mended) this.storeDegraded();
    });
  }

  #lookAtLogs(): void {
    const { agenda, host, logs } = this.#ports;
    const next = logs.look(host.clock.mono());
    if (Number.isFinite(next)) agenda.set('logs', next, () => this.#lookAtLogs());
  }

  #lookAtTrees(): void {
    const { agenda, host, loop, oom, table } = this.#ports;
    this.#treeAt = host.clock.mono() + TREE_INTERVAL;
    agenda.set('trees', this.#treeAt, () => this.#lookAtTrees());
    if (loop.jobs.size === 0) return;
    const upTo = oom.looking();
    // A stop may learn of sessions while the look is under way, of which that then says nothing.
    const known = [...loop.jobs.values()].map(({ sessions }) => ({ sessions, before: [...sessions] }));
    void table.snapshot(0).then((snapshot) => {
      for (const { sessions, before } of known) forgetEnded(sessions, before, snapshot);
      for (const { job, sessions } of loop.jobs.values()) {
        const main = identityOf(job);
        if (main === null) continue;
        const tree = snapshot.descendants(main.pid).filter((stat) => stat.start_time >= main.start_time);
        for (const stat of tree) if (stat.session !== main.pid) sessions.add(stat.session);
        const pids = tree.map((stat) => stat.pid);
        oom.sawTree(job.id, pids, upTo);
      }
    });
  }

  #sweep(): void {
    const sweeps = this.#sweeps;
    this.#sweeps = [];
    this.#ports.agenda.delete('sweep');
    for (const sweep of sweeps) this.#await(this.#sweepOne(sweep));
  }

  async #sweepOne({ runtime, traces }: Sweep): Promise<void> {
    const remains = await this.#ports.finder.find(traces);
    const [first] = [...remains.processes].sort((a, b) => a.start_time - b.start_time);
    if (first === undefined) {
      if (remains.complete) this.#release(runtime, traces.files);
      return;
    }
    const pids = remains.processes.map((stat) => stat.pid);
    const message = `stopped what incarnation ${traces.incarnation} left behind: pid ${pids.join(', ')}`;
    this.#ports.note(runtime, reason('RECLAIMED', message, { pids, incarnation: traces.incarnation }));
    const { boot_id } = this.#ports.host.processes;
    const identity = traces.identity ?? { boot_id, pid: first.pid, start_time: first.start_time };
    const target = { ...traces, identity, sessions: new Set(traces.sessions) };
    // That end may have been under way already, for somebody who knew less of its traces: it is looked at again.
    await this.#endRemains(target, runtime.spec.stop.timeout, () => this.leftBehind(runtime, traces));
  }

  /** Lets logs be compressed that nobody writes to any more; the active one is written to by who comes next. */
  #release(runtime: JobRuntime, files: ReapTarget['files']): void {
    const { logs } = this.#ports;
    const active = logs.activeFile(runtime.job.id);
    const keys = new Set(files.map(fileKey));
    if (active !== null) keys.delete(fileKey(active));
    for (const file of files) if (keys.has(fileKey(file))) logs.release(runtime.log, file);
    runtime.unreleased = runtime.unreleased.filter((file) => !keys.has(fileKey(file)));
  }

  #prune(): void {
    const { agenda, host, store } = this.#ports;
    const more = store.prune(host.clock.wall());
    const pause = more ? PRUNE_AGAIN : PRUNE_INTERVAL;
    agenda.set('prune', host.clock.mono() + pause, () => this.#prune());
  }
}

/**
 * Forgets the sessions that nobody is in any more: their numbers are free, and whoever is given one next is a stranger.
 *
 * @param before the sessions that were known when the look began.
 */
function forgetEnded(sessions: Set<number>, before: readonly number[], snapshot: TableSnapshot): void {
  for (const session of before) if (!snapshot.sessions.has(session)) sessions.delete(session);
}
