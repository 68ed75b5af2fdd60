/**
 * Paths of Unix sockets that another program may have cut short.
 */

/**
 * The path that the kernel's own table has for a socket, with all that it holds.
 *
 * @param table the text of /proc/net/unix.
 * @returns null where the socket is not in it.
 */
export function pathInTable(table: string, inode: string): string | null {
  // The kernel prints a path as it is: one with a line break in it ends where the next row begins.
  const row = new RegExp(` ${inode} (.*?)\\n(?:[\\da-f]+: |$)`, 's').exec(table);
  return row?.[1] ?? null;
}
