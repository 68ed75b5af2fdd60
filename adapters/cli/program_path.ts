/**
 * How this very program is started again.
 */
import { basename, extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * How node is told to be small, and not to forget. A fork costs more the more memory the parent has, and a fork is the
 * longest step of a restart; V8's default is to let short-lived garbage grow to 16 MB first, and to keep what was needed
 * for a moment. And it drops what it has compiled of functions that were not called for a few collections, which would be
 * compiled anew while a service is down. The program's first line says the same.
 */
export const NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-flush-bytecode',
];

/** The main module, compiled or not. */
export function mainModule(): string {
  return fileURLToPath(new URL(`main${extname(import.meta.url)}`, import.meta.url));
}

/**
 * What people type to run it: `upkeep` where it is installed, else with its path.
 *
 * @param started the path that it was started by.
 */
export function invocation(started: string | undefined, cwd: string): string {
  if (started !== undefined && basename(started) === 'upkeep') return 'upkeep';
  return `node ${relative(cwd, mainModule()) || mainModule()}`;
}
