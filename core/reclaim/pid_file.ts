/**
 * PID files: read without trust, written in one piece.
 */
import { constants } from 'node:fs';
import type { Files } from '../host/host.ts';
import { errnoOf, type FileStamp, stampOf, unlinkUnchanged } from './file_stamp.ts';

/** What is at the path of a PID file. */
export type PidFile =
  | { readonly state: 'absent' }
  /** A symlink, a FIFO, a device, a folder, or what cannot be read: not ours to judge, left alone. `found` says what. */
  | { readonly state: 'not_a_pid_file'; readonly found: string }
  /** A regular file that names no process. */
  | { readonly state: 'invalid'; readonly stamp: FileStamp }
  | {
      readonly state: 'names';
      readonly pid: number;
      readonly stamp: FileStamp;
      /** When it was written, ms since the epoch by the clock of that time. */
      readonly written_ms: number;
    };

// Longer first lines than this hold no pid; a log that somebody named by mistake is not read whole.
const MAX_BYTES = 64;

/**
 * Parses a PID file's content: a decimal above 1, alone on the first line.
 *
 * @example
 * ```ts
 * parsePid('4711\n'); // 4711
 * parsePid('4711 nginx'); // null
 * ```
 */
export function parsePid(content: string): number | null {
  const match = /^[ \t]*([1-9]\d{0,9})[ \t]*(?:\r?\n|$)/.exec(content);
  const pid = Number(match?.[1] ?? 0);
  return pid > 1 && pid <= 0x7fffffff ? pid : null;
}

/**
 * Reads a PID file. A FIFO at the path does not make it wait, and a symlink is not followed: both are reported as what
 * they are.
 */
export function readPidFile(files: Files, path: string): PidFile {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = files.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return { state: 'absent' };
    return { state: 'not_a_pid_file', found: errno === 'ELOOP' ? 'a symlink' : errno };
  }
  try {
    const stats = files.fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return { state: 'not_a_pid_file', found: 'no regular file' };
    const bytes = Buffer.alloc(MAX_BYTES);
    const text = bytes.toString('latin1', 0, files.readSync(fd, bytes, 0, MAX_BYTES, 0));
    // A first line that goes on past what was read holds more than a pid.
    const pid = text.length < MAX_BYTES || text.includes('\n') ? parsePid(text) : null;
    const stamp = stampOf(stats);
    return pid === null
      ? { state: 'invalid', stamp }
      : { state: 'names', pid, stamp, written_ms: Number(stats.mtimeMs) };
  } catch (error) {
    return { state: 'not_a_pid_file', found: errnoOf(error) };
  } finally {
    files.closeSync(fd);
  }
}

/**
 * Writes a PID file so that a reader sees the old content or the new, never a part. The folder must be there.
 *
 * @throws an `ErrnoException` where it cannot be written. `EEXIST`: something that is no regular file is at the path
 *   (a symlink, a FIFO); a rename would replace it, and somebody meant something by it.
 */
export function writePidFile(files: Files, path: string, pid: number): void {
  const there = files.lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) {
    const message = `EEXIST: Cannot write ${path} as it is there and is no regular file`;
    throw Object.assign(new Error(message), { code: 'EEXIST', path });
  }
  // The pid makes the name one that no other writer of this moment uses.
  const draft = `${path}.${pid}.new`;
  try {
    // `wx` neither follows a symlink nor opens what is there.
    files.writeFileSync(draft, `${pid}\n`, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    // Left by an upkeep that died right here, when the pid was last in use.
    files.unlinkSync(draft);
    files.writeFileSync(draft, `${pid}\n`, { flag: 'wx', mode: 0o644 });
  }
  try {
    files.renameSync(draft, path);
  } catch (error) {
    files.unlinkSync(draft);
    throw error;
  }
}

/**
 * Removes a PID file if it still names `pid`: a program may have put another pid there meanwhile, which is its own.
 *
 * @returns true where it was removed.
 */
export function removePidFileIfOurs(files: Files, path: string, pid: number): boolean {
  const file = readPidFile(files, path);
  if (file.state !== 'names' || file.pid !== pid) return false;
  return unlinkUnchanged(files, path, file.stamp) === 'removed';
}
