/**
 * Looks at the whole process table, in slices so that the event loop stays free, and shared by everybody who asks
 * at about the same time.
 */
import type { Host, ProcessStat } from '../host/host.ts';
import { inSlices } from '../host/slices.ts';
import type { Identity } from './identity.ts';

/** The process table at one moment (give or take the few ms that the look took). */
export class TableSnapshot {
  readonly processes: ReadonlyMap<number, ProcessStat>;
  /** The sessions that have a live member. */
  readonly sessions: ReadonlySet<number>;
  readonly #children = new Map<number, ProcessStat[]>();

  constructor(processes: readonly ProcessStat[]) {
    this.processes = new Map(processes.map((stat) => [stat.pid, stat]));
    this.sessions = new Set(processes.map(({ session }) => session));
    for (const stat of processes) {
      const siblings = this.#children.get(stat.ppid);
      if (siblings === undefined) this.#children.set(stat.ppid, [stat]);
      else siblings.push(stat);
    }
  }

  /** Everything below `pid`, without itself. */
  descendants(pid: number): ProcessStat[] {
    const found: ProcessStat[] = [];
    const seen = new Set([pid]);
    const queue = [...(this.#children.get(pid) ?? [])];
    for (let stat = queue.pop(); stat !== undefined; stat = queue.pop()) {
      // The look takes some ms, in which a pid may be handed out anew: a circle is possible on paper.
      if (seen.has(stat.pid)) continue;
      seen.add(stat.pid);
      found.push(stat);
      queue.push(...(this.#children.get(stat.pid) ?? []));
    }
    return found;
  }

  /**
   * Whether what has the number of a main process for its group or session is that process's. The kernel gives the number
   * to nobody else as long as either has a member; where another process has it now, none was left.
   */
  isLedBy({ pid, start_time }: Identity): boolean {
    const leader = this.processes.get(pid);
    return leader === undefined || leader.start_time === start_time;
  }

  /** The live members of the group of a main process, which leads its session as well. */
  members(main: Identity): ProcessStat[] {
    if (!this.isLedBy(main)) return [];
    return [...this.processes.values()].filter(
      ({ pgrp, session, start_time }) =>
        pgrp === main.pid && session === main.pid && start_time >= main.start_time,
    );
  }
}

/** Takes {@link TableSnapshot}s; concurrent callers share one look. */
export class ProcessTable {
  readonly #host: Host;
  #latest: { readonly taken_at: number; readonly snapshot: TableSnapshot } | null = null;
  #running: { readonly begun_at: number; readonly result: Promise<TableSnapshot> } | null = null;
  /** The look after the one that is under way: it is shared by all who may not have that one. */
  #next: Promise<TableSnapshot> | null = null;

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * The table as it was no longer than `maxAge` ms ago.
   *
   * @param maxAge ms; 0 for a look that begins no earlier than this call.
   */
  async snapshot(maxAge: number): Promise<TableSnapshot> {
    const now = this.#host.clock.mono();
    if (this.#latest !== null && now - this.#latest.taken_at <= maxAge) return this.#latest.snapshot;
    if (this.#running === null) return this.#begin();
    if (now - this.#running.begun_at <= maxAge) return this.#running.result;
    // A look that began earlier may have passed a process before it changed: the next one, which begins after this call.
    this.#next ??= this.#after(this.#running.result);
    return this.#next;
  }

  async #after(running: Promise<TableSnapshot>): Promise<TableSnapshot> {
    await running.catch(() => {});
    this.#next = null;
    // Whoever asks between the end of that look and now has begun one already.
    return this.#running?.result ?? this.#begin();
  }

  #begin(): Promise<TableSnapshot> {
    const begun_at = this.#host.clock.mono();
    const result = this.#look()
      .then((snapshot) => {
        this.#latest = { taken_at: begun_at, snapshot };
        return snapshot;
      })
      .finally(() => {
        this.#running = null;
      });
    this.#running = { begun_at, result };
    return result;
  }

  async #look(): Promise<TableSnapshot> {
    const { processes, clock } = this.#host;
    const found: ProcessStat[] = [];
    await inSlices(clock, processes.list(), (pid) => {
      const stat = processes.stat(pid);
      if (stat !== null) found.push(stat);
    });
    return new TableSnapshot(found);
  }
}
