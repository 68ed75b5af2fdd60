/**
 * The kernel's tables of sockets in /proc/net: what is bound to which port or path.
 */
import { endianness } from 'node:os';
import { plainAddress } from './address.ts';
import type { Host } from './host.ts';
import { turn } from './slices.ts';

/** A socket that holds a port: one that listens, or one of UDP that is not connected. */
export interface PortRow {
  readonly port: number;
  /** Null where no process has it: it is the kernel's own. */
  readonly inode: string | null;
  /** As the table has it; see {@link addressOf}. */
  readonly raw_address: string;
}

/** A Unix socket that has a path. */
export interface PathRow {
  /** As it was given to `bind`, bytes as latin1: absolute, relative, or `@name` for an abstract one. */
  readonly path: string;
  /** It is one end of a connection: an accepted socket shows its listener's path. */
  readonly connected: boolean;
  readonly inode: string;
}

const TABLES = { tcp: ['/proc/net/tcp', '/proc/net/tcp6'], udp: ['/proc/net/udp', '/proc/net/udp6'] };

// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
const PORT_ROW = /^ *\d+: ([\dA-F]+):([\dA-F]{4}) \S+ ([\dA-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+) /;
/** The state that holds a port: LISTEN for TCP; UDP knows only CLOSE and, when connected, ESTABLISHED. */
const HOLDING = { tcp: '0A', udp: '07' };

// Num RefCount Protocol Flags Type St Inode Path
const PATH_ROW = /^[\da-f]+: [\dA-F]+ [\dA-F]+ [\dA-F]+ [\dA-F]+ ([\dA-F]+) +(\d+)(?: (.*))?$/;
const CONNECTED = '03';
/** A socket without a process: one of the kernel's own, or a connection that nobody has accepted yet. */
const NO_INODE = '0';

/** Bytes asked for at a time. The kernel gives a page or so. */
const CHUNK = 64 * 1024;
/** How long a table may hold the event loop, in ms. */
const SLICE = 4;

/**
 * Visits every socket that holds a port of this protocol, in IPv4 and IPv6.
 *
 * @throws where a table cannot be read.
 */
export async function visitPorts(
  kind: 'tcp' | 'udp',
  host: Host,
  visit: (row: PortRow) => void,
): Promise<void> {
  for (const table of TABLES[kind]) {
    await visitLines(table, host, (line) => {
      const [, raw_address, port, state, inode] = PORT_ROW.exec(line) ?? [];
      if (raw_address === undefined || port === undefined || inode === undefined) return 'more';
      // The kernel lists those that listen first: behind them there may be a hundred thousand connections.
      if (state !== HOLDING[kind]) return kind === 'tcp' ? 'enough' : 'more';
      visit({ port: Number.parseInt(port, 16), inode: inode === NO_INODE ? null : inode, raw_address });
      return 'more';
    });
  }
}

/** The address in a row, spelt as {@link plainAddress} does. */
export function addressOf({ raw_address }: PortRow): string {
  const bytes = Buffer.from(raw_address, 'hex');
  // Printed as numbers of 32 bits in the machine's own order, of bytes that are in the network's.
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  return plainAddress(bytes.toString('hex').replace(/.{4}(?!$)/g, '$&:'));
}

/**
 * Visits every Unix socket that has a path.
 *
 * @throws where the table cannot be read.
 */
export async function visitPaths(host: Host, visit: (row: PathRow) => void): Promise<void> {
  let row: PathRow | null = null;
  const flush = (): void => {
    if (row !== null && row.path !== '' && row.inode !== NO_INODE) visit(row);
  };
  await visitLines('/proc/net/unix', host, (line) => {
    const [, state, inode, path = ''] = PATH_ROW.exec(line) ?? [];
    if (inode === undefined) {
      // The kernel prints a path as it is: a line that is no row goes on with the one before.
      if (row !== null) row = { ...row, path: `${row.path}\n${line}` };
      return 'more';
    }
    flush();
    row = { path, connected: state === CONNECTED, inode };
    return 'more';
  });
  flush();
}

/** Reads a table line by line and lets the event loop turn now and then. One that is not there has no lines. */
async function visitLines(
  path: string,
  { files, clock }: Host,
  visit: (line: string) => 'more' | 'enough',
): Promise<void> {
  const fd = openTable(path, files);
  if (fd === null) return;
  const buffer = Buffer.allocUnsafe(CHUNK);
  try {
    let rest = '';
    let until = clock.mono() + SLICE;
    for (;;) {
      const length = files.readSync(fd, buffer, 0, CHUNK, null);
      if (length === 0) return;
      const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (visit(line) === 'enough') return;
      if (clock.mono() < until) continue;
      await turn(clock);
      until = clock.mono() + SLICE;
    }
  } finally {
    files.closeSync(fd);
  }
}

/** Null where the kernel has no such table, as with IPv6 turned off. */
function openTable(path: string, files: Host['files']): number | null {
  try {
    return files.openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
