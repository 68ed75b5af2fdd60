/**
 * A log file that somebody may still write to, the active one or one that a restart has set aside, and its index.
 *
 * It keeps its identity when it gets another name: a rotation that began on the active file ends on the segment
 * that a restart has made of it meanwhile. So every step that depends on a name asks for it in the same tick.
 */
import type { BigIntStats } from 'node:fs';
import { type FileId, type Files, fileKey } from '../host/host.ts';
import { IndexFile, isMissing, readIndex, readText, writeIndex } from './index_file.ts';
import { CURRENT } from './layout.ts';
import {
  baseRecord,
  compactIndex,
  cutRecord,
  entryRecord,
  headRecord,
  type IndexEntry,
  incarnationAt,
  type LogIndex,
  type LogKind,
  MAX_ENTRIES,
  newIndex,
  parseIndex,
  type Removal,
  removalRecord,
  runRecord,
  timeAt,
} from './log_index.ts';
import { CREATE_LOG, MODE, READ } from './open_flags.ts';
import { formatSegment, type SegmentName } from './segment_name.ts';

/** An entry is due after so many ms, */
const ENTRY_INTERVAL = 5_000;
/** or after so many where at least so many bytes have come. */
const BUSY_ENTRY_INTERVAL = 1_000;
const BUSY_ENTRY_BYTES = 65_536;

/** How many incarnations that wrote nothing an index keeps. */
const MAX_EMPTY_RUNS = 64;

/** Bytes of the nonce that marks a head which is being taken out. */
export const NONCE_BYTES = 16;

/** What {@link LogFile.create} made. */
export interface CreatedLog {
  readonly file: LogFile;
  readonly fd: number;
  /** Why there is no index, where writing it failed. A service starts without one rather than not at all. */
  readonly problem: unknown;
}

/** See the top of this file. Offsets are logical, as in `log_index.ts`. */
export class LogFile {
  readonly #files: Files;
  readonly #dir: string;
  readonly #index: IndexFile;
  readonly id: FileId;
  /** The file system's block size. */
  readonly block: number;
  readonly #kind: LogKind;
  /** Null while it is the active log. */
  name: SegmentName | null;
  /** The latest incarnation that writes to it. */
  incarnation: number;
  /** The one that wrote the first byte that can be read. */
  first_incarnation: number;
  /** When the first byte that can be read was written, at the earliest, ms since the epoch. */
  begun_at: number;
  /** The offset of the file's first byte. */
  base: number;
  /** Bytes before this offset are not to be read here any more. `base ≤ head ≤ end`. */
  head: number;
  /** How far it had grown at the last look. */
  end: number;
  /** A head that is being taken out, so that `base` is not certain. */
  removal: Removal | null = null;
  /** The index holds the nonce of a removal that came to nothing. */
  remembers_nonce = false;
  /** A `fallocate` that nobody waits for may be at work on it. */
  doubtful = false;
  /** Rises whenever bytes change their place in the file: what was read across a change means nothing. */
  epoch = 0;
  /** A segment that is being made of its head. */
  #cut: LogIndex['cut'] = null;
  #entry: IndexEntry;
  #entries: number;
  #empty_runs = 0;
  /** When nothing of it could be read at the latest look, ms since the epoch; null where something can. */
  #empty_at: number | null = null;
  #certain: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null;

  private constructor(
    files: Files,
    dir: string,
    name: SegmentName | null,
    { dev, ino, blksize }: BigIntStats,
    index: LogIndex,
    text: string,
  ) {
    this.#files = files;
    this.#dir = dir;
    this.#index = new IndexFile(files, text);
    this.name = name;
    this.id = { dev, ino };
    this.block = Number(blksize);
    this.#kind = index.kind;
    this.incarnation = index.runs.at(-1)?.incarnation ?? index.incarnation;
    this.first_incarnation = incarnationAt(index, index.head);
    this.begun_at = timeAt(index, index.head);
    this.base = index.base;
    this.head = index.head;
    this.#entry = index.entries.at(-1) ?? { offset: index.head, time: index.begun_at };
    this.#entries = index.entries.length;
    this.end = Math.max(this.head, this.#entry.offset);
  }

  /**
   * Makes a fresh active log, on the restart path. The index comes first: a log without one is then always one
   * whose index a restart rotation has renamed already, and that index names the segment it belongs to.
   *
   * @throws an `ErrnoException` where the log cannot be made.
   */
  static create(files: Files, dir: string, incarnation: number, wall: number): CreatedLog {
    const index = newIndex('open', incarnation, wall);
    let problem: unknown = null;
    try {
      writeIndex(files, `${dir}/${CURRENT}.idx`, index);
    } catch (error) {
      problem = error;
    }
    const fd = files.openSync(`${dir}/${CURRENT}.log`, CREATE_LOG, MODE);
    const stat = files.fstatSync(fd, { bigint: true });
    const file = new LogFile(files, dir, null, stat, index, '');
    file.#empty_at = wall;
    return { file, fd, problem };
  }

  /**
   * Takes up a log that is there, and finishes the cut that a crash may have left between its two ends.
   *
   * @param incarnation What to assume where its index is lost.
   * @param exists Whether there is such a segment.
   * @returns null where it is no regular file.
   */
  static load(
    files: Files,
    dir: string,
    name: SegmentName | null,
    incarnation: number,
    exists: (name: SegmentName) => boolean,
  ): LogFile | null {
    const stem = name === null ? CURRENT : formatSegment(name);
    const stat = files.lstatSync(`${dir}/${stem}.log`, { bigint: true });
    if (!stat.isFile()) return null;
    const text = readText(files, `${dir}/${stem}.idx`);
    const index = parseIndex(text, newIndex('open', incarnation, Number(stat.mtimeMs)));
    const file = new LogFile(files, dir, name, stat, index, text);
    file.doubtful = true;
    if (index.removal !== null) file.#becomeUncertain(index.removal);
    if (index.cut !== null && exists(index.cut.name)) file.moveHead(index.cut.end);
    else if (index.cut !== null) file.rewrite();
    // A segment that was being emptied. Of the active log it is the next look that notices, and tells.
    const size = Number(stat.size);
    if (name !== null && file.removal === null && file.base + size < file.end) file.rebase(size);
    return file;
  }

  get path(): string {
    return `${this.#dir}/${this.#stem}.log`;
  }

  get indexPath(): string {
    return `${this.#dir}/${this.#stem}.idx`;
  }

  get key(): string {
    return fileKey(this.id);
  }

  get #stem(): string {
    return this.name === null ? CURRENT : formatSegment(this.name);
  }

  /** The index, with what this object knows better. */
  readIndex(): LogIndex {
    const known = {
      kind: this.#kind,
      base: this.base,
      head: this.head,
      cut: this.#cut,
      removal: this.removal,
    };
    const fallback = { ...newIndex(this.#kind, this.first_incarnation, this.begun_at), ...known };
    return { ...readIndex(this.#files, this.indexPath, fallback), ...known };
  }

  /**
   * Looks at the file with a base that is certain.
   *
   * While a head is leaving the file, the kernel may shorten it between any two calls. The nonce tells before from
   * after, and two equal answers around a look prove which of them it belongs to.
   *
   * @param look Gets the offset of the file's first byte. It may be called twice.
   */
  consistently<T>(look: (base: number) => T): T {
    const removal = this.removal;
    if (removal === null) return look(this.base);
    for (;;) {
      const before = this.isMarked(removal);
      const seen = look(before ? this.base : removal.end);
      if (this.isMarked(removal) === before) return seen;
    }
  }

  /** Whether the nonce of a removal still stands at the file's start. False once what it stood on is gone. */
  isMarked(removal: Removal): boolean {
    const start = Buffer.alloc(NONCE_BYTES);
    let fd: number;
    try {
      fd = this.#files.openSync(this.path, READ);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    try {
      this.#files.readSync(fd, start, 0, NONCE_BYTES, 0);
    } finally {
      this.#files.closeSync(fd);
    }
    return start.toString('hex') === removal.nonce;
  }

  /** Notes how far the log has grown, where an index entry is due. */
  note(end: number, wall: number): void {
    this.end = end;
    if (end <= this.head) this.#empty_at = wall;
    else if (this.#empty_at !== null) this.#beginBy(this.#empty_at);
    const bytes = end - this.#entry.offset;
    const elapsed = wall - this.#entry.time;
    const busy = bytes >= BUSY_ENTRY_BYTES && elapsed >= BUSY_ENTRY_INTERVAL;
    // A clock that was set back gives a negative time: an entry, or there would be none until it has caught up.
    if (bytes === 0 || !(busy || elapsed >= ENTRY_INTERVAL || elapsed < 0)) return;
    this.#entry = { offset: end, time: wall };
    this.#entries++;
    this.#append(entryRecord(this.#entry));
    if (this.#entries >= MAX_ENTRIES) this.rewrite();
  }

  /** Notes that nothing beyond an offset had been written by a time, ms since the epoch. */
  witness(offset: number, wall: number): void {
    if (offset <= this.head) this.begun_at = wall;
    this.#entry = { offset, time: wall };
    this.#entries++;
    this.#append(entryRecord(this.#entry));
  }

  /**
   * Notes that another incarnation goes on in this file, on the restart path. Where nothing can be read, that one has
   * begun it, and what is known of those before is dropped once there is much of it.
   */
  startRun(incarnation: number, offset: number, wall: number): void {
    this.incarnation = incarnation;
    this.#append(runRecord({ incarnation, offset, time: wall }));
    if (offset > this.head) return;
    this.first_incarnation = incarnation;
    this.begun_at = wall;
    this.#empty_runs++;
    // An entry at the head would date the first byte before this run.
    if (this.#entries > 0 || this.#empty_runs >= MAX_EMPTY_RUNS) this.rewrite();
  }

  /**
   * Somebody else has shortened the file: what it holds now counts as written after all that was known of it.
   *
   * @param size What it holds, bytes.
   */
  rebase(size: number): void {
    this.base = this.end;
    this.head = this.base;
    this.end = this.base + size;
    this.epoch++;
    this.recordBase();
  }

  /** A segment with the bytes up to `end` is about to get its name: once it has it, they are not to be read here. */
  startCut(name: SegmentName, end: number): void {
    this.#cut = { name, end };
    this.#append(cutRecord(name, end));
  }

  /** The segment will not come to be. Its name is never used again, so the record may stay. */
  cancelCut(): void {
    this.#cut = null;
  }

  /**
   * Bytes before `head` are not to be read here any more.
   *
   * @param index Where the caller has just read it.
   */
  moveHead(head: number, index: LogIndex = this.readIndex()): void {
    this.#cut = null;
    this.head = head;
    this.end = Math.max(this.end, head);
    this.#append(headRecord(head));
    this.first_incarnation = incarnationAt(index, head);
    this.begun_at = timeAt(index, head);
  }

  /** Clears the record of a removal that is not under way. */
  recordBase(): void {
    this.#append(baseRecord(this.base));
  }

  /** Bytes before the removal's end are leaving the file. Readers wait from here on until it is settled. */
  startRemoval(removal: Removal): void {
    this.#append(removalRecord(removal));
    this.#becomeUncertain(removal);
  }

  /**
   * Finds out what came of a removal. Nobody may be carrying it out any more.
   *
   * @returns true where the bytes are gone.
   */
  settleRemoval(): boolean {
    const { removal } = this;
    if (removal === null) return false;
    const gone = !this.isMarked(removal);
    this.removal = null;
    this.epoch++;
    if (gone) this.base = removal.end;
    else this.remembers_nonce = true;
    this.head = Math.max(this.head, this.base);
    this.#certain?.resolve();
    this.#certain = null;
    // Where this fails, the record that is there says the same: the nonce is gone.
    if (gone) this.rewrite();
    return gone;
  }

  /** Resolves once it is certain where in the file each byte is. */
  async certain(): Promise<void> {
    while (this.#certain !== null) await this.#certain.promise;
  }

  /**
   * Sets the active log aside under a segment's name. The index goes first, as {@link LogFile.create} says.
   *
   * @returns false where somebody has removed the log.
   */
  seal(name: SegmentName): boolean {
    const { path, indexPath } = this;
    this.name = name;
    this.#rename(indexPath, this.indexPath);
    return this.#rename(path, this.path);
  }

  /** Nobody can write to it any more: its index says so. */
  finish(): void {
    this.#index.replace(this.indexPath, compactIndex({ ...this.readIndex(), kind: 'done' }));
  }

  /** Writes the index anew, without what is about bytes that are gone. */
  rewrite(): void {
    const index = compactIndex(this.readIndex());
    this.first_incarnation = index.incarnation;
    this.begun_at = index.begun_at;
    this.#entries = index.entries.length;
    this.#empty_runs = 0;
    this.#index.replace(this.indexPath, index);
  }

  /** What can be read first was written after a look, ms since the epoch, at which there was nothing. */
  #beginBy(wall: number): void {
    this.#empty_at = null;
    if (Math.abs(wall - this.begun_at) < ENTRY_INTERVAL) return;
    this.witness(this.head, wall);
  }

  #append(record: string): void {
    this.#index.append(this.indexPath, record);
  }

  #becomeUncertain(removal: Removal): void {
    let resolve = (): void => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.#certain = { promise, resolve };
    this.removal = removal;
    this.epoch++;
  }

  #rename(from: string, to: string): boolean {
    try {
      this.#files.renameSync(from, to);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }
}
