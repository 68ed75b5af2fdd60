/**
 * Which file it is that was looked at: what lets it be removed a moment later without removing another one.
 */
import type { BigIntStats } from 'node:fs';
import type { Files } from '../host/host.ts';

/**
 * A file as it was at one look. The inode alone does not tell: ext4 gives the number of a file that was just removed
 * to the next one made. The change time, in ns, does.
 */
export interface FileStamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly ctime_ns: bigint;
}

/** The stamp in an `lstat` or `fstat` answer. */
export function stampOf(stats: BigIntStats): FileStamp {
  return { dev: stats.dev, ino: stats.ino, ctime_ns: stats.ctimeNs };
}

/** The `code` of an `ErrnoException`; `EUNKNOWN` for anything else that was thrown. */
export function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'EUNKNOWN';
}

/** True where both looks saw the same file. */
export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.ctime_ns === b.ctime_ns;
}

/** `removed`; `gone` where there is nothing any more; `changed` where it is another file now; or the errno. */
export type UnlinkOutcome = 'removed' | 'gone' | 'changed' | (string & {});

/**
 * Unlinks the file only if it is still the one that was looked at.
 *
 * POSIX has no "unlink if": two system calls in a row, with nothing awaited in between, are as close as it gets.
 */
export function unlinkUnchanged(files: Files, path: string, stamp: FileStamp): UnlinkOutcome {
  try {
    if (!sameStamp(stampOf(files.lstatSync(path, { bigint: true })), stamp)) return 'changed';
    files.unlinkSync(path);
    return 'removed';
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' ? 'gone' : errno;
  }
}
