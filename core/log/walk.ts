/**
 * Walks a log forward, over all its files, while it is written to, rotated, compressed and cut short at its old end.
 */
import type { Host } from '../host/host.ts';
import type { Cursor } from './audience.ts';
import type { JobLog } from './job_log.ts';
import { rangeOf } from './log_index.ts';
import { nextPlace, type Place } from './pieces.ts';
import { CHUNK, openSource, type Source } from './source.ts';

/** Which bytes of each file are wanted. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * What of a file an incarnation wrote.
 *
 * @param incarnation Null for all that is there.
 * @returns null where it wrote nothing of it.
 */
export function wantedRange(source: Source, incarnation: number | null): Range | null {
  const all = { from: source.start(), to: Number.POSITIVE_INFINITY };
  if (incarnation === null) return all;
  const range = rangeOf(source.index(), incarnation);
  return range === null ? null : { from: Math.max(range.from, all.from), to: range.to };
}

/** Keeps the file that a cursor is in open, and opens the next when it has moved on. */
export class Reader {
  readonly #host: Host;
  readonly #log: JobLog;
  readonly cursor: Cursor;
  #source: Source | null = null;

  /** The cursor follows what rotations do from here on until {@link Reader.close}. */
  constructor(host: Host, log: JobLog, place: Place) {
    this.#host = host;
    this.#log = log;
    this.cursor = { ...place };
    log.audience.add(this.cursor);
  }

  /** What the cursor is in; null where that is gone. */
  async source(): Promise<Source | null> {
    for (;;) {
      if (this.#source?.holds(this.cursor)) return this.#source;
      await this.#letGo();
      const { file, name } = this.cursor;
      const source = await openSource(this.#host, this.#log, this.cursor);
      this.#source = source;
      // A rotation may have taken the cursor along while the file was being opened.
      if (source === null && this.cursor.file === file && this.cursor.name === name) return null;
    }
  }

  /** Puts the cursor somewhere else. */
  moveTo(place: Place): void {
    Object.assign(this.cursor, { file: place.file, name: place.name, offset: place.offset });
  }

  /** Lets everything go. */
  async close(): Promise<void> {
    this.#log.audience.delete(this.cursor);
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    await source?.close();
  }
}

/** What a walk wants to know of each read beside its bytes. */
export interface ReadWishes {
  /** Where what is read at once has to end, as an offset behind `from`. */
  until(source: Source, from: number): number;
  /** Told in the tick in which the bytes were read, before the cursor moves. */
  read(source: Source, from: number, bytes: Buffer): void;
}

/**
 * One step of a walk: `bytes` that were read; `on` where there is something else to be seen now; `end` at the end there is
 * now; `over` where nothing of the incarnation can follow.
 */
export type Step =
  | { readonly is: 'bytes'; readonly bytes: Buffer }
  | { readonly is: 'on' }
  | { readonly is: 'end' }
  | { readonly is: 'over' };

const ON: Step = { is: 'on' };
const OVER: Step = { is: 'over' };

/**
 * Reads at the cursor, or goes on to the next file.
 *
 * @param incarnation Only what this one wrote; null for everything.
 */
export async function step(
  log: JobLog,
  reader: Reader,
  incarnation: number | null,
  wishes?: ReadWishes,
): Promise<Step> {
  const { cursor } = reader;
  // Asked for before the read: once there is a next file, what is read at the end of this one is its end for good.
  const next = nextPlace(log, cursor);
  const source = await reader.source();
  if (source !== null && !source.holds(cursor)) return ON;
  const range = source === null ? null : wantedRange(source, incarnation);
  if (source !== null && range !== null) {
    cursor.offset = Math.max(cursor.offset, range.from);
    const from = cursor.offset;
    const to = Math.min(range.to, wishes?.until(source, from) ?? range.to);
    const length = Math.min(CHUNK, Math.max(0, to - from));
    const bytes = await source.read(cursor, from, length, (read) => {
      wishes?.read(source, from, read);
      return from + read.length;
    });
    if (bytes === null) return ON;
    if (bytes.length > 0) return { is: 'bytes', bytes };
    if (!source.holds(cursor)) return ON;
    // Another incarnation goes on in the same file.
    if (length === 0) return OVER;
  } else if (source !== null && isPast(source, incarnation)) return OVER;
  if (next === null) return { is: 'end' };
  reader.moveTo(next);
  return ON;
}

/**
 * The bytes from the cursor on.
 *
 * @param incarnation Only what this one wrote; null for everything.
 * @param signal Waits for more at the end until it aborts; null ends there.
 * @returns chunks, and null each time the end is reached.
 */
export async function* walk(
  log: JobLog,
  reader: Reader,
  incarnation: number | null,
  signal: AbortSignal | null,
): AsyncGenerator<Buffer | null> {
  while (signal === null || !signal.aborted) {
    const { version } = log.audience;
    const found = await step(log, reader, incarnation);
    if (found.is === 'over') return;
    if (found.is === 'bytes') yield found.bytes;
    if (found.is !== 'end') continue;
    yield null;
    if (signal === null) return;
    await log.audience.changed(version, signal);
  }
}

/** True where a file begins after an incarnation, so that nothing of it can follow. */
function isPast(source: Source, incarnation: number | null): boolean {
  return incarnation !== null && source.index().incarnation > incarnation;
}
