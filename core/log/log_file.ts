/**
 * A log file that somebody may still write to, the active one or one that a restart has set aside, and its index.
 *
 * It keeps its identity when it gets another name: a rotation that began on the active file ends on the segment
 * that a restart has made of it meanwhile. So every step that depends on a name asks for it in the same tick.
 */
import { type FileId, type Files, fileKey } from '../host/host.ts';
import { Gate } from './gate.ts';
import { ENTRY_INTERVAL, Growth } from './growth.ts';
import { IndexFile, readIndex, renameIfThere } from './index_file.ts';
import { CURRENT } from './layout.ts';
import type { FoundLogFile } from './log_file_open.ts';
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
  newIndex,
  type Removal,
  removalRecord,
  runRecord,
  timeAt,
} from './log_index.ts';
import { isMarked } from './nonce.ts';
import { formatSegment, type SegmentName } from './segment_name.ts';

/** How many incarnations that wrote nothing an index keeps. */
const MAX_EMPTY_RUNS = 64;

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
  readonly #growth: Growth;
  #empty_runs = 0;
  /** When nothing of it could be read at the latest look, ms since the epoch; null where something can. */
  #empty_at: number | null;
  readonly #certain = new Gate();

  /** See `log_file_open.ts`, which makes and loads them. */
  constructor(files: Files, dir: string, name: SegmentName | null, found: FoundLogFile) {
    const { stat, index, text } = found;
    const { dev, ino, blksize } = stat;
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
    this.#growth = new Growth(index);
    this.#empty_at = found.empty_at;
    this.end = Math.max(this.head, this.#growth.latest.offset);
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
      const before = isMarked(this.#files, this.path, removal);
      const seen = look(before ? this.base : removal.end);
      if (isMarked(this.#files, this.path, removal) === before) return seen;
    }
  }

  /** Notes how far the log has grown, where an index entry is due. */
  note(end: number, wall: number): void {
    this.end = end;
    if (end <= this.head) this.#empty_at = wall;
    else if (this.#empty_at !== null) this.#beginBy(this.#empty_at);
    if (!this.#growth.isDue(end, wall)) return;
    this.#enter({ offset: end, time: wall });
    if (this.#growth.full) this.rewrite();
  }

  /** Notes that nothing beyond an offset had been written by a time, ms since the epoch. */
  witness(offset: number, wall: number): void {
    if (offset <= this.head) this.begun_at = wall;
    this.#enter({ offset, time: wall });
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
    if (this.#growth.noted || this.#empty_runs >= MAX_EMPTY_RUNS) this.rewrite();
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
    this.expectRemoval(removal);
  }

  /** A removal is under way, or was when upkeep died: readers wait until it is settled. */
  expectRemoval(removal: Removal): void {
    this.#certain.close();
    this.removal = removal;
    this.epoch++;
  }

  /**
   * Finds out what came of a removal. Nobody may be carrying it out any more.
   *
   * @returns true where the bytes are gone.
   */
  settleRemoval(): boolean {
    const { removal } = this;
    if (removal === null) return false;
    const gone = !isMarked(this.#files, this.path, removal);
    this.removal = null;
    this.epoch++;
    if (gone) this.base = removal.end;
    else this.remembers_nonce = true;
    this.head = Math.max(this.head, this.base);
    this.#certain.open();
    // Where this fails, the record that is there says the same: the nonce is gone.
    if (gone) this.rewrite();
    return gone;
  }

  /** Resolves once it is certain where in the file each byte is. */
  async certain(): Promise<void> {
    await this.#certain.passed();
  }

  /**
   * Sets the active log aside under a segment's name. The index goes first, as {@link createLogFile} says.
   *
   * @returns false where somebody has removed the log.
   */
  seal(name: SegmentName): boolean {
    const { path, indexPath } = this;
    this.name = name;
    renameIfThere(this.#files, indexPath, this.indexPath);
    return renameIfThere(this.#files, path, this.path);
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
    this.#growth.rewritten(index.entries.length);
    this.#empty_runs = 0;
    this.#index.replace(this.indexPath, index);
  }

  /** What can be read first was written after a look, ms since the epoch, at which there was nothing. */
  #beginBy(wall: number): void {
    this.#empty_at = null;
    if (Math.abs(wall - this.begun_at) < ENTRY_INTERVAL) return;
    this.witness(this.head, wall);
  }

  #enter(entry: IndexEntry): void {
    this.#growth.add(entry);
    this.#append(entryRecord(entry));
  }

  #append(record: string): void {
    this.#index.append(this.indexPath, record);
  }
}
