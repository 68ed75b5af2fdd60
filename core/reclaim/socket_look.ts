/**
 * Is a Unix socket in use, left behind, or no socket at all?
 *
 * Neither sign proves anything alone. The kernel's table shows the path that was given to `bind`, so one that was
 * bound as `./a.sock` is not found under its full path; and a socket that is bound and not listening yet refuses
 * connections just as a dead one does. Only both together say "stale".
 */
import type { Stats } from 'node:fs';
import { basename } from 'node:path';
import type { Files, Host } from '../host/host.ts';
import { errnoOf, type FileStamp, stampOf } from './file_stamp.ts';
import { type UnixRow, unixRows } from './unix_table.ts';

/** The room for a path in the kernel's `sockaddr_un`. */
const ADDRESS_BYTES = 108;

/** What a look at a socket's path said. `sign` is what tells so. */
export type SocketLook =
  | { readonly state: 'free' }
  /** A dead socket's file. It may be unlinked after one more refused connection, if it is still this file. */
  | { readonly state: 'stale'; readonly stamp: FileStamp }
  | { readonly state: 'not_a_socket'; readonly found: string }
  | { readonly state: 'held'; readonly sign: string }
  | { readonly state: 'unclear'; readonly sign: string };

/** /proc/net/unix, read when it is first wanted; null where it cannot be read, or there is none. */
export type UnixTable = () => string | null;

/** For tables, read one after the other. The kernel gives a page of one at a time. */
const page = Buffer.allocUnsafeSlow(16 * 1024);

/** Reads the table at most once. */
export function unixTable(host: Host): UnixTable {
  let table: string | null | undefined;
  return () => {
    if (table === undefined) table = host.platform === 'linux' ? readTable(host.files) : null;
    return table;
  };
}

/** Two or three times as fast as `readFileSync`, which does not know how long a file of /proc is. */
function readTable(files: Files): string | null {
  try {
    const fd = files.openSync('/proc/net/unix', 'r');
    try {
      let table = '';
      for (;;) {
        const length = files.readSync(fd, page, 0, page.length, null);
        if (length === 0) return table;
        // Paths are bytes: latin1 keeps each, whatever it means.
        table += page.toString('latin1', 0, length);
      }
    } finally {
      files.closeSync(fd);
    }
  } catch {
    return null;
  }
}

/** Looks at one socket, a path or `@name`. Connects only where nobody is seen: a connection fills a live backlog. */
export async function lookAtSocket(path: string, host: Host, table: UnixTable): Promise<SocketLook> {
  return path.startsWith('@') ? lookAtAbstract(path, host, table) : await lookAtFile(path, host, table);
}

function lookAtAbstract(name: string, host: Host, table: UnixTable): SocketLook {
  // Abstract sockets are Linux's own.
  if (host.platform !== 'linux') return { state: 'free' };
  const text = table();
  if (text === null) return { state: 'unclear', sign: 'the table of Unix sockets cannot be read' };
  // Programs on an older libuv (Node 20) bind the name with the rest of the address, NULs that the table shows as `@`.
  const names = [name, name.padEnd(ADDRESS_BYTES, '@')].map(latin1);
  return names.some((each) => text.includes(` ${each}\n`))
    ? { state: 'held', sign: 'it is in the table of Unix sockets' }
    : { state: 'free' };
}

async function lookAtFile(path: string, host: Host, table: UnixTable): Promise<SocketLook> {
  const { files, net, platform } = host;
  let stamp: FileStamp;
  try {
    const stats = files.lstatSync(path, { bigint: true });
    if (!stats.isSocket()) return { state: 'not_a_socket', found: kindOf(stats) };
    stamp = stampOf(stats);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return { state: 'free' };
    return { state: 'unclear', sign: `it cannot be looked at (${errno})` };
  }

  const text = table();
  const rows = text === null ? [] : unixRows(text, latin1(basename(path)));
  if (rows.some((row) => row.path === latin1(path))) {
    return { state: 'held', sign: 'it is in the table of Unix sockets' };
  }
  const answer = await net.connectUnix(path);
  if (answer === 'connected') return { state: 'held', sign: 'it takes connections' };
  // It went away between the two looks.
  if (answer === 'ENOENT') return { state: 'free' };
  if (answer !== 'ECONNREFUSED') return { state: 'held', sign: `it answers ${answer}` };
  if (rows.some((row) => mayBeBoundHere(row, stamp, files))) {
    return { state: 'held', sign: 'a socket of this name is bound and does not listen' };
  }
  if (text === null && platform === 'linux') {
    return { state: 'unclear', sign: 'the table of Unix sockets cannot be read' };
  }
  return { state: 'stale', stamp };
}

/**
 * Another path of the same file: a relative one, relative to nobody knows what, or one through a symlinked folder
 * (`/var/run`). It matters only if it is bound and silent: one that listens would have taken the connection.
 */
function mayBeBoundHere(row: UnixRow, stamp: FileStamp, files: Files): boolean {
  if (row.listening || row.connected) return false;
  if (!row.path.startsWith('/')) return true;
  try {
    const { dev, ino } = files.lstatSync(Buffer.from(row.path, 'latin1'), { bigint: true });
    return dev === stamp.dev && ino === stamp.ino;
  } catch {
    return false;
  }
}

function latin1(path: string): string {
  return Buffer.from(path).toString('latin1');
}

function kindOf(stats: Pick<Stats, 'isSymbolicLink' | 'isDirectory' | 'isFile' | 'isFIFO'>): string {
  if (stats.isSymbolicLink()) return 'a symlink';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFile()) return 'a regular file';
  return stats.isFIFO() ? 'a FIFO' : 'a device';
}
