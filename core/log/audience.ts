/**
 * Whoever is reading a log, so that rotations can take them along and looks can wake them.
 */
import type { LogFile } from './log_file.ts';
import type { SegmentName } from './segment_name.ts';

/** Where a reader is: in a file that is kept in memory, or else in a segment nobody writes to. */
export interface Cursor {
  file: LogFile | null;
  /** The segment; null for the active log. A file's own name counts where there is a file. */
  name: SegmentName | null;
  /** Logical, as in `log_index.ts`. */
  offset: number;
}

/** The readers of one log. */
export class Audience {
  readonly #cursors: Cursor[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #onWait: () => void;
  /** Rises whenever the log may have changed. */
  version = 0;

  /** @param onWait Called when somebody begins to wait for the log to change. */
  constructor(onWait: () => void) {
    this.#onWait = onWait;
  }

  /** True where nobody reads and nobody waits. */
  get empty(): boolean {
    return this.#cursors.length === 0 && !this.waiting;
  }

  /** True while somebody waits for the log to change. */
  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** From here on the cursor follows every move of the bytes it stands before. */
  add(cursor: Cursor): void {
    this.#cursors.push(cursor);
  }

  /** The cursor is left alone again. */
  delete(cursor: Cursor): void {
    this.#cursors.splice(this.#cursors.indexOf(cursor), 1);
  }

  /** Bytes `[start, end)` of a file are in a segment now: who was about to read them goes on there. */
  cut(file: LogFile, name: SegmentName, start: number, end: number): void {
    for (const cursor of this.#cursors) {
      if (cursor.file !== file || cursor.offset >= end) continue;
      Object.assign(cursor, { file: null, name, offset: Math.max(0, cursor.offset - start) });
    }
  }

  /** Bytes of a file before `end` are gone. */
  dropped(file: LogFile, end: number): void {
    for (const cursor of this.#cursors) {
      if (cursor.file === file) cursor.offset = Math.max(cursor.offset, end);
    }
  }

  /** A segment is not kept in memory any more. Its offsets stay as they are. */
  forgotten(file: LogFile): void {
    for (const cursor of this.#cursors) {
      if (cursor.file === file) Object.assign(cursor, { file: null, name: file.name });
    }
  }

  /** Wakes those who wait. */
  wake(): void {
    this.version++;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when the log may have changed since it had the version, or the signal aborts. */
  changed(version: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.version !== version) return resolve();
      const done = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(done), 1);
        resolve();
      };
      this.#waiting.push(done);
      signal.addEventListener('abort', abort, { once: true });
      this.#onWait();
    });
  }
}
