/**
 * Compresses segments that nobody writes to any more.
 */

import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Host } from '../host/host.ts';
import { isMissing } from './index_file.ts';
import { MODE, READ, REPLACE } from './open_flags.ts';
import { encodeTable, memberSize } from './seekable_gzip.ts';

const compress = promisify(gzip);

/** Logs compress well at any level: this one takes a third of the time of the default. */
const LEVEL = 3;

/**
 * Puts `<path>.gz` in the place of `path`, in one step. The work is done in Node's thread pool, a small piece at a
 * time.
 *
 * @param skip Bytes at the file's start that are not to be read any more.
 * @throws where it could not be done; the segment is as it was then.
 */
export async function compressSegment(host: Host, path: string, skip: number): Promise<void> {
  try {
    await compressFile(host, path, skip);
  } catch (error) {
    await host.files.promises.rm(`${path}.gz.tmp`, { force: true });
    // Retention has removed the segment meanwhile.
    if (!isMissing(error)) throw error;
  }
}

async function compressFile(host: Host, path: string, skip: number): Promise<void> {
  const { files } = host;
  const source = await files.promises.open(path, READ);
  try {
    const { size, atime, mtime } = await source.stat();
    const target = await files.promises.open(`${path}.gz.tmp`, REPLACE, MODE);
    try {
      await writeMembers(source, target, skip, size);
      // Its readers go by when it was last written to.
      await target.utimes(atime, mtime);
      await target.sync();
    } finally {
      await target.close();
    }
    // In one tick with the look: a segment that retention has removed must not come back.
    files.lstatSync(path);
    files.renameSync(`${path}.gz.tmp`, `${path}.gz`);
    files.unlinkSync(path);
  } finally {
    await source.close();
  }
}

async function writeMembers(
  source: FileHandle,
  target: FileHandle,
  skip: number,
  size: number,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(memberSize(size - skip));
  const members: { length: number; bytes: number }[] = [];
  for (let at = skip; ; ) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    const member = await compress(buffer.subarray(0, bytesRead), { level: LEVEL });
    await target.writeFile(member);
    members.push({ length: bytesRead, bytes: member.length });
    at += bytesRead;
  }
  await target.writeFile(encodeTable(members));
}
