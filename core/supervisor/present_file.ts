/**
 * The service file on disk: read so that it can be told later whether it is still the same, and replaced in one step.
 */
import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Files } from '../host/host.ts';
import { Conflict, Unavailable } from './refusal.ts';

/** A file that was read. */
export interface PresentFile {
  readonly path: string;
  readonly text: string;
  readonly stamp: Stamp;
}

/** What tells a file from another one, and from itself after any change. */
interface Stamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly nlink: bigint;
}

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Reads a file that is to be replaced.
 *
 * @throws {@link Conflict} for what cannot be replaced without breaking something: a link, a file with several names,
 * another user's, and one that is gone.
 */
export function readPresent(files: Files, path: string): PresentFile {
  const stamp = stampOf(files, path);
  let fd: number;
  try {
    // Put in the file's place since, a link is not followed, and a FIFO holds nobody up.
    fd = files.openSync(path, READ);
  } catch (error) {
    throw new Conflict(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    if (!isSame(files.fstatSync(fd, { bigint: true }), stamp)) throw changed(path);
    return { path, text: files.readFileSync(fd, 'utf8'), stamp };
  } finally {
    files.closeSync(fd);
  }
}

function stampOf(files: Files, path: string): Stamp {
  const stat = files.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined)
    throw new Conflict(`${path} is gone: it is not made anew, as somebody has removed it`);
  if (stat.isSymbolicLink()) {
    throw new Conflict(`${path} is a symbolic link: the file that it leads to must be changed by hand`);
  }
  if (!stat.isFile()) throw new Conflict(`${path} is no file`);
  if (stat.nlink > 1n) {
    throw new Conflict(
      `${path} has ${stat.nlink} names (hard links), of which the others would keep the old text`,
    );
  }
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0 && stat.uid !== BigInt(uid)) {
    throw new Conflict(
      `${path} belongs to uid ${stat.uid}, which it would not if upkeep (uid ${uid}) replaced it`,
    );
  }
  return stat;
}

function isSame(a: Stamp, b: Stamp): boolean {
  const keys = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs', 'mode', 'uid', 'gid', 'nlink'] as const;
  return keys.every((key) => a[key] === b[key]);
}

function changed(path: string): Conflict {
  return new Conflict(`${path} was changed by somebody else meanwhile`);
}

/**
 * Puts a new text in the place of a file, if it is still the one that was read: whoever looks sees the old text or the
 * new one, whole, whenever the machine dies. Mode, owner and group stay; access control lists do not.
 *
 * Between the last look at the old file and the rename there are a few microseconds in which an editor's change would
 * be lost: the kernel has no rename that compares.
 *
 * @param own names the temporary file beside it, which nobody else uses: what a death left behind is removed.
 * @throws {@link Conflict} where the file is another one by now, {@link Unavailable} where it cannot be written; then
 * nothing was changed.
 */
export async function replacePresent(
  files: Files,
  { path, stamp }: PresentFile,
  text: string,
  own: string,
): Promise<void> {
  const fresh = join(dirname(path), `.${basename(path)}.${own}.tmp`);
  removeLeftover(files, fresh);
  try {
    await writeFresh(files, fresh, text, stamp);
    // From here on in one tick.
    const now = files.lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (now === undefined || !isSame(now, stamp)) throw changed(path);
    files.renameSync(fresh, path);
  } catch (error) {
    discard(files, fresh);
    if (error instanceof Conflict) throw error;
    throw new Unavailable(`${path} cannot be replaced: ${(error as Error).message}`);
  }
  syncFolder(files, dirname(path));
}

/** What cannot be removed is removed before the next try: why this one failed is what is to be told. */
function discard(files: Files, fresh: string): void {
  try {
    files.rmSync(fresh, { force: true });
  } catch {
    // See above.
  }
}

function removeLeftover(files: Files, fresh: string): void {
  const stat = files.lstatSync(fresh, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isFile()) throw new Conflict(`${fresh} is in the way, and is no file of upkeep's`);
  files.unlinkSync(fresh);
}

async function writeFresh(
  files: Files,
  path: string,
  text: string,
  { mode, uid, gid }: Stamp,
): Promise<void> {
  const handle = await files.promises.open(path, CREATE, 0o600);
  try {
    await handle.writeFile(text);
    const { uid: ownUid, gid: ownGid } = await handle.stat({ bigint: true });
    // Before the mode: a change of the owner clears some of its bits.
    if (uid !== ownUid || gid !== ownGid) await handle.chown(Number(uid), Number(gid));
    await handle.chmod(Number(mode) & 0o7777);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the rename last. Not every file system can, and then there is nothing more to be done. */
function syncFolder(files: Files, folder: string): void {
  try {
    const fd = files.openSync(folder, constants.O_RDONLY);
    try {
      files.fsyncSync(fd);
    } finally {
      files.closeSync(fd);
    }
  } catch {
    // The new text is in its place all the same.
  }
}
