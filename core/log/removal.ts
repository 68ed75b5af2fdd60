/**
 * Takes the head out of a log while its writer goes on, once its bytes are in a segment (or given up).
 *
 * `fallocate -c` does it in one step of the kernel. To tell after a crash on which side of that step the file is,
 * comparing contents is no proof, for logs repeat themselves. So a random nonce is written over the file's first
 * bytes, which nobody reads any more, and then written down: as long as it stands there, the head is still in.
 *
 * 1. the index says that the head is not to be read here (`head`, or the `cut` before it, which is on disk)
 * 2. the nonce is written over the start of the head, and is on disk
 * 3. the index says which nonce (`remove`), and is on disk
 * 4. the head is collapsed, and the nonce with it
 * 5. the index says where the file begins now (`base`)
 *
 * A death between any two steps leaves either a head that is only in the way, and goes with the next rotation, or
 * an index whose `remove` is settled by one look at the nonce. A `fallocate` that outlives upkeep is waited for.
 */
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Host } from '../host/host.ts';
import { flushIndex, openLog } from './flush.ts';
import type { LogFile } from './log_file.ts';
import { isMarked, NONCE_BYTES } from './nonce.ts';
import { REPLACE, WRITE } from './open_flags.ts';

/** What a file system offers to shorten a file at its head; `truncate` is for those that offer nothing. */
export type HeadMethod = 'collapse' | 'punch' | 'truncate';

/** How long `fallocate` may take, ms: on a busy disk it waits for all that is unwritten. */
const FALLOCATE_TIMEOUT = 60_000;

/**
 * Finds out what the file system offers, by trying it.
 *
 * @param dir Where logs are.
 * @param block Its block size, bytes.
 * @throws where nothing could be found out now.
 */
export async function probeHeadMethod(host: Host, dir: string, block: number): Promise<HeadMethod> {
  const path = `${dir}/probe.tmp`;
  const handle = await host.files.promises.open(path, REPLACE, 0o600);
  try {
    await handle.write(Buffer.alloc(2 * block, 1));
    if ((await fallocate(host, '-c', handle, block)) === null) return 'collapse';
    return (await fallocate(host, '-p', handle, block)) === null ? 'punch' : 'truncate';
  } finally {
    await handle.close();
    await host.files.promises.unlink(path);
  }
}

/**
 * Takes out of the file what is before its head, as far as whole blocks go.
 *
 * @throws where it could not be done; nothing is lost then, and the next call tries again.
 */
export async function removeHead(host: Host, file: LogFile, method: 'collapse' | 'punch'): Promise<void> {
  if (file.head - file.base < file.block) return;
  // Of an upkeep that died, or at its deadline: what it does is done to the file as it was then.
  if (file.doubtful && isRemovalUnderWay(host, file)) return;
  file.doubtful = false;
  const handle = await openLog(host, file, WRITE);
  try {
    // A range that reaches the end of the file cannot be collapsed.
    const last = host.files.fstatSync(handle.fd).size - 1;
    const length = Math.floor(Math.min(file.head - file.base, last) / file.block) * file.block;
    if (length <= 0) return;
    const refused = method === 'collapse' ? await collapse(host, file, handle, length) : 'not tried';
    if (refused !== null && file.removal === null) await punch(host, file, handle, length);
  } catch (error) {
    file.doubtful = true;
    throw error;
  } finally {
    await handle.close();
  }
}

/** True while a `fallocate` that nobody waits for is still at work on the file. */
export function isRemovalUnderWay(host: Host, file: LogFile): boolean {
  const { processes } = host;
  const suspects = processes.list().filter((pid) => basename(processes.argv(pid)?.[0] ?? '') === 'fallocate');
  if (suspects.length === 0) return false;
  const { writers, complete } = processes.writersOf([file.id], suspects);
  return !complete || (writers.get(file.key)?.length ?? 0) > 0;
}

/**
 * Writes the nonce over a head that is not read any more.
 *
 * @returns null where the file was shortened by somebody else in the meantime.
 */
export function markHead(host: Host, handle: FileHandle, length: number): string | null {
  // No wait between the look and the write: in a file that its writer has just emptied, the nonce would be output.
  if (host.files.fstatSync(handle.fd).size < length) return null;
  const nonce = randomBytes(NONCE_BYTES);
  host.files.writeSync(handle.fd, nonce, 0, NONCE_BYTES, 0);
  return nonce.toString('hex');
}

/** Makes zeros of what nobody reads: this may happen at any time, and any number of times. */
async function punch(host: Host, file: LogFile, handle: FileHandle, length: number): Promise<void> {
  const { epoch } = file;
  await forgetNonce(host, file);
  // Its writer has emptied it: what it holds now is to be read.
  if (file.epoch !== epoch || host.files.fstatSync(handle.fd).size < length) return;
  const refused = await fallocate(host, '-p', handle, length);
  if (refused !== null) throw new Error(`Cannot take the head out of ${file.path}: ${refused}`);
  file.rewrite();
}

/** An attempt that failed has left its nonce in the index: once that is not in the file, it would read as gone. */
async function forgetNonce(host: Host, file: LogFile): Promise<void> {
  if (!file.remembers_nonce) return;
  file.recordBase();
  await flushIndex(host, file);
  file.remembers_nonce = false;
}

/** Null where it is done, or there is nothing left to do; else why not. */
async function collapse(
  host: Host,
  file: LogFile,
  handle: FileHandle,
  length: number,
): Promise<string | null> {
  const { epoch } = file;
  await forgetNonce(host, file);
  if (file.epoch !== epoch) return null;
  const nonce = markHead(host, handle, length);
  if (nonce === null) return null;
  await handle.datasync();
  if (file.epoch !== epoch) return null;
  const removal = { end: file.base + length, nonce };
  file.startRemoval(removal);
  let refused: string | null = 'not tried';
  try {
    await flushIndex(host, file);
    refused = isMarked(host.files, file.path, removal) ? await fallocate(host, '-c', handle, length) : null;
  } finally {
    // Ended at its deadline it may still be in the kernel; the next round settles it then.
    if (refused === null || !isRemovalUnderWay(host, file)) file.settleRemoval();
  }
  return refused;
}

/** Null where it worked, else why not. */
async function fallocate(
  host: Host,
  how: '-c' | '-p',
  handle: FileHandle,
  length: number,
): Promise<string | null> {
  const argv = [how, '-o', '0', '-l', String(length), '/proc/self/fd/3'];
  const options = { timeout: FALLOCATE_TIMEOUT, fds: [handle.fd] };
  const { exit_code, stderr, error } = await host.spawner.run('fallocate', argv, options);
  return exit_code === 0 ? null : (error ?? `exit code ${exit_code}: ${stderr.trim()}`);
}
