/**
 * The log of one job: its folder, the active file, the segments that may still have writers, and whoever is reading.
 *
 * Every change of which bytes are where (a rename, a cut) happens within one tick, together with the change of what
 * is kept here. A reader that looks between two ticks therefore always sees a whole, consistent log.
 */
import { type FileId, type Files, fileKey, type Host } from '../host/host.ts';
import { Audience } from './audience.ts';
import { isMissing } from './index_file.ts';
import { type Layout, readLayout } from './layout.ts';
import type { LogFile } from './log_file.ts';
import { type CreatedLog, createLogFile } from './log_file_open.ts';
import type { LogIndex } from './log_index.ts';
import type { LogJob } from './log_job.ts';
import { REOPEN_LOG } from './open_flags.ts';
import { FIRST_DELAY } from './schedule.ts';
import { type SegmentName, segmentAfter } from './segment_name.ts';

/** What {@link JobLog.open} gives. */
export interface OpenedLog {
  /** For the program's output. It stays open here: the caller does not close it. */
  readonly fd: number;
  readonly file: FileId;
  /** The log that was active before and is a segment now. It may still have writers. */
  readonly rotated: FileId | null;
}

/** What lies in a log folder; see `recovery.ts`. */
export interface FoundLog {
  readonly dir: string;
  readonly job: LogJob;
  readonly active: LogFile | null;
  readonly sealed: LogFile[];
  /** The greatest segment name there is. */
  readonly last: SegmentName | null;
  /** Called when somebody begins to wait for the log to change. */
  readonly on_followed: (log: JobLog) => void;
}

/** See the top of this file. */
export class JobLog {
  readonly #host: Host;
  readonly dir: string;
  job: LogJob;
  active: LogFile | null;
  /** The active log, open for appending; null while the job is at rest. */
  fd: number | null = null;
  /** Segments by rename that somebody may still write to, oldest first. */
  readonly sealed: LogFile[];
  /** Files that nobody writes to any more, by key: the next round finishes them. */
  readonly released: string[] = [];
  readonly audience: Audience;
  #last: SegmentName | null;

  /** When it is looked at next, monotonic ms. */
  due = Number.POSITIVE_INFINITY;
  /** When a rotator wants to be asked again at the latest, ms since the epoch. */
  rotate_at = Number.POSITIVE_INFINITY;
  /** When the oldest segment becomes too old to be kept, ms since the epoch. */
  expires_at = Number.POSITIVE_INFINITY;
  /** The time between looks, ms. */
  delay = FIRST_DELAY;
  /** When it was last looked at, monotonic ms. */
  seen_at = 0;
  /** A round of work is under way. */
  busy = false;
  /** Segments have come or gone since retention was last seen to. */
  dirty: boolean;
  /** Bytes of all segments on disk, when retention was last seen to. */
  archived = 0;
  /** There may be segments to compress. */
  compressible: boolean;
  /** They are being compressed. */
  compressing = false;
  /** When retention was last seen to, monotonic ms. */
  tidied_at = 0;
  /** No round before this, monotonic ms: the last one failed. */
  retry_at = 0;
  /** It is known that the log's upkeep fails. */
  degraded = false;
  /** It is known that rotation may lose lines. */
  lossy = false;

  constructor(host: Host, found: FoundLog) {
    this.#host = host;
    this.dir = found.dir;
    this.job = found.job;
    this.active = found.active;
    this.sealed = found.sealed;
    this.#last = found.last;
    this.dirty = found.last !== null;
    this.compressible = this.dirty;
    this.audience = new Audience(() => found.on_followed(this));
  }

  /** True where nothing is open, under way or left to do, so that the folder alone says it all. */
  get idle(): boolean {
    return this.resting && this.expires_at === Number.POSITIVE_INFINITY;
  }

  /** True where nothing is open, under way or left to do, but for segments that will be too old one day. */
  get resting(): boolean {
    const used = this.fd !== null || !this.audience.empty;
    const atWork = this.busy || this.compressing || this.dirty || this.compressible;
    return !used && !atWork && this.sealed.length === 0 && this.released.length === 0;
  }

  /** A path in the job's log folder. */
  path(file: string): string {
    return `${this.dir}/${file}`;
  }

  /** What is in the folder now. */
  layout(): Layout {
    return readLayout(namesIn(this.#host.files, this.dir));
  }

  /** Hands out a segment name for bytes of an incarnation. No name is handed out twice. */
  claimName(incarnation: number): SegmentName {
    this.#last = segmentAfter(this.#last, incarnation);
    return this.#last;
  }

  /**
   * The log for the next incarnation: the active file is set aside and a fresh one made, or it goes on in the same.
   *
   * @param rotate Whether to set the active file aside, from its readable bytes and its begin (ms since the epoch).
   * @returns also why it has no index, where that could not be written.
   * @throws an `ErrnoException` where there can be no log; the next call tries again.
   */
  open(
    incarnation: number,
    rotate: (size: number, begunAt: number) => boolean,
  ): OpenedLog & { readonly problem: unknown } {
    const { files } = this.#host;
    const active = this.#takeUp();
    if (active === null) return { ...this.#create(incarnation), rotated: null };
    const { file, fd } = active;
    const { removal, head } = file;
    const look = (): number => file.consistently((base) => base + files.fstatSync(fd).size);
    // While its head is leaving the file, a look into it would wait for the kernel. It is not empty then.
    const end = removal === null ? look() : null;
    const size = end === null ? Math.max(1, file.end - head) : end - head;
    const opened = { fd, file: file.id, rotated: null, problem: null };
    // Opened for this incarnation before, but the spawn failed: nobody has written to it, and nobody will.
    if (size <= 0 && file.incarnation === incarnation) return opened;
    if (!rotate(size, file.begun_at)) {
      return { ...opened, problem: this.#goOn(file, incarnation, end ?? look()) };
    }
    const sealed = file.seal(this.claimName(file.first_incarnation));
    this.active = null;
    this.close();
    if (sealed) this.sealed.push(file);
    this.dirty = true;
    return { ...this.#create(incarnation), rotated: file.id };
  }

  /** Another incarnation writes to the same file. Returns why that is not in its index, where it could not be. */
  #goOn(file: LogFile, incarnation: number, end: number): unknown {
    try {
      file.startRun(incarnation, end, this.#host.clock.wall());
      return null;
    } catch (error) {
      return error;
    }
  }

  /** The active log, open; null where there is none, or somebody has removed it while it was closed. */
  #takeUp(): { file: LogFile; fd: number } | null {
    const { files } = this.#host;
    const file = this.active;
    if (file === null) return null;
    try {
      this.fd ??= files.openSync(file.path, REOPEN_LOG);
      return { file, fd: this.fd };
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.active = null;
      return null;
    }
  }

  #create(incarnation: number): Omit<OpenedLog, 'rotated'> & { readonly problem: unknown } {
    const { files, clock } = this.#host;
    const create = () => createLogFile(files, this.dir, incarnation, clock.wall());
    let created: CreatedLog;
    try {
      created = create();
    } catch (error) {
      // Somebody has cleared the logs away, folders and all.
      if (!isMissing(error)) throw error;
      makeFolder(files, this.dir);
      created = create();
    }
    const { file, fd, problem } = created;
    this.active = file;
    this.fd = fd;
    this.audience.wake();
    return { fd, file: file.id, problem };
  }

  /** Takes up the active log of a job that is there, so that it is looked at. */
  resume(): void {
    this.#takeUp();
  }

  /** Whether a file is the active log, or a segment that somebody may still write to, and not one that got its number. */
  has(file: FileId): boolean {
    const key = fileKey(file);
    const known = [...this.sealed, this.active].find((log) => log?.key === key);
    if (known === undefined || known === null) return false;
    // While it is open its number is given to nobody, removed or not.
    if (known === this.active && this.fd !== null) return true;
    const found = this.#host.files.lstatSync(known.path, { throwIfNoEntry: false, bigint: true });
    return found !== undefined && fileKey(found) === key;
  }

  /** Lets the active log's descriptor go. */
  close(): void {
    if (this.fd !== null) this.#host.files.closeSync(this.fd);
    this.fd = null;
  }

  /** Bytes `[start, end)` of a file are in a segment from here on. */
  publishCut(
    file: LogFile,
    name: SegmentName,
    { start, end, index }: { readonly start: number; readonly end: number; readonly index: LogIndex },
  ): void {
    file.moveHead(end, index);
    this.audience.cut(file, name, start, end);
    this.dirty = true;
    this.compressible = true;
  }

  /** Bytes before `end` are given up without a segment. */
  drop(file: LogFile, end: number): void {
    file.moveHead(end);
    this.audience.dropped(file, end);
  }

  /** Nobody writes to a segment any more: it is not kept here. */
  forget(file: LogFile): void {
    this.sealed.splice(this.sealed.indexOf(file), 1);
    this.audience.forgotten(file);
    this.dirty = true;
    this.compressible = true;
  }
}

/** Makes a job's log folder and those above it, for nobody else to read. */
export function makeFolder(files: Files, dir: string): void {
  files.mkdirSync(dir, { recursive: true, mode: 0o700 });
}

/** The names in a folder; none where it is not there. */
export function namesIn(files: Files, dir: string): readonly string[] {
  try {
    return files.readdirSync(dir);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
