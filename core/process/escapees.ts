/**
 * Finds what a job's incarnation left behind outside its process group: by the marker in its environment, by its session
 * (that of the main process, which a shell with job control keeps though it gives each pipeline a group of its own, or
 * one seen in the tree while that lived), or because it has the job's log open for writing (postgres gives each of its
 * children a session of its own and wipes the environment).
 */
import { type FileId, fileKey, type Host, type ProcessStat } from '../host/host.ts';
import { inSlices } from '../host/slices.ts';
import type { Identity } from './identity.ts';
import { MARKER, parseMark } from './marker.ts';
import type { ProcessTable } from './process_table.ts';

/** One incarnation whose remains are looked for. */
export interface Traces {
  readonly job_id: string;
  /** This incarnation and all earlier ones of the job are looked for. */
  readonly incarnation: number;
  /** Its main process; nothing that started before it can belong to it. */
  readonly identity: Identity;
  /** Sessions seen in its tree, beside the one that its main process leads. */
  readonly sessions: ReadonlySet<number>;
  /** Its log, which only it writes to while no later incarnation shares it. */
  readonly files: readonly FileId[];
  /**
   * When the next incarnation began (a `start_time`), asked for when the look begins: what is younger may be of that
   * one, and without a marker nobody could tell. Infinity while there is none.
   */
  bornBefore(): number;
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
    const earliest = Math.min(...wanted.map((traces) => traces.identity.start_time));
    const byJob = new Map<string, number[]>();
    const byFile = new Map<string, number[]>();
    for (const [index, traces] of wanted.entries()) {
      byJob.set(traces.job_id, [...(byJob.get(traces.job_id) ?? []), index]);
      for (const file of traces.files) {
        byFile.set(fileKey(file), [...(byFile.get(fileKey(file)) ?? []), index]);
      }
    }
    const files = wanted.flatMap((traces) => traces.files);
    const bounds = wanted.map((traces) => traces.bornBefore());
    const led = wanted.map(({ identity }) => (snapshot.isLedBy(identity) ? identity.pid : null));
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
        for (const key of writing.writers.keys()) for (const index of byFile.get(key) ?? []) hits.add(index);
        for (const [index, traces] of wanted.entries()) {
          if (stat.session === led[index] || traces.sessions.has(stat.session)) hits.add(index);
          if (stat.start_time < traces.identity.start_time || stat.start_time >= (bounds[index] ?? 0))
            hits.delete(index);
        }
      }
      for (const index of hits) remains[index]?.push(stat);
    };

    const candidates = [...snapshot.processes.values()].filter(
      (stat) =>
        stat.pid > 2 && stat.ppid !== 2 && stat.pid !== this.#upkeepPid && stat.start_time >= earliest,
    );
    await inSlices(clock, candidates, visit);
    return { remains, complete };
  }
}
