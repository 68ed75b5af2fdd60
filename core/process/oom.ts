/**
 * Recognises a death by the kernel's out-of-memory killer, where the kernel says so.
 */
import { constants } from 'node:fs';
import type { Files } from '../host/host.ts';

/** How sure it is: the kernel's log names the pid, or only its counter rose. Null: it was not the kernel. */
export type OomVerdict = 'certain' | 'inferred' | null;

/** A kernel log is read up to this many records; each read gives one. */
const MAX_RECORDS = 20_000;

/** Compares the kernel's count of OOM kills with what it was at the last question. */
export class OomWitness {
  readonly #files: Files;
  #count: number | null;

  constructor(files: Files) {
    this.#files = files;
    this.#count = this.#readCount();
  }

  /** Whether the kernel killed `pid` for want of memory. To be asked once for each unexplained SIGKILL. */
  verdict(pid: number): OomVerdict {
    const before = this.#count;
    this.#count = this.#readCount();
    if (before === null || this.#count === null || this.#count <= before) return null;
    const named = this.#kernelLogNames(pid);
    if (named === null) return 'inferred';
    return named ? 'certain' : null;
  }

  #readCount(): number | null {
    try {
      const match = /^oom_kill (\d+)$/m.exec(this.#files.readFileSync('/proc/vmstat', 'latin1'));
      return match === null ? null : Number(match[1]);
    } catch {
      return null;
    }
  }

  /** Null where the kernel's log is not ours to read. */
  #kernelLogNames(pid: number): boolean | null {
    let fd: number;
    try {
      fd = this.#files.openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      return null;
    }
    const needle = `Killed process ${pid} (`;
    const record = Buffer.alloc(8192);
    try {
      for (let count = 0; count < MAX_RECORDS; count += 1) {
        try {
          const length = this.#files.readSync(fd, record, 0, record.length, null);
          if (record.toString('latin1', 0, length).includes(needle)) return true;
        } catch (error) {
          // EPIPE: records were overwritten while we read; the next read goes on with the oldest that is left.
          if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return false;
        }
      }
      return false;
    } finally {
      this.#files.closeSync(fd);
    }
  }
}
