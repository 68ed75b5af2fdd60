/**
 * One look at one log: has it grown, was it shortened, is there work to begin?
 */
import type { Stats } from 'node:fs';
import { reason } from '../job/reason.ts';
import type { JobLog } from './job_log.ts';
import type { Keeper } from './keeper.ts';
import type { LogFile } from './log_file.ts';
import type { LogsOptions } from './options.ts';
import { allowance } from './rotation_rule.ts';
import { FIRST_DELAY, lookDelay, nextLook, notLaterThan } from './schedule.ts';

/** How often the segments that somebody may still write to are seen to, ms. */
const SEALED_INTERVAL = 10_000;

/** Looks at logs, and begins the rounds of work that they need. */
export class Watch {
  readonly #options: LogsOptions;
  readonly #keeper: Keeper;
  readonly #done: (log: JobLog) => void;
  readonly #work = new Set<Promise<void>>();

  /** @param done Called when a piece of work has ended, well or badly. */
  constructor(options: LogsOptions, keeper: Keeper, done: (log: JobLog) => void) {
    this.#options = options;
    this.#keeper = keeper;
    this.#done = done;
  }

  /** Resolves once no work is under way. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /**
   * Looks at a log and says in it when to look again.
   *
   * @param now Monotonic ms.
   */
  look(log: JobLog, now: number): void {
    const { rotators, host } = this.#options;
    let grown = 0;
    let elapsed = 1;
    let wanted = false;
    log.rotate_at = Number.POSITIVE_INFINITY;
    try {
      const { active, fd } = log;
      // While its head is leaving the file, nobody can tell its length without waiting for the kernel.
      if (active !== null && active.removal !== null) wanted = true;
      else if (active !== null && fd !== null) {
        const before = active.end;
        wanted = this.#lookAtActive(log, active, fd);
        grown = Math.max(0, active.end - before);
        elapsed = now - log.seen_at;
        log.seen_at = now;
      }
    } catch (error) {
      this.#keeper.failed(log, error);
    }
    if (grown > 0) log.audience.wake();
    const rate = grown / Math.max(1, elapsed);
    const bound = rate > 0 ? allowance(rotators, log.job.policy, host.clock.wall()) : 0;
    log.delay = lookDelay({ rate, allowance: bound, delay: log.delay, followed: log.audience.waiting });
    this.#begin(log, wanted, now);
    const next = log.resting ? Number.POSITIVE_INFINITY : nextLook(now, log.delay);
    log.due = notLaterThan(next, now, Math.min(log.rotate_at, log.expires_at) - host.clock.wall());
  }

  /** Returns whether its head is to be taken out, or segments are to go. */
  #lookAtActive(log: JobLog, file: LogFile, fd: number): boolean {
    const { files, clock } = this.#options.host;
    const stat = files.fstatSync(fd);
    const end = file.base + stat.size;
    if (end < file.end) this.#shortened(log, file, stat);
    else file.note(end, clock.wall());
    const { max_total } = log.job.policy;
    const size = file.end - file.head;
    if (stat.nlink === 0) {
      // Nobody can read a log that was removed. What is written to it would fill the disk unseen.
      if (size > max_total) files.ftruncateSync(fd, 0);
      return false;
    }
    const { step, next_at } = this.#keeper.plan(log, file, file.end);
    log.rotate_at = next_at;
    return step.action !== 'keep' || log.archived + size > max_total;
  }

  #shortened(log: JobLog, file: LogFile, { size, nlink }: Stats): void {
    const evidence = { size_before: file.end - file.base, size };
    file.rebase(size);
    file.witness(file.head, this.#options.host.clock.wall());
    log.audience.wake();
    if (nlink === 0) return;
    const message = `something else than upkeep shortened the log from ${evidence.size_before} to ${size} bytes`;
    this.#options.report(log.job, reason('LOG_TRUNCATED', message, evidence));
  }

  #begin(log: JobLog, wanted: boolean, now: number): void {
    if (log.sealed.length > 0 && now - log.tidied_at >= SEALED_INTERVAL) log.dirty = true;
    if (log.expires_at <= this.#options.host.clock.wall()) {
      log.expires_at = Number.POSITIVE_INFINITY;
      log.dirty = true;
    }
    if (now < log.retry_at) return;
    if (!log.busy && (wanted || log.dirty || log.released.length > 0)) {
      log.busy = true;
      log.tidied_at = now;
      this.#run(log, this.#keeper.round(log), () => {
        log.busy = false;
      });
    }
    // Under a flood most segments are gone before they are compressed.
    if (log.compressible && !log.compressing && log.delay >= FIRST_DELAY) {
      log.compressing = true;
      this.#run(log, this.#keeper.compress(log), () => {
        log.compressing = false;
      });
    }
  }

  #run(log: JobLog, work: Promise<void>, over: () => void): void {
    const whole = work.then(() => {
      over();
      this.#work.delete(whole);
      this.#done(log);
    });
    this.#work.add(whole);
  }
}
