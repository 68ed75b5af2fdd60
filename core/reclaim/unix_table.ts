/**
 * /proc/net/unix, as far as finding out whether a path is in use needs it.
 */

/** A row that has a path. */
export interface UnixRow {
  /** As it was given to `bind`, so it may be relative. Bytes as latin1. */
  readonly path: string;
  /** It accepts connections. A row that does not is bound only, or is one end of a connection. */
  readonly listening: boolean;
  /** It is one end of a connection: an accepted socket shows its listener's path. */
  readonly connected: boolean;
}

// Num RefCount Protocol Flags Type St Inode Path
const ROW = /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]+) [0-9A-F]+ ([0-9A-F]+) +\d+ (.+)$/;
const ACCEPTS = 0x10000;
const CONNECTED = 0x03;

/**
 * The rows of the table whose path is `name`, a file's name without its folder, in whatever folder.
 *
 * @param table the whole of /proc/net/unix, bytes as latin1.
 */
export function unixRows(table: string, name: string): UnixRow[] {
  const rows: UnixRow[] = [];
  // One search for the name instead of a parse of each row: the table can have thousands.
  const tail = `${name}\n`;
  for (let at = table.indexOf(tail); at >= 0; at = table.indexOf(tail, at + 1)) {
    const line = table.slice(table.lastIndexOf('\n', at - 1) + 1, at + name.length);
    const [, flags, state, path] = ROW.exec(line) ?? [];
    if (flags === undefined || state === undefined || path === undefined) continue;
    if (path !== name && !path.endsWith(`/${name}`)) continue;
    const listening = (Number.parseInt(flags, 16) & ACCEPTS) !== 0;
    rows.push({ path, listening, connected: Number.parseInt(state, 16) === CONNECTED });
  }
  return rows;
}
