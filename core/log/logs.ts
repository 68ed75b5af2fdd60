/**
 * The logs of all jobs: opened on the restart path, looked at from time to time, rotated, bounded, read.
 */
import { type FileId, fileKey } from '../host/host.ts';
import { reason } from '../job/reason.ts';
import type { LogQuery } from '../supervisor/control.ts';
import { CODECS } from './codec.ts';
import { type JobLog, makeFolder, namesIn, type OpenedLog } from './job_log.ts';
import { Keeper } from './keeper.ts';
import { CURRENT, readLayout } from './layout.ts';
import {
  type LineQuery,
  type LogLine,
  pageOfLines,
  type SearchBudget,
  type SearchQuery,
  searchLines,
} from './line_query.ts';
import type { LogJob, LogPolicy } from './log_job.ts';
import type { LogsOptions } from './options.ts';
import { readLog } from './read.ts';
import { loadJobLog } from './recovery.ts';
import { FIRST_DELAY, FOLLOWED_DELAY } from './schedule.ts';
import { formatSegment } from './segment_name.ts';
import { tailLines } from './tail.ts';
import { Watch } from './watch.ts';

/** How long one look may hold the event loop, ms. */
const LOOK_SLICE = 3;
/** A job whose spec is not known any more: nothing is done to its log. */
const LEAVE_ALONE: LogPolicy = {
  rotate: [],
  keep: Number.POSITIVE_INFINITY,
  max_total: Number.POSITIVE_INFINITY,
  max_age: null,
  compress: 'none',
};

/**
 * See the top of this file. There is no timer in here: whoever owns it calls {@link Logs.look}.
 *
 * @example
 * ```ts
 * const logs = new Logs({ host, dir: '/var/lib/upkeep/logs', rotators, report });
 * const { fd } = logs.open(job, 0);
 * ```
 */
export class Logs {
  readonly #options: LogsOptions;
  readonly #keeper: Keeper;
  readonly #watch: Watch;
  readonly #jobs = new Map<string, JobLog>();
  /** The folder of all logs by its real path, once it is there. */
  #dir: string | null = null;
  readonly #followed = (log: JobLog): void => this.#hurry(log, FOLLOWED_DELAY);
  /** When the next look was asked for, monotonic ms. */
  #next = Number.POSITIVE_INFINITY;

  constructor(options: LogsOptions) {
    this.#options = options;
    this.#keeper = new Keeper(options);
    this.#watch = new Watch(options, this.#keeper, (log) => this.#hurry(log, 0));
  }

  /**
   * The log for an incarnation that is about to be spawned: set aside and begun afresh, or gone on with, as the
   * job's rotators say. Synchronous and a handful of system calls, for it is on the restart path; a rotation that is
   * under way goes on with the file that was set aside.
   *
   * @returns `fd` is for the program's output and stays open here; do not close it. `rotated` is the log that was
   * active before and is a segment now: it may still have writers, see {@link Logs.release}.
   * @throws an `ErrnoException` where no log can be opened.
   */
  open(job: LogJob, incarnation: number): OpenedLog {
    const log = this.#load(job, incarnation);
    log.job = job;
    const { problem, ...opened } = log.open(incarnation, (size, begunAt) =>
      this.#keeper.rotatesAtRestart(job, size, begunAt),
    );
    if (problem !== null) {
      const message = `the log has no index: ${(problem as Error).message}`;
      this.#options.report(job, reason('LOG_DEGRADED', message));
    }
    log.delay = FIRST_DELAY;
    log.seen_at = this.#options.host.clock.mono();
    this.#hurry(log, FIRST_DELAY);
    return opened;
  }

  /**
   * Takes up the log of a job that this upkeep has not opened, and finishes what was interrupted.
   *
   * @param incarnation Whose the active log is, where its index is lost.
   */
  resume(job: LogJob, incarnation: number): void {
    const log = this.#load(job, incarnation);
    log.job = job;
    log.resume();
    this.#hurry(log, 0);
  }

  /** The `logs` of a job's action are others now: they hold from here on, for what has been written already too. */
  respecify(job: LogJob): void {
    const log = this.#jobs.get(job.job_id);
    if (log === undefined) return;
    log.job = job;
    log.dirty = true;
    log.compressible = true;
    this.#hurry(log, 0);
  }

  /** Sees to it that a job's segments go when they are too old, though nothing writes to its log. */
  tend(job: LogJob): void {
    if (job.policy.max_age !== null) this.#load(job, 0);
  }

  /**
   * The segments of a job that may still have writers, oldest first. After a restart of upkeep these are all that
   * were never released.
   *
   * @param incarnation Whose the active log is, where its index is lost.
   */
  sealed(job: LogJob, incarnation: number): readonly FileId[] {
    return this.#load(job, incarnation).sealed.map(({ id }) => id);
  }

  /** The last writer of a segment is known to be gone: it may be compressed. */
  release(job: LogJob, file: FileId): void {
    const log = this.#load(job, 0);
    log.released.push(fileKey(file));
    this.#hurry(log, 0);
  }

  /**
   * Looks at every open log whose time has come: its size, its index, its bounds. What takes time is begun here and
   * goes on by itself.
   *
   * @param now Monotonic ms.
   * @returns when to be called next, monotonic ms; infinite while there is nothing to look at.
   */
  look(now: number): number {
    const { clock } = this.#options.host;
    const until = clock.mono() + LOOK_SLICE;
    this.#next = Number.POSITIVE_INFINITY;
    for (const [id, log] of this.#jobs) {
      if (log.due <= now) {
        // The rest is looked at in the next turn of the event loop: those that were come later then.
        if (clock.mono() >= until) {
          this.#next = now;
          break;
        }
        this.#watch.look(log, now);
        if (log.idle) this.#jobs.delete(id);
      }
      this.#next = Math.min(this.#next, log.due);
    }
    return this.#next;
  }

  /** The job is at rest: its log stays as it is, and is not looked at any more. */
  close(jobId: string): void {
    this.#jobs.get(jobId)?.close();
  }

  /** Lets every descriptor go. */
  closeAll(): void {
    for (const log of this.#jobs.values()) log.close();
    this.#jobs.clear();
  }

  /** Resolves once no work is under way. */
  async settled(): Promise<void> {
    await this.#watch.settled();
  }

  /** Removes the log of a job that will not be opened again, and nothing but what upkeep has made. */
  async remove(job: LogJob): Promise<void> {
    const { files } = this.#options.host;
    const log = this.#load(job, 0);
    const { dir } = log;
    log.close();
    while (log.busy || log.compressing) await this.#watch.settled();
    this.#jobs.delete(job.job_id);
    const names = namesIn(files, dir);
    const { segments, temporary } = readLayout(names);
    const stems = [CURRENT, ...segments.map(({ name }) => formatSegment(name))];
    const ours = new Set([
      ...temporary,
      ...stems.flatMap((stem) => [`${stem}.log`, `${stem}.idx`]),
      ...stems.flatMap((stem) => CODECS.map(({ suffix }) => `${stem}.log.${suffix}`)),
    ]);
    for (const name of names) if (ours.has(name)) files.unlinkSync(`${dir}/${name}`);
    if (names.length > 0 && namesIn(files, dir).length === 0) files.rmdirSync(dir);
  }

  /** The log of a job whose spec is not known any more, to be read. */
  past(job: Omit<LogJob, 'policy'>): LogJob {
    return { ...job, policy: LEAVE_ALONE };
  }

  /** What a query asks for, in chunks of up to 64 KiB, oldest first. Ends at the end. */
  async *read(job: LogJob, query: LogQuery): AsyncIterable<Uint8Array> {
    yield* readLog(this.#options.host, this.#load(job, 0), query, null);
  }

  /** The same, then what is written from then on, over restarts and rotations, until the signal aborts. */
  async *follow(job: LogJob, query: LogQuery, signal: AbortSignal): AsyncIterable<Uint8Array> {
    yield* readLog(this.#options.host, this.#load(job, 0), query, signal);
  }

  /** A page of lines, oldest first. `next` is where the next one begins; null where nothing follows for now. */
  lines(job: LogJob, query: LineQuery, limit: number): Promise<{ lines: LogLine[]; next: string | null }> {
    return pageOfLines(this.#options.host, this.#load(job, 0), query, limit);
  }

  /** Lines that match, as far as the budget goes; `next` is null where the log was searched to its end. */
  search(
    job: LogJob,
    query: SearchQuery,
    budget: SearchBudget,
    signal: AbortSignal,
  ): Promise<{ lines: LogLine[]; next: string | null }> {
    return searchLines(this.#options.host, this.#load(job, 0), query, budget, signal);
  }

  /**
   * The last lines of an incarnation (of the whole log where it is null), at once: not more than lie in its last
   * 64 KiB.
   */
  tail(job: LogJob, incarnation: number | null, lines: number): string[] {
    return tailLines(this.#options.host, this.#load(job, 0), incarnation, lines);
  }

  /** The file that a job's output goes to; null where none is open here. */
  activeFile(jobId: string): FileId | null {
    return this.#jobs.get(jobId)?.active?.id ?? null;
  }

  /**
   * Whether a file is a log of the job that somebody may still write to. Its number alone does not tell: that of a file
   * which was removed is given to the next one.
   */
  has(job: LogJob, file: FileId): boolean {
    try {
      return this.#load(job, 0).has(file);
    } catch {
      // What lies there is no log.
      return false;
    }
  }

  /** The job's log, from its folder where it is not known yet. */
  #load(job: LogJob, incarnation: number): JobLog {
    const known = this.#jobs.get(job.job_id);
    if (known !== undefined) return known;
    const { host, dir } = this.#options;
    if (this.#dir === null) {
      makeFolder(host.files, dir);
      this.#dir = host.files.realpathSync(dir);
    }
    const log = loadJobLog(host, this.#dir, job, incarnation, this.#followed);
    this.#jobs.set(job.job_id, log);
    this.#hurry(log, 0);
    return log;
  }

  /** Has a log looked at within `delay` ms. */
  #hurry(log: JobLog, delay: number): void {
    log.due = Math.min(log.due, this.#options.host.clock.mono() + delay);
    if (log.due >= this.#next) return;
    this.#next = log.due;
    this.#options.wake?.();
  }
}
