/**
 * The work on a job's log that takes time: rotation, retention, compression. It is done in rounds, one at a time for
 * a job and few at a time in all, so that a thousand logs do not fill Node's thread pool.
 */
import type { Host } from '../host/host.ts';
import { Lane } from '../host/lane.ts';
import { turn } from '../host/slices.ts';
import { reason } from '../job/reason.ts';
import type { LogFacts } from '../plugin/log_rotator.ts';
import { codecNamed } from './codec.ts';
import { compressSegment } from './compression.ts';
import { isMissing, readText } from './index_file.ts';
import type { JobLog } from './job_log.ts';
import type { LogFile } from './log_file.ts';
import { incarnationAt, newIndex, parseIndex } from './log_index.ts';
import type { LogJob } from './log_job.ts';
import type { LogsOptions } from './options.ts';
import { type HeadMethod, isRemovalUnderWay, probeHeadMethod, removeHead } from './removal.ts';
import { type HeadStep, planHead } from './retention.ts';
import { copyAndTruncate, cutHead } from './rotation.ts';
import { askRotators, type RotationWish } from './rotation_rule.ts';
import { compareSegments, formatSegment, type SegmentName } from './segment_name.ts';
import { removeSegment, retainSegments } from './segments.ts';

/** Rounds at a time. */
const ROUNDS = 2;
/** Segments taken off one log in a round, at most: then it is the next log's turn. */
const MAX_STEPS = 16;
/** After a round that failed, the next one waits so long, ms. */
const RETRY_INTERVAL = 5_000;

const LOSSY =
  'rotating this log can lose lines: the file system can neither collapse nor punch the head of a file, so it is copied and truncated';

/** Does the rounds. */
export class Keeper {
  readonly #options: LogsOptions;
  readonly #host: Host;
  readonly #rounds = new Lane(ROUNDS);
  readonly #compressions = new Lane(1);
  /** Rotators that have thrown: each is reported once. */
  readonly #broken = new Set<string>();
  #method: Promise<HeadMethod> | null = null;

  constructor(options: LogsOptions) {
    this.#options = options;
    this.#host = options.host;
  }

  /**
   * Whether the next incarnation gets a fresh log.
   *
   * @param size Bytes in the active log that can be read.
   * @param begunAt When the first of them was written, ms since the epoch.
   */
  rotatesAtRestart(job: LogJob, size: number, begunAt: number): boolean {
    const facts = { occasion: 'restart', size, begun_at: begunAt, now: this.#host.clock.wall() } as const;
    return this.#ask(job, facts).segment !== null;
  }

  /** What is to be done with the head of the active log, and when to ask again at the latest, ms since the epoch. */
  plan(log: JobLog, file: LogFile, end: number): { readonly step: HeadStep; readonly next_at: number } {
    const live = end - file.head;
    const now = this.#host.clock.wall();
    const facts = { occasion: 'look', size: live, begun_at: file.begun_at, now } as const;
    const { segment, next_at } = this.#ask(log.job, facts);
    const whole = segment !== null && segment >= live;
    const active = { live, taken: file.head - file.base, block: file.block, segment, whole };
    return { step: planHead(active, log.job.policy), next_at };
  }

  /** A rotator that throws has no say: neither a service's start nor the bounds of its log depend on it. */
  #ask(job: LogJob, facts: LogFacts): RotationWish {
    const { rotators, report } = this.#options;
    return askRotators(rotators, job.policy, facts, (type, error) => {
      if (this.#broken.has(type)) return;
      this.#broken.add(type);
      const message = `the log rotator "${type}" failed: ${(error as Error).message}`;
      report(job, reason('LOG_DEGRADED', message, { rotator: type }));
    });
  }

  /** One round: everything that there is to do for a job's log, but for compression. Never rejects. */
  async round(log: JobLog): Promise<void> {
    try {
      await this.#rounds.run(async () => {
        // A round may find nothing to wait for: a thousand in a row would not let the event loop turn.
        await turn(this.#host.clock);
        await this.#round(log);
      });
      log.degraded = false;
    } catch (error) {
      this.failed(log, error);
    }
  }

  /** Compresses every segment of a job that nobody writes to. Never rejects. */
  async compress(log: JobLog): Promise<void> {
    try {
      await this.#compressions.run(async () => {
        await turn(this.#host.clock);
        await this.#compress(log);
      });
    } catch (error) {
      log.compressible = true;
      this.failed(log, error);
    }
  }

  /** Says once that the upkeep of a log fails, and puts the next try off. */
  failed(log: JobLog, error: unknown): void {
    log.retry_at = this.#host.clock.mono() + RETRY_INTERVAL;
    log.dirty = true;
    if (log.degraded) return;
    log.degraded = true;
    const message = `could not rotate, compress or bound the log: ${(error as Error).message}`;
    this.#options.report(log.job, reason('LOG_DEGRADED', message));
  }

  async #round(log: JobLog): Promise<void> {
    // Of a removal that the last round, or an upkeep that died, has left to the kernel.
    for (const file of [...log.sealed, log.active]) {
      if (file !== null && file.removal !== null && !isRemovalUnderWay(this.#host, file))
        file.settleRemoval();
    }
    try {
      if (log.active !== null) await this.#rotate(log, log.active);
      for (const key of log.released.splice(0)) {
        const file = log.sealed.find((sealed) => sealed.key === key);
        if (file !== undefined) await this.#finish(log, file);
      }
    } finally {
      // Above all where the disk is full.
      await retainSegments(this.#host, log);
    }
  }

  /** Takes segments off the head until the rotators are content. */
  async #rotate(log: JobLog, file: LogFile): Promise<void> {
    if (file.removal !== null || this.#planNow(log, file).action === 'keep') return;
    const method = await this.#headMethod(file.block);
    if (method === 'truncate') return this.#rotateByCopy(log, file);
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      // Its name has to be claimed before a restart can set the file aside: then it is no more the active log.
      if (log.active !== file || file.removal !== null) return;
      const step = this.#planNow(log, file);
      if (step.action === 'keep') break;
      if (step.action === 'drop') log.drop(file, file.head + step.bytes);
      else if (!(await cutHead(this.#host, log, file, step.bytes, this.#claimName(log, file)))) return;
      // A collapse waits until the rest of the file is on disk. What is given up under a flood cannot wait so long.
      await removeHead(this.#host, file, step.action === 'drop' ? 'punch' : method);
      await retainSegments(this.#host, log);
    }
    if (method === 'collapse') await removeHead(this.#host, file, method);
  }

  /** The same where a head cannot be taken out: whole segments, then one with all the rest, then the truncation. */
  async #rotateByCopy(log: JobLog, file: LogFile): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS && log.active === file; steps++) {
      const step = this.#planNow(log, file);
      if (step.action === 'keep') break;
      if (step.action === 'drop') log.drop(file, file.head + step.bytes);
      else if (this.#end(file) - file.head < 2 * step.bytes) break;
      else if (!(await cutHead(this.#host, log, file, step.bytes, this.#claimName(log, file)))) return;
    }
    if (log.active !== file) return;
    if (!log.lossy) this.#options.report(log.job, reason('LOG_LOSSY', LOSSY));
    log.lossy = true;
    await copyAndTruncate(this.#host, log, file, this.#claimName(log, file));
  }

  /** Asked for once: all logs are on one file system. */
  #headMethod(block: number): Promise<HeadMethod> {
    this.#method ??= probeHeadMethod(this.#host, this.#options.dir, block).catch((error: unknown) => {
      this.#method = null;
      throw error;
    });
    return this.#method;
  }

  #planNow(log: JobLog, file: LogFile): HeadStep {
    return this.plan(log, file, this.#end(file)).step;
  }

  #claimName(log: JobLog, file: LogFile): SegmentName {
    return log.claimName(incarnationAt(file.readIndex(), file.head));
  }

  /** Where a file ends, by its name; where its head is if somebody has removed it. */
  #end(file: LogFile): number {
    try {
      return file.base + this.#host.files.lstatSync(file.path).size;
    } catch (error) {
      if (isMissing(error)) return file.head;
      throw error;
    }
  }

  /** Nobody can write to a segment any more. */
  async #finish(log: JobLog, file: LogFile): Promise<void> {
    const { name } = file;
    if (name === null) return;
    if (file.removal !== null) {
      log.released.push(file.key);
      return;
    }
    const live = this.#end(file) - file.head;
    const files = { name, plain: true, packed: null, index: true };
    // Compression leaves out what is not to be read. Without it, a copy does: the hole of a punched head would read
    // as zeros to everybody else.
    const hole = codecNamed(log.job.policy.compress) === null && file.head > file.base;
    const copy = { incarnation: name.incarnation, number: name.number + 1 };
    const taken = log.layout().segments.some((segment) => compareSegments(segment.name, copy) === 0);
    const copied = live > 0 && hole && !taken && (await cutHead(this.#host, log, file, live, copy));
    if (live <= 0 || copied) await removeSegment(this.#host, log, files);
    else file.finish();
    log.forget(file);
  }

  async #compress(log: JobLog): Promise<void> {
    log.compressible = false;
    const codec = codecNamed(log.job.policy.compress);
    if (codec === null) return;
    for (const { name, plain, packed } of log.layout().segments) {
      const stem = formatSegment(name);
      const written = log.sealed.some((file) => file.name !== null && formatSegment(file.name) === stem);
      if (!plain || packed !== null || written) continue;
      const text = readText(this.#host.files, log.path(`${stem}.idx`));
      const { head, base } = parseIndex(text, newIndex('done', name.incarnation, 0));
      await compressSegment(this.#host, log.path(`${stem}.log`), head - base, codec);
    }
    log.dirty = true;
  }
}
