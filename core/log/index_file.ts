/**
 * The file that an index is kept in; see `log_index.ts`.
 */
import type { Files } from '../host/host.ts';
import { formatIndex, type LogIndex, parseIndex } from './log_index.ts';
import { APPEND, MODE, READ, REPLACE } from './open_flags.ts';

/** An index that records are appended to. Its path is given each time: restarts rename it. */
export class IndexFile {
  readonly #files: Files;
  /** It ends within a record that was never finished. */
  #torn: boolean;

  /** @param text What is in it now. */
  constructor(files: Files, text: string) {
    this.#files = files;
    this.#torn = text !== '' && !text.endsWith('\n');
  }

  /** Adds a record, on a line of its own. */
  append(path: string, record: string): void {
    const text = this.#torn ? `\n${record}` : record;
    // Until it is known to be whole: a full disk can cut a record short.
    this.#torn = true;
    this.#files.writeFileSync(path, text, { flag: flag(APPEND), mode: MODE });
    this.#torn = false;
  }

  /** Puts an index in its place, in one step. */
  replace(path: string, index: LogIndex): void {
    writeIndex(this.#files, `${path}.tmp`, index);
    this.#files.renameSync(`${path}.tmp`, path);
    this.#torn = false;
  }
}

/** Writes a whole index, over what is there. */
export function writeIndex(files: Files, path: string, index: LogIndex): void {
  files.writeFileSync(path, formatIndex(index), { flag: flag(REPLACE), mode: MODE });
}

/** Reads an index; the fallback where there is none. */
export function readIndex(files: Files, path: string, fallback: LogIndex): LogIndex {
  return parseIndex(readText(files, path), fallback);
}

/** The text of an index; empty where there is none. */
export function readText(files: Files, path: string): string {
  try {
    return files.readFileSync(path, { encoding: 'utf8', flag: flag(READ) });
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

/** Renames a file. @returns false where there is none. */
export function renameIfThere(files: Files, from: string, to: string): boolean {
  try {
    files.renameSync(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** True for "no such file": in the log folder that is never a failure, but somebody else's doing. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Node takes numbers here, as its documentation says; its types know only the names. */
function flag(flags: number): string {
  return flags as unknown as string;
}
