/**
 * Finds what a job's incarnation left behind outside its process group: by the marker in its environment, by its session
 * (that of the main process, which a shell with job control keeps though it gives each pipeline a group of its own, or
 * one seen in the tree while that lived), or because it has the job's log open for writing (postgres gives each of its
 * children a session of its own and wipes the environment).
 *
 * The log tells of earlier incarnations as well: whoever writes to it and is older than the main process is what one of
 * those has left behind.
 */
import { type FileId, fileKey, type Host, type ProcessStat } from '../host/host.ts';
import { inSlices } from '../host/slices.ts';
import type { Identity } from './identity.ts';
import { MARKER, parseMark } from './marker.ts';
import { isOwnProcess, type OwnTree } from './own_tree.ts';
import type { ProcessTable } from './process_table.ts';

/** One incarnation whose remains are looked for. */
export interface Traces {
  readonly job_id: string;
  /** This incarnation and all earlier ones of the job are looked for. */
  readonly incarnation: number;
  /**
   * Its main process: no session that is older can belong to it. Null where only earlier incarnations are looked for,
   * whose main processes nobody knows any more: by marker and log.
   */
  readonly identity: Identity | null;
  /** Sessions seen in its tree, beside the one that its main process leads. */
  readonly sessions: ReadonlySet<number>;
  /** Its logs and those of earlier incarnations. Who writes to one without a marker is of the job. */
  readonly files: readonly FileId[];
  /**
   * Whether one of {@link Traces.files} is still a log of the job, asked for each writer that was found. The file system
   * gives the number of a file that was removed to the next one at once, and who writes to that is a stranger.
   */
  isLog(file: FileId): boolean;
  /**
   * When the job began, ms since the epoch: no writer that is older than this and than the main process is taken for
   * its own. A daemon that was there before may be handed the log by one of its clients (as `ssh` does).
   */
  readonly since: number;
  /**
   * The incarnation that runs by now where that is a later one, asked for when the look begins: what began after it may
   * be of that one.
   */
  successor(): Successor | null;
}

/** A later incarnation, which is to be left alone. */
export interface Successor extends OwnTree {
  /** The start time of a process that would have begun with it: its main process may have waited for it long before. */
  readonly since: number;
  /** The log that it writes to, be it one of those looked for; null where that is not known. */
  readonly log: FileId | null;
}

/** What was found for one {@link Traces}. */
export interface Remains {
  readonly processes: readonly ProcessStat[];
  /** Every process could be looked into, so that an empty list means there is nothing. */
  readonly complete: boolean;
}

interface Request {
  readonly traces: Traces;
  readonly resolve: (remains: Remains) => void;
}

/** Answers any number of searches with one walk over /proc; one walk at a time. */
export class EscapeeFinder {
  readonly #host: Host;
  readonly #table: ProcessTable;
  readonly #instance: string;
  readonly #upkeepPid: number;
  #waiting: Request[] = [];
  #walking = false;
  /** How long the last walk took, in ms: who searches in the background spaces the searches by it. */
  last_duration = 0;

  constructor(host: Host, table: ProcessTable, instance: string, upkeepPid: number) {
    this.#host = host;
    this.#table = table;
    this.#instance = instance;
    this.#upkeepPid = upkeepPid;
  }

  /** Looks for what is left of an incarnation. The look begins after the call. */
  find(traces: Traces): Promise<Remains> {
    return new Promise((resolve) => {
      this.#waiting.push({ traces, resolve });
      if (!this.#walking) void this.#walk();
    });
  }

  async #walk(): Promise<void> {
    this.#walking = true;
    const { clock } = this.#host;
    while (this.#waiting.length > 0) {
      const requests = this.#waiting;
      this.#waiting = [];
      const begun = clock.mono();
      const found = await this.#search(requests.map((request) => request.traces));
      this.last_duration = clock.mono() - begun;
      for (const [index, { resolve }] of requests.entries()) {
        resolve({ processes: found.remains[index] ?? [], complete: found.complete });
      }
    }
    this.#walking = false;
  }

  async #search(wanted: readonly Traces[]): Promise<{ remains: ProcessStat[][]; complete: boolean }> {
    const { processes, clock } = this.#host;
    const snapshot = await this.#table.snapshot(0);
    const remains: ProcessStat[][] = wanted.map(() => []);
    const byJob = new Map<string, number[]>();
    const byFile = new Map<string, [number, FileId][]>();
    for (const [index, traces] of wanted.entries()) {
      byJob.set(traces.job_id, [...(byJob.get(traces.job_id) ?? []), index]);
      for (const file of traces.files) {
        byFile.set(fileKey(file), [...(byFile.get(fileKey(file)) ?? []), [index, file]]);
      }
    }
    const files = wanted.flatMap((traces) => traces.files);
    const successors = wanted.map((traces) => traces.successor());
    const led = wanted.map(({ identity }) =>
      identity !== null && snapshot.isLedBy(identity) ? identity.pid : null,
    );
    const earliest = Math.min(
      ...wanted.map(({ identity }) => identity?.start_time ?? Number.POSITIVE_INFINITY),
    );
    const since = Math.min(
      ...wanted.map((traces) => (traces.files.length === 0 ? Number.POSITIVE_INFINITY : traces.since)),
    );
    const mayBeOf = ({ start_time }: ProcessStat, successor: Successor | null): boolean =>
      successor !== null && start_time >= successor.since;
    const isOldEnough = ({ start_time }: ProcessStat, { identity }: Traces): boolean =>
      identity !== null && start_time >= identity.start_time;
    // Nothing of a later incarnation was given a log that its start has set aside.
    const isWriterOf = (
      stat: ProcessStat,
      file: FileId,
      traces: Traces,
      later: Successor | null,
    ): boolean => {
      // upkeep's own helpers work on logs. Only to the first process of a machine do orphans come.
      if (stat.ppid === this.#upkeepPid && this.#upkeepPid !== 1) return false;
      if (!isOldEnough(stat, traces) && stat.started_ms < traces.since) return false;
      if (!traces.isLog(file)) return false;
      if (later === null || !mayBeOf(stat, later)) return true;
      const setAside = later.log !== null && fileKey(later.log) !== fileKey(file);
      return setAside && !isOwnProcess(stat.pid, later, processes);
    };
    let complete = true;

    const visit = (stat: ProcessStat): void => {
      const mark = parseMark(processes.environ(stat.pid)?.get(MARKER));
      const ours = mark !== null && mark.instance === this.#instance;
      const hits = new Set<number>();
      for (const index of ours ? (byJob.get(mark.job_id) ?? []) : []) {
        if (mark !== null && mark.incarnation <= (wanted[index]?.incarnation ?? -1)) hits.add(index);
      }
      // A process that says it is some other live incarnation's is nobody's remains.
      if (!ours) {
        const writing = processes.writersOf(files, [stat.pid]);
        complete &&= writing.complete;
        for (const [index, traces] of wanted.entries()) {
          const later = successors[index] ?? null;
          const inSession = stat.session === led[index] || traces.sessions.has(stat.session);
          if (inSession && isOldEnough(stat, traces) && !mayBeOf(stat, later)) hits.add(index);
        }
        for (const key of writing.writers.keys()) {
          for (const [index, file] of byFile.get(key) ?? []) {
            const traces = wanted[index];
            if (traces !== undefined && isWriterOf(stat, file, traces, successors[index] ?? null))
              hits.add(index);
          }
        }
      }
      for (const index of hits) remains[index]?.push(stat);
    };

    // upkeep and what it was started from: younger than a job that it has adopted, and still nobody's remains.
    const above = new Set<number>();
    for (
      let pid = this.#upkeepPid;
      pid > 0 && !above.has(pid);
      pid = snapshot.processes.get(pid)?.ppid ?? 0
    ) {
      above.add(pid);
    }
    const candidates = [...snapshot.processes.values()].filter(
      (stat) =>
        stat.pid > 2 &&
        stat.ppid !== 2 &&
        !above.has(stat.pid) &&
        (stat.start_time >= earliest || stat.started_ms >= since),
    );
    await inSlices(clock, candidates, visit);
    return { remains, complete };
  }
}
