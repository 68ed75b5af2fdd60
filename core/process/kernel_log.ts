/**
 * What the kernel's log says about processes that it killed for want of memory.
 */
import { constants } from 'node:fs';
import type { Files } from '../host/host.ts';

/** One process that the kernel killed. */
export interface Kill {
  readonly pid: number;
  /** Its name, as the kernel cuts it. */
  readonly name: string;
  /** Null where the kernel is too old to say. */
  readonly uid: number | null;
  /** Its memory cgroup, from the hierarchy's root; null where the kernel said nothing of it. */
  readonly cgroup: string | null;
}

/** Larger than any record: with less room the kernel would refuse it again and again. */
const RECORD_SIZE = 16 * 1024;
/** Records are read up to this many at a time; more than any kernel's buffer holds. */
const MAX_RECORDS = 200_000;

const SUMMARY = /oom-kill:.*task_memcg=(.*),task=.*,pid=(\d+),uid=\d+/;
const KILLED = /Killed process (\d+) \((.*)\),? total-vm:(?:.* UID:(\d+))?/;

/** Reads on where it stopped the last time. Costs one system call while nothing is new. */
export class KernelLog {
  readonly #files: Files;
  #fd: number | null;
  readonly #record = Buffer.alloc(RECORD_SIZE);
  readonly #cgroups = new Map<number, string>();

  constructor(files: Files) {
    this.#files = files;
    this.#fd = open(files);
  }

  /** False where the log is not ours to read, or names processes by numbers that mean nothing here. */
  get readable(): boolean {
    return this.#fd !== null;
  }

  /** Who was killed since the last call, oldest first; the first call begins with the oldest that the kernel has kept. */
  read(): Kill[] {
    const kills: Kill[] = [];
    for (let count = 0; count < MAX_RECORDS; count += 1) {
      const text = this.#next();
      if (text === null) break;
      const [, cgroup = '', of] = SUMMARY.exec(text) ?? [];
      if (of !== undefined) this.#cgroups.set(Number(of), cgroup);
      const [, pid, name = '', uid] = KILLED.exec(text) ?? [];
      if (pid === undefined) continue;
      const known = this.#cgroups.get(Number(pid)) ?? null;
      this.#cgroups.delete(Number(pid));
      kills.push({ pid: Number(pid), name, uid: uid === undefined ? null : Number(uid), cgroup: known });
    }
    return kills;
  }

  /** Lets go of the log. */
  close(): void {
    if (this.#fd !== null) this.#files.closeSync(this.#fd);
    this.#fd = null;
  }

  #next(): string | null {
    if (this.#fd === null) return null;
    for (;;) {
      try {
        const length = this.#files.readSync(this.#fd, this.#record, 0, RECORD_SIZE, null);
        return length === 0 ? null : this.#record.toString('latin1', 0, length);
      } catch (error) {
        // EPIPE: records were overwritten before we came to them; the next read goes on with the oldest that is left.
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') return null;
      }
    }
  }
}

/** The inode of the first pid namespace, fixed by the kernel. The log counts pids in that one. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

function open(files: Files): number | null {
  try {
    if (files.readlinkSync('/proc/self/ns/pid') !== FIRST_PID_NAMESPACE) return null;
    return files.openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

/** The pid that was handed out last; null where that cannot be told. */
export function lastPid(files: Files): number | null {
  try {
    const [, pid] = / (\d+)\n$/.exec(files.readFileSync('/proc/loadavg', 'latin1')) ?? [];
    return pid === undefined ? null : Number(pid);
  } catch {
    return null;
  }
}
