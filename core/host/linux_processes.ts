/**
 * The process table of Linux, read from /proc.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Identity } from '../process/identity.ts';
import {
  type FileId,
  fileKey,
  type Liveness,
  type Processes,
  type ProcessStat,
  type SignalOutcome,
} from './host.ts';
import { ProcReader } from './proc_reader.ts';
import { type ProcStatLine, parseProcStat } from './proc_stat.ts';
import { groupExists, signalGroup, signalProcess } from './signals.ts';

/** The unit of start times in ms: USER_HZ is 100 on every architecture that Node runs on. */
const TICK = 10;
/** The access mode in open flags: anything but O_RDONLY, which is 0, writes. */
const ACCESS_MODE = 0o3;
/** Where the unified hierarchy of cgroups is mounted: alone, or beside the older ones. */
const HIERARCHIES = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

/**
 * The process table of this machine.
 *
 * @throws where /proc is not mounted.
 */
export function linuxProcesses(): Processes {
  return new LinuxProcesses();
}

class LinuxProcesses implements Processes {
  readonly boot_id = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  readonly #reader = new ProcReader();
  readonly #uptime = openSync('/proc/uptime', 'r');

  list(): number[] {
    const names = this.#reader.attempt(() => readdirSync('/proc')) ?? [];
    return names.map(Number).filter(Number.isInteger);
  }

  stat(pid: number): ProcessStat | null {
    const line = this.#line(pid);
    return line && { pid, ...line, started_ms: this.#bootedAt() + line.start_time * TICK };
  }

  identity(pid: number): Identity | null {
    const line = this.#line(pid);
    return line && { boot_id: this.boot_id, pid, start_time: line.start_time };
  }

  isAlive({ boot_id, pid, start_time }: Identity): boolean {
    return boot_id === this.boot_id && this.#line(pid)?.start_time === start_time;
  }

  startTimeNow(): number {
    return Math.floor(this.#sinceBoot() / TICK);
  }

  argv(pid: number): readonly string[] | null {
    const text = this.#reader.read(`/proc/${pid}/cmdline`)?.toString();
    if (text === undefined) return null;
    const argv = text.split('\0');
    // Each argument ends with a NUL, so nothing follows the last. A program that rewrote its title may have left it out.
    if (argv.at(-1) === '') argv.pop();
    return argv;
  }

  exe(pid: number): string | null {
    return linkAt(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '') ?? null;
  }

  environ(pid: number): ReadonlyMap<string, string> | null {
    const text = this.#reader.read(`/proc/${pid}/environ`)?.toString();
    if (text === undefined) return null;
    const environ = new Map<string, string>();
    for (const entry of text.split('\0')) {
      const equals = entry.indexOf('=');
      const name = entry.slice(0, equals);
      // Where a name is there twice, getenv() finds the first.
      if (equals > 0 && !environ.has(name)) environ.set(name, entry.slice(equals + 1));
    }
    return environ;
  }

  uid(pid: number): number | null {
    return orNull(() => statSync(`/proc/${pid}`).uid);
  }

  descriptors(pid: number): readonly (readonly [number, string])[] | null {
    const names = this.#reader.attempt(() => readdirSync(`/proc/${pid}/fd`));
    if (names === null) return null;
    const found: [number, string][] = [];
    for (const name of names) {
      const link = linkAt(`/proc/${pid}/fd/${name}`);
      if (link !== null) found.push([Number(name), link]);
    }
    return found;
  }

  descriptor(pid: number, fd: number): string | null {
    return linkAt(`/proc/${pid}/fd/${fd}`);
  }

  writersOf(files: readonly FileId[], pids: readonly number[]) {
    const wanted = new Set(files.map(fileKey));
    const writers = new Map<string, number[]>();
    let complete = true;
    for (const pid of pids) {
      const written = this.#written(pid);
      if (written === null && this.#line(pid) !== null) complete = false;
      for (const key of written ?? []) {
        if (wanted.has(key)) writers.set(key, [...(writers.get(key) ?? []), pid]);
      }
    }
    return { writers, complete };
  }

  signal(identity: Identity, signal: NodeJS.Signals): SignalOutcome {
    return this.isAlive(identity) ? signalProcess(identity.pid, signal) : 'gone';
  }

  signalGroup(pgid: number, signal: NodeJS.Signals): SignalOutcome {
    return signalGroup(pgid, signal);
  }

  groupExists(pgid: number): boolean {
    return groupExists(pgid);
  }

  cohort(pid: number): string | null {
    const text = this.#reader.read(`/proc/${pid}/cgroup`)?.toString() ?? '';
    const [, path] = /^0::(.*)$/m.exec(text) ?? [];
    if (path === undefined) return null;
    return HIERARCHIES.map((root) => `${root}${path}/cgroup.procs`).find((list) => existsSync(list)) ?? null;
  }

  living(list: string, visit: (pid: number) => void): boolean {
    // A cgroup that shares out threads and not processes refuses.
    return orNull(() => this.#reader.readNumbers(list, visit)) ?? false;
  }

  watch(identity: Identity): Liveness | null {
    if (identity.boot_id !== this.boot_id) return null;
    const watched = this.#open(identity);
    // Asked only now: it was there before and is there still, so that what was opened in between is its own.
    if (this.isAlive(identity)) return watched;
    watched.close();
    return null;
  }

  #line(pid: number): ProcStatLine | null {
    const line = this.#reader.read(`/proc/${pid}/stat`);
    return line && parseProcStat(line);
  }

  /** When the machine was booted, ms since the epoch by today's clock. */
  #bootedAt(): number {
    return Date.now() - this.#sinceBoot();
  }

  /** In ms. */
  #sinceBoot(): number {
    const uptime = Number.parseFloat(this.#reader.readAgain(this.#uptime)?.toString('latin1') ?? '') * 1000;
    // A container may show its own uptime (lxcfs), while start times count from the machine's boot as this clock does.
    const monotonic = Number(process.hrtime.bigint()) / 1e6;
    return Math.max(uptime, monotonic);
  }

  /**
   * Reading /proc/PID/stat again takes the kernel ten times as long as anything else here. /proc/PID/coredump_filter is
   * the cheapest file that is about a process's memory, and so it is empty as soon as that was given up: by a zombie, or
   * by a first thread that has ended before the others. Which of the two it is, stat tells.
   */
  #open(identity: Identity): Liveness {
    let fd: number;
    try {
      fd = openSync(`/proc/${identity.pid}/coredump_filter`, 'r');
    } catch {
      // Gone, or no descriptor is left to keep, or a kernel that dumps no core: then each look reads stat.
      return { alive: () => this.isAlive(identity), close: () => {} };
    }
    return {
      alive: () => this.#reader.holdsSomething(fd) || this.isAlive(identity),
      close: () => closeSync(fd),
    };
  }

  /** The files that a process has open for writing, as file keys; null where it cannot be looked into. */
  #written(pid: number): Set<string> | null {
    const descriptors = this.descriptors(pid);
    if (descriptors === null) return null;
    const keys = new Set<string>();
    for (const [fd, link] of descriptors) {
      // A file that was renamed or removed meanwhile shows another path, so the path is no help in finding it.
      if (!link.startsWith('/') || link === '/dev/null' || !this.#isWritable(pid, fd)) continue;
      const id = orNull(() => statSync(`/proc/${pid}/fd/${fd}`, { bigint: true }));
      if (id !== null) keys.add(fileKey(id));
    }
    return keys;
  }

  #isWritable(pid: number, fd: number): boolean {
    const info = this.#reader.read(`/proc/${pid}/fdinfo/${fd}`)?.toString('latin1') ?? '';
    const [, flags = '0'] = /^flags:\s*([0-7]+)/m.exec(info) ?? [];
    return (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0;
  }
}

function linkAt(path: string): string | null {
  return orNull(() => readlinkSync(path));
}

/** For looks that need no descriptor, so that failing means gone or not ours to see. */
function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
