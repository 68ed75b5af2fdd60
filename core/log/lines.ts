/**
 * Lines out of chunks of bytes. A null among the chunks says that the end was reached and more may come.
 */

const NEWLINE = 0x0a;

/** What of a line that has not ended is kept, bytes. A longer one is judged in parts of this size. */
const MAX_LINE = 65_536;

/** What is kept for the last lines that match, bytes. */
const MAX_KEPT = 4 * 1024 * 1024;

/** Only the lines that contain a text. */
export async function* matchingLines(
  chunks: AsyncIterable<Buffer | null>,
  text: string,
): AsyncGenerator<Buffer | null> {
  const needle = Buffer.from(text);
  let begun: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (chunk === null) {
      yield null;
      continue;
    }
    const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
    const end = bytes.length - begunAt(bytes) > MAX_LINE ? bytes.length : begunAt(bytes);
    const lines = linesWith(bytes.subarray(0, end), needle);
    // A copy: a few bytes must not keep a whole chunk in memory.
    begun = Buffer.from(bytes.subarray(end));
    if (lines.length > 0) yield lines;
  }
  const last = linesWith(begun, needle);
  if (last.length > 0) yield last;
}

/** Of what comes until the end is first reached, only the last lines; then everything. */
export async function* lastLines(
  chunks: AsyncIterable<Buffer | null>,
  lines: number,
): AsyncGenerator<Buffer | null> {
  let kept: Buffer[] = [];
  let bytes = 0;
  let caughtUp = false;
  for await (const chunk of chunks) {
    if (caughtUp) yield chunk;
    else if (chunk === null) {
      caughtUp = true;
      yield endOf(Buffer.concat(kept), lines);
      kept = [];
      yield null;
    } else {
      kept.push(chunk);
      bytes += chunk.length;
      if (bytes <= 2 * MAX_KEPT) continue;
      const last = endOf(Buffer.concat(kept).subarray(-MAX_KEPT), lines);
      kept = [Buffer.from(last)];
      bytes = last.length;
    }
  }
  if (!caughtUp) yield endOf(Buffer.concat(kept), lines);
}

/** Where the last line begins that has not ended. */
function begunAt(bytes: Buffer): number {
  return bytes.lastIndexOf(NEWLINE) + 1;
}

/** The lines that contain the needle. */
function linesWith(bytes: Buffer, needle: Buffer): Buffer {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const hit = bytes.indexOf(needle, at);
    if (hit < 0) break;
    const newline = bytes.indexOf(NEWLINE, hit);
    const start = hit === 0 ? 0 : bytes.lastIndexOf(NEWLINE, hit - 1) + 1;
    at = newline < 0 ? bytes.length : newline + 1;
    found.push(bytes.subarray(start, at));
  }
  return Buffer.concat(found);
}

/** The last lines of some bytes. */
export function endOf(bytes: Buffer, lines: number): Buffer {
  let at = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  for (let left = lines; left > 0; left--) {
    if (at <= 0) return bytes;
    at = bytes.lastIndexOf(NEWLINE, at - 1);
    if (at < 0) return bytes;
  }
  return lines === 0 ? Buffer.alloc(0) : bytes.subarray(at + 1);
}
