/**
 * Which Unix sockets can be connected to.
 */

/** Longest path that fits into the kernel's `sockaddr_un`, in bytes. A longer one would be cut, not refused. */
const LONGEST = 107;

/** The errno that connecting to such a path comes to without being tried; null where it can be tried. */
export function unusablePath(path: string): 'ENOTSUP' | 'ENAMETOOLONG' | null {
  // Node 20 fills an abstract name up with NULs, and so would ask for another one.
  if (path.startsWith('@') || path.includes('\0')) return 'ENOTSUP';
  return Buffer.byteLength(path) > LONGEST ? 'ENAMETOOLONG' : null;
}

/** The error that says so, as the system's would. */
export function pathError(path: string): NodeJS.ErrnoException | null {
  const code = unusablePath(path);
  return code === null ? null : Object.assign(new Error(`connect ${code} ${path}`), { code, path });
}
