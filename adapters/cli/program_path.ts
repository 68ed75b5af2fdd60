/**
 * How this very program is started again.
 */
import { basename, extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

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
