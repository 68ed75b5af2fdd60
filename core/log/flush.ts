/**
 * Opening a log file by name while restarts rename it, and getting what was done onto the disk.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Host } from '../host/host.ts';
import { isMissing } from './index_file.ts';
import type { LogFile } from './log_file.ts';
import { DIRECTORY, READ } from './open_flags.ts';

/**
 * Opens the very file, whatever it is called by now.
 *
 * @throws where it is there under no name any more.
 */
export async function openLog(host: Host, file: LogFile, flags: number): Promise<FileHandle> {
  for (;;) {
    const path = file.path;
    const handle = await openUnless(host, path, flags, () => file.path !== path);
    if (handle === null) continue;
    let same = false;
    try {
      const { dev, ino } = await handle.stat({ bigint: true });
      same = dev === file.id.dev && ino === file.id.ino;
    } finally {
      if (!same) await handle.close();
    }
    if (same) return handle;
    if (file.path !== path) continue;
    const message = `Cannot use ${path} as somebody has put another file in its place`;
    throw Object.assign(new Error(message), { code: 'ENOENT' });
  }
}

/** Flushes a log's index, which a restart may rename meanwhile. */
export async function flushIndex(host: Host, file: LogFile): Promise<void> {
  for (;;) {
    const path = file.indexPath;
    const handle = await openUnless(host, path, READ, () => file.indexPath !== path);
    if (handle === null) continue;
    try {
      if (file.indexPath !== path) continue;
      return await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** Flushes the names in a folder. */
export async function flushFolder(host: Host, dir: string): Promise<void> {
  const handle = await host.files.promises.open(dir, DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Opens; null where the file was renamed just then. */
async function openUnless(
  host: Host,
  path: string,
  flags: number,
  renamed: () => boolean,
): Promise<FileHandle | null> {
  try {
    return await host.files.promises.open(path, flags);
  } catch (error) {
    if (isMissing(error) && renamed()) return null;
    throw error;
  }
}
