/** A machine in memory, for what a real one cannot be made to do. */
import * as fs from 'node:fs';
import type { Host, Processes, ProcessStat, SignalOutcome } from '../../../core/host/host.ts';
import type { Identity } from '../../../core/process/identity.ts';
import { BOOT } from './builders.ts';

/** A process in memory. What is not given is as for an unmarked child of init in a session of its own. */
export interface FakeProcess {
  pid: number;
  ppid?: number;
  session?: number;
  start_time?: number;
  argv?: readonly string[] | null;
  exe?: string;
  /** Null: not to be read. */
  environ?: Record<string, string> | null;
  /** What a signal does; without it any signal ends the process. */
  onSignal?: (signal: NodeJS.Signals) => SignalOutcome | 'ends';
}

/** A host whose processes are these; its timers fire at once and move its clock on. */
export class FakeHost implements Host {
  readonly platform = 'linux' as const;
  readonly files = fs;
  readonly table = new Map<number, FakeProcess>();
  readonly signals: [number, NodeJS.Signals][] = [];
  now = 0;
  bind: Host['net']['tryBind'] = async () => 'free';

  constructor(...processes: FakeProcess[]) {
    for (const process of processes) this.table.set(process.pid, process);
  }

  readonly clock: Host['clock'] = {
    mono: () => this.now,
    wall: () => this.now,
    timer: (delay, callback) => {
      const immediate = setImmediate(() => {
        this.now += delay;
        callback();
      });
      return () => clearImmediate(immediate);
    },
  };

  readonly net: Host['net'] = {
    tryBind: (...asked) => this.bind(...asked),
    connectUnix: async () => 'ECONNREFUSED',
    connect: () => Promise.reject(new Error('not here')),
    request: () => Promise.reject(new Error('not here')),
  };

  readonly spawner: Host['spawner'] = {
    spawn: () => {
      throw new Error('not here');
    },
    standBy: () => null,
    run: async () => ({ exit_code: null, stdout: '', stderr: '', error: 'ENOENT' }),
  };

  identity(pid: number): Identity {
    return { boot_id: BOOT, pid, start_time: this.table.get(pid)?.start_time ?? pid * 10 };
  }

  #stat(pid: number): ProcessStat | null {
    const found = this.table.get(pid);
    if (found === undefined) return null;
    const { ppid = 1, session = pid } = found;
    const start_time = this.identity(pid).start_time;
    return { pid, ppid, pgrp: session, session, start_time, started_ms: start_time, state: 'S' };
  }

  readonly processes: Processes = {
    boot_id: BOOT,
    list: () => [...this.table.keys()],
    stat: (pid) => this.#stat(pid),
    identity: (pid) => (this.table.has(pid) ? this.identity(pid) : null),
    isAlive: ({ pid, start_time }) => this.#stat(pid)?.start_time === start_time,
    startTimeNow: () => 1000,
    argv: (pid) => this.table.get(pid)?.argv ?? (this.table.has(pid) ? ['program', `${pid}`] : null),
    exe: (pid) => this.table.get(pid)?.exe ?? null,
    environ: (pid) => {
      const environ = this.table.get(pid)?.environ;
      if (environ === null || !this.table.has(pid)) return null;
      return new Map(Object.entries(environ ?? { PATH: '/bin' }));
    },
    uid: () => 1000,
    descriptors: () => null,
    descriptor: () => null,
    writersOf: () => ({ writers: new Map(), complete: false }),
    signal: (identity, signal) => {
      const found = this.table.get(identity.pid);
      if (found === undefined) return 'gone';
      this.signals.push([identity.pid, signal]);
      const outcome = found.onSignal?.(signal) ?? 'ends';
      if (outcome === 'ends') this.table.delete(identity.pid);
      return outcome === 'ends' ? 'sent' : outcome;
    },
    signalGroup: () => 'gone',
    groupExists: (pgid) => [...this.table.values()].some(({ pid, session = pid }) => session === pgid),
    cohort: () => null,
    living: () => false,
    watch: () => null,
  };
}
