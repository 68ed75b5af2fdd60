/**
 * The token in the state folder, by which its owner comes in over TCP.
 */
import { constants } from 'node:fs';
import { join } from 'node:path';
import type { Files } from '../host/host.ts';
import { isSecret, newSecret } from './secret.ts';

/** The file is not one that a token can safely be in. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';

  constructor(path: string, rule: string, value: string) {
    super(`Cannot use the token file ${path} as it must ${rule}: current value is ${value}`);
  }
}

/** No token is longer. */
const LONGEST = 256;

/** Where the token of a state folder is. */
export function tokenFile(stateDir: string): string {
  return join(stateDir, 'token');
}

/**
 * The token in a file, which is made (0600) where it is not there. Whatever somebody else could have put there or can
 * read is refused, and left alone.
 *
 * @throws {@link TokenFileError}
 */
export function readTokenFile(path: string, files: Files): string {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
  let fd: number;
  try {
    fd = files.openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Not a stat before: what is looked at is what is read. Nothing waits for the other end of a FIFO.
    fd = opened(path, files, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  }
  try {
    const stat = files.fstatSync(fd);
    const uid = process.getuid?.() ?? stat.uid;
    if (!stat.isFile()) throw new TokenFileError(path, 'be a plain file', 'something else');
    if (stat.nlink !== 1) throw new TokenFileError(path, 'have one name only', `${stat.nlink} names`);
    if (stat.uid !== uid) throw new TokenFileError(path, `belong to uid ${uid}`, `uid ${stat.uid}`);
    if ((stat.mode & 0o077) !== 0) {
      throw new TokenFileError(path, 'be readable by its owner only (chmod 600)', octal(stat.mode));
    }
    if (stat.size > 0) return secretIn(path, fd, stat.size, files);
    // New, or left by an upkeep that died right here.
    const secret = newSecret();
    files.writeSync(fd, `${secret}\n`);
    files.fsyncSync(fd);
    return secret;
  } finally {
    files.closeSync(fd);
  }
}

/**
 * Puts a new token into the place of one that was taken back.
 *
 * @throws {@link TokenFileError}
 */
export function renewTokenFile(path: string, files: Files): string {
  // That it is still a file of ours is checked by reading it.
  readTokenFile(path, files);
  files.unlinkSync(path);
  return readTokenFile(path, files);
}

function opened(path: string, files: Files, flags: number): number {
  try {
    return files.openSync(path, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw new TokenFileError(path, 'be a plain file', 'a link');
    throw new TokenFileError(path, 'be a plain file that can be opened', code ?? String(error));
  }
}

function secretIn(path: string, fd: number, size: number, files: Files): string {
  const bytes = Buffer.alloc(Math.min(size, LONGEST));
  files.readSync(fd, bytes, 0, bytes.length, 0);
  const text = bytes.toString('utf8').trim();
  // What is in it is not told: it may be a secret of something else.
  if (!isSecret(text)) throw new TokenFileError(path, 'hold a token (remove it for a new one)', 'other text');
  return text;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
