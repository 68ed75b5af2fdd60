/** Whether every line that the worker wrote is there, in whatever files its supervisor has cut them into. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The length of a line of the worker's in bytes, with its end. */
export const LINE = 100;

/** What became of the lines. */
export interface LineCount {
  /** How many files hold them. */
  readonly files: number;
  readonly lost: number;
  readonly twice: number;
  /** Pieces between two line ends that are no line of the worker's. */
  readonly broken: number;
}

/** All files below a folder. */
export function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The number of the first whole line of a piece; pieces are cut anywhere, so their order is told by content. */
function firstNumber(piece: Buffer): number {
  const match = /(?:^|\n)(\d{10}) x+\n/.exec(piece.toString('latin1', 0, 3 * LINE));
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]);
}

/**
 * Counts the numbered lines, 0 to `lines` - 1, in all logs below a folder: active ones, older ones with a number at
 * the end of their name, and compressed ones.
 */
export function countLines(dir: string, lines: number): LineCount {
  const pieces = filesBelow(dir)
    .filter((path) => /\.log(\.\d+|\.gz)?$/.test(path))
    .map((path) => (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)))
    .filter((piece) => piece.length > 0)
    .sort((a, b) => firstNumber(a) - firstNumber(b));
  const all = Buffer.concat(pieces);
  const seen = new Uint8Array(lines);
  let broken = 0;
  for (let from = 0; from < all.length; ) {
    const end = all.indexOf(10, from);
    const to = end === -1 ? all.length : end;
    const number = Number(all.toString('latin1', from, from + 10));
    if (to - from === LINE - 1 && all[to - 1] === 0x78 && number < lines)
      seen[number] = (seen[number] ?? 0) + 1;
    else broken += 1;
    from = to + 1;
  }
  let lost = 0;
  let twice = 0;
  for (const count of seen) {
    if (count === 0) lost += 1;
    if (count > 1) twice += 1;
  }
  return { files: pieces.length, lost, twice, broken };
}
