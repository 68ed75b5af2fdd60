/**
 * The lines of a log, a chunk's worth at a time, each with its place, its incarnation and its time.
 */
import type { JobLog } from './job_log.ts';
import { incarnationAt, type LogIndex, timeAt } from './log_index.ts';
import { type Spot, spotOf } from './spot.ts';
import { type Reader, step } from './walk.ts';

const NEWLINE = 0x0a;

/** What of a line is told, bytes; the rest of a longer one is passed over. */
export const LINE_BYTES = 8192;

/** Bytes of one file that were read at once. */
interface Chunk {
  readonly bytes: Buffer;
  /** The logical offset of the first. */
  readonly offset: number;
  readonly index: LogIndex;
  /** The spot of the first. */
  readonly spot: Omit<Spot, 'within_line'>;
}

/** A line as it lies in the log. */
export interface ScannedLine {
  /** Without the line's end; a view into what was read. */
  readonly bytes: Buffer;
  /** It is longer than {@link LINE_BYTES}. */
  readonly truncated: boolean;
  /** The logical offset of its first byte in its file. */
  readonly offset: number;
  readonly incarnation: number;
  readonly index: LogIndex;
  /** Where what follows it begins. */
  readonly next: Spot;
}

/** What one read gave. */
export interface LineBatch {
  readonly lines: readonly ScannedLine[];
  /** Bytes read for it. */
  readonly read: number;
  /** Where to go on: what has begun of a line is read again. */
  readonly next: Spot;
}

/** A line that has not ended yet. */
interface Begun {
  readonly chunk: Chunk;
  readonly offset: number;
  readonly incarnation: number;
  bytes: Buffer;
}

/**
 * The lines from a reader's cursor on, up to the end there is now. A last line without an end is told too.
 *
 * @param incarnation Only what this one wrote; null for everything.
 * @param withinLine The cursor is within a line that is not to be told.
 */
export async function* scanLines(
  log: JobLog,
  reader: Reader,
  incarnation: number | null,
  withinLine: boolean,
): AsyncGenerator<LineBatch> {
  const cutter = new LineCutter(withinLine);
  for await (const chunk of chunks(log, reader, incarnation)) yield cutter.cut(chunk);
  const rest = cutter.end();
  if (rest !== null) yield { lines: [rest], read: 0, next: rest.next };
}

/** When the line was written, at the earliest that is known, ms since the epoch; null where the index does not know. */
export function timeOf({ index, offset }: ScannedLine): number | null {
  const time = timeAt(index, offset);
  return time > 0 ? time : null;
}

/** A line as text: what is no UTF-8 is replaced, nothing else is touched. */
export function textOf({ bytes, truncated }: ScannedLine): string {
  let { length } = bytes;
  // The cut may have gone through a character.
  if (truncated) while (length > 0 && bytes.length - length < 3 && isContinued(bytes, length)) length--;
  return bytes.toString('utf8', 0, length);
}

/** Whether the bytes up to `length` end in the middle of a character. */
function isContinued(bytes: Buffer, length: number): boolean {
  for (let back = 1; back <= 4 && back <= length; back++) {
    const byte = bytes[length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const wants = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return wants > back;
  }
  return false;
}

class LineCutter {
  #begun: Begun | null = null;
  #skipping: boolean;
  #end: Spot | null = null;

  constructor(skipping: boolean) {
    this.#skipping = skipping;
  }

  cut(chunk: Chunk): LineBatch {
    const { bytes, offset, index } = chunk;
    const lines: ScannedLine[] = [];
    const writer = incarnationAt(index, offset);
    // What another incarnation has left without an end is a line of its own.
    if (this.#begun !== null && this.#begun.incarnation !== writer) {
      const rest = this.end();
      if (rest !== null) lines.push(rest);
    }
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline;
      const line = this.#skipping ? null : this.#take(chunk, at, end, newline >= 0);
      if (line !== null) lines.push(line);
      if (newline >= 0) this.#skipping = false;
      at = end + 1;
    }
    this.#end = spotIn(chunk, bytes.length, this.#skipping);
    const next = this.#begun === null ? this.#end : this.#startOf(this.#begun);
    return { lines, read: bytes.length, next };
  }

  /** The last line, where it has no end. */
  end(): ScannedLine | null {
    const begun = this.#begun;
    this.#begun = null;
    if (begun === null || this.#end === null) return null;
    return lineOf(begun, begun.bytes, false, this.#end);
  }

  #take(chunk: Chunk, from: number, to: number, ended: boolean): ScannedLine | null {
    const offset = chunk.offset + from;
    const begun = this.#begun ?? {
      chunk,
      offset,
      incarnation: incarnationAt(chunk.index, offset),
      bytes: Buffer.alloc(0),
    };
    const piece = chunk.bytes.subarray(from, to);
    const whole = begun.bytes.length === 0 ? piece : Buffer.concat([begun.bytes, piece]);
    if (whole.length > LINE_BYTES) {
      this.#begun = null;
      this.#skipping = true;
      // Behind its end where that is in sight, else within it.
      const next = ended ? spotIn(chunk, to + 1, false) : spotIn(chunk, to, true);
      return lineOf(begun, whole.subarray(0, LINE_BYTES), true, next);
    }
    if (ended) {
      this.#begun = null;
      return lineOf(begun, whole, false, spotIn(chunk, to + 1, false));
    }
    // A copy: a few bytes must not keep a whole chunk in memory.
    begun.bytes = Buffer.from(whole);
    this.#begun = begun;
    return null;
  }

  #startOf({ chunk, offset }: Begun): Spot {
    return spotIn(chunk, offset - chunk.offset, false);
  }
}

function lineOf(begun: Begun, bytes: Buffer, truncated: boolean, next: Spot): ScannedLine {
  const { chunk, offset, incarnation } = begun;
  return { bytes, truncated, offset, incarnation, index: chunk.index, next };
}

function spotIn({ spot }: Chunk, at: number, within_line: boolean): Spot {
  return { ...spot, offset: spot.offset + at, within_line };
}

/** As `walk`, to the end there is now; each chunk with what was known of its file in the tick in which it was read. */
async function* chunks(log: JobLog, reader: Reader, incarnation: number | null): AsyncGenerator<Chunk> {
  for (;;) {
    const read: { chunk: Chunk | null } = { chunk: null };
    const found = await step(log, reader, incarnation, {
      // What one incarnation has written and what the next has are read apart: a line is of one of them.
      until: (source, from) =>
        source.index().runs.find((run) => run.offset > from)?.offset ?? Number.POSITIVE_INFINITY,
      read: (source, from, bytes) => {
        const spot = spotOf(log, reader.cursor, source.start());
        read.chunk = { bytes, offset: from, index: source.index(), spot };
      },
    });
    if (found.is === 'over' || found.is === 'end') return;
    if (found.is === 'bytes' && read.chunk !== null) yield read.chunk;
  }
}
