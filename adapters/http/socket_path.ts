/**
 * Where upkeep's socket is. The daemon and every client work it out alike.
 */
import { join } from 'node:path';

/**
 * The bytes that a socket's path can have: `sun_path` has room for 108 with the NUL on Linux, 104 on macOS. What is
 * longer is cut silently.
 */
export const SOCKET_PATH_LIMIT = process.platform === 'darwin' ? 103 : 107;

/** Thrown where no path is short enough. */
export class SocketPathTooLong extends Error {
  override readonly name = 'SocketPathTooLong';
}

/**
 * The path of the socket of the upkeep on a state folder: `upkeep.sock` in it, or where that is too long,
 * `upkeep-<instance>.sock` in `$XDG_RUNTIME_DIR`.
 *
 * @param stateDir absolute.
 * @param instance the state folder's own short name, a hash of its real path.
 * @throws {@link SocketPathTooLong}
 *
 * @example
 * ```ts
 * socketPath('/srv/shop/.upkeep', '1f2e3d', {}); // '/srv/shop/.upkeep/upkeep.sock'
 * ```
 */
export function socketPath(
  stateDir: string,
  instance: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const beside = join(stateDir, 'upkeep.sock');
  if (fits(beside)) return beside;
  const runtimeDir = env['XDG_RUNTIME_DIR'];
  if (runtimeDir?.startsWith('/')) {
    const elsewhere = join(runtimeDir, `upkeep-${instance}.sock`);
    if (fits(elsewhere)) return elsewhere;
  }
  throw new SocketPathTooLong(
    `${beside} is ${Buffer.byteLength(beside)} bytes long and a socket's path can have ${SOCKET_PATH_LIMIT}; ` +
      'use a shorter state folder, or set XDG_RUNTIME_DIR to a folder of your own',
  );
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= SOCKET_PATH_LIMIT;
}
