/**
 * The nonce at the start of a head that is being taken out: as long as it stands there, the head is still in the file.
 */
import type { Files } from '../host/host.ts';
import { isMissing } from './index_file.ts';
import type { Removal } from './log_index.ts';
import { READ } from './open_flags.ts';

/** How long a nonce is, bytes. */
export const NONCE_BYTES = 16;

/**
 * Whether the nonce of a removal still stands at a file's start. False once what it stood on is gone, file and all.
 *
 * @throws an `ErrnoException` where the file cannot be read.
 */
export function isMarked(files: Files, path: string, removal: Removal): boolean {
  const start = Buffer.alloc(NONCE_BYTES);
  let fd: number;
  try {
    fd = files.openSync(path, READ);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  try {
    files.readSync(fd, start, 0, NONCE_BYTES, 0);
  } finally {
    files.closeSync(fd);
  }
  return start.toString('hex') === removal.nonce;
}
