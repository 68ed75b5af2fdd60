/**
 * A machine in memory for the tests of processes: groups, sessions, zombies and pids that are given out anew, as a test
 * needs them and a real machine gives them only by luck.
 */
import { Agenda } from '../../../core/host/agenda.ts';
import { fileKey, type Host, type Processes, type ProcessStat } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { Identity } from '../../../core/process/identity.ts';
import { FakeClock } from '../../support/fake_clock.ts';

/** The boot of every fake machine. */
export const BOOT = 'boot';

/** A process in memory. What is not given is as for a child of init that leads a session of its own. */
export interface FakeProcess {
  pid: number;
  ppid?: number;
  pgrp?: number;
  session?: number;
  start_time?: number;
  environ?: Record<string, string> | null;
  /** Keys of the files that it has open for writing; null: not to be looked into. */
  writes?: readonly string[] | null;
  /** Its cgroup; that it has none where it is not given. */
  cgroup?: string;
  /** Ended, and read by nobody. */
  zombie?: boolean;
  /** Signals that do nothing to it. */
  ignores?: readonly NodeJS.Signals[];
}

/** Time goes on a little with each look at the clock, as it does. */
class TickingClock extends FakeClock {
  override mono(): number {
    this.now += 0.001;
    return this.now;
  }
}

/** The machine. */
export class FakeMachine {
  readonly clock = new TickingClock();
  readonly agenda = new Agenda(this.clock);
  readonly table = new Map<number, FakeProcess>();
  /** Each signal, as `TERM 7` or, to a group, `TERM -7`. */
  readonly signals: string[] = [];
  /** How often the whole table was listed. */
  walks = 0;
  /** Processes that are watched, and how often one of them was looked at. */
  open = 0;
  reads = 0;
  /** How often the list of a cgroup was read. */
  lists = 0;

  constructor(...processes: FakeProcess[]) {
    this.add(...processes);
  }

  add(...processes: FakeProcess[]): void {
    for (const process of processes) this.table.set(process.pid, process);
  }

  /** As if it had ended and been read. */
  remove(...pids: number[]): void {
    for (const pid of pids) this.table.delete(pid);
  }

  identity(pid: number): Identity {
    return { boot_id: BOOT, pid, start_time: this.table.get(pid)?.start_time ?? 1000 };
  }

  /** Lets everything that is waiting for a promise go on. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets `ms` go by, in steps, so that what is asynchronous keeps up. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      this.clock.advance(Math.min(left, 10));
      await this.settle();
    }
  }

  readonly #processes: Processes = {
    boot_id: BOOT,
    list: () => {
      this.walks += 1;
      return [...this.table.keys()];
    },
    stat: (pid) => this.#stat(pid),
    identity: (pid) => (this.#stat(pid) === null ? null : this.identity(pid)),
    isAlive: ({ boot_id, pid, start_time }) => boot_id === BOOT && this.#stat(pid)?.start_time === start_time,
    startTimeNow: () => Math.floor(this.clock.now),
    environ: (pid) => {
      const environ = this.table.get(pid)?.environ;
      return environ === null || this.#stat(pid) === null ? null : new Map(Object.entries(environ ?? {}));
    },
    writersOf: (files, pids) => {
      const writers = new Map<string, number[]>();
      let complete = true;
      for (const pid of pids) {
        const { writes = [] } = this.table.get(pid) ?? {};
        complete &&= writes !== null;
        for (const key of files.map(fileKey)) {
          if (writes?.includes(key)) writers.set(key, [...(writers.get(key) ?? []), pid]);
        }
      }
      return { writers, complete };
    },
    signal: ({ pid, start_time }, signal) => {
      if (this.#stat(pid)?.start_time !== start_time) return 'gone';
      this.signals.push(`${signal.slice(3)} ${pid}`);
      this.#take(pid, signal);
      return 'sent';
    },
    signalGroup: (pgid, signal) => {
      this.signals.push(`${signal.slice(3)} -${pgid}`);
      for (const { pid } of this.#group(pgid)) this.#take(pid, signal);
      return 'sent';
    },
    groupExists: (pgid) => this.#group(pgid).length > 0,
    cohort: (pid) => this.table.get(pid)?.cgroup ?? null,
    living: (list, visit) => {
      this.lists += 1;
      for (const { pid, cgroup, zombie } of this.table.values()) {
        if (cgroup === list && zombie !== true) visit(pid);
      }
      return true;
    },
    watch: (identity) => {
      if (!this.#processes.isAlive(identity)) return null;
      this.open += 1;
      const alive = (): boolean => {
        this.reads += 1;
        return this.#processes.isAlive(identity);
      };
      const close = (): void => {
        this.open -= 1;
      };
      return { alive, close };
    },
    argv: () => null,
    exe: () => null,
    uid: () => null,
    descriptors: () => null,
    descriptor: () => null,
  };

  readonly host: Host = { ...nodeHost(), clock: this.clock, processes: this.#processes };

  #stat(pid: number): ProcessStat | null {
    const found = this.table.get(pid);
    if (found === undefined || found.zombie === true) return null;
    const { ppid = 1, pgrp = pid, session = pid, start_time = 1000 } = found;
    return { pid, ppid, pgrp, session, start_time, started_ms: start_time, state: 'S' };
  }

  #group(pgid: number): FakeProcess[] {
    return [...this.table.values()].filter(({ pid, pgrp = pid }) => pgrp === pgid);
  }

  #take(pid: number, signal: NodeJS.Signals): void {
    const { ignores = [] } = this.table.get(pid) ?? {};
    if (!ignores.includes(signal)) this.table.delete(pid);
  }
}
