/**
 * Compresses segments that nobody writes to any more.
 */

import type { FileHandle } from 'node:fs/promises';
import type { Host } from '../host/host.ts';
import type { Codec, CodecWork } from './codec.ts';
import { isMissing } from './index_file.ts';
import { type MemberSize, memberSize } from './members.ts';
import { MODE, READ, REPLACE } from './open_flags.ts';

/** A codec that this Node knows. */
type Usable = Codec & { readonly work: CodecWork };

/**
 * Puts `<path>.gz`, or what the codec's files are called, in the place of `path`, in one step. The work is done in
 * Node's thread pool, a small piece at a time.
 *
 * @param skip Bytes at the file's start that are not to be read any more.
 * @throws where it could not be done; the segment is as it was then.
 */
export async function compressSegment(host: Host, path: string, skip: number, codec: Usable): Promise<void> {
  const target = `${path}.${codec.suffix}`;
  try {
    await compressFile(host, { path, target, skip, codec });
  } catch (error) {
    await host.files.promises.rm(`${target}.tmp`, { force: true });
    // Retention has removed the segment meanwhile.
    if (!isMissing(error)) throw error;
  }
}

interface Job {
  readonly path: string;
  readonly target: string;
  readonly skip: number;
  readonly codec: Usable;
}

async function compressFile(host: Host, { path, target, skip, codec }: Job): Promise<void> {
  const { files } = host;
  const source = await files.promises.open(path, READ);
  try {
    const { size, atime, mtime } = await source.stat();
    const handle = await files.promises.open(`${target}.tmp`, REPLACE, MODE);
    try {
      await writeMembers(source, handle, { skip, size, codec });
      // Its readers go by when it was last written to.
      await handle.utimes(atime, mtime);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // In one tick with the look: a segment that retention has removed must not come back.
    files.lstatSync(path);
    files.renameSync(`${target}.tmp`, target);
    files.unlinkSync(path);
  } finally {
    await source.close();
  }
}

async function writeMembers(
  source: FileHandle,
  target: FileHandle,
  { skip, size, codec }: { readonly skip: number; readonly size: number; readonly codec: Usable },
): Promise<void> {
  const buffer = Buffer.allocUnsafe(memberSize(size - skip));
  const members: MemberSize[] = [];
  for (let at = skip; ; ) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) break;
    const member = await codec.work.compress(buffer.subarray(0, bytesRead));
    await target.writeFile(member);
    members.push({ length: bytesRead, bytes: member.length });
    at += bytesRead;
  }
  await target.writeFile(codec.encodeTable(members));
}
