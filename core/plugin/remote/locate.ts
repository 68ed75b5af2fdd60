/**
 * Where a plugin's code is: from what the service file says to a file.
 */
import { dirname, join, resolve } from 'node:path';
import type { Files } from '../../host/host.ts';

/** The code of a plugin. Paths are absolute and real. */
export interface LocatedPlugin {
  readonly file: string;
  /** Its files, of which it may read all: the folder or the package; null where it is one file alone. */
  readonly folder: string | null;
  /** Changes whenever the file does. */
  readonly stamp: string;
}

/** The plugin's code is not where it is said to be. */
export class PluginNotFound extends Error {
  override readonly name = 'PluginNotFound';
}

/** What a folder without a package.json begins with. */
const FIRST_FILES = ['mod.ts', 'mod.js', 'index.ts', 'index.js'];

const EXTENSIONS = /\.(?:ts|mts|js|mjs)$/;

/**
 * Finds a plugin's code.
 *
 * @param path as in the service file: a path that begins with `/`, `./` or `../`, or the name of a package.
 * @param from the folder that a relative path begins in, and from which upwards a package is looked for.
 * @throws {@link PluginNotFound}
 */
export function locatePlugin(path: string, from: string, files: Files): LocatedPlugin {
  const isPath = /^(?:\/|\.{1,2}(?:\/|$))/.test(path);
  const place = isPath ? resolve(from, path) : packageFolder(path, from, files);
  if (place === null) {
    const hint = files.existsSync(join(from, path)) ? `; did you mean ./${path}?` : '';
    throw new PluginNotFound(`there is no package '${path}' in any node_modules from ${from} upwards${hint}`);
  }
  const stat = files.statSync(place, { throwIfNoEntry: false });
  if (stat === undefined) throw new PluginNotFound(`there is no ${place}`);
  const folder = stat.isDirectory() ? files.realpathSync(place) : null;
  const file = folder === null ? files.realpathSync(place) : entryOf(folder, files);
  if (!EXTENSIONS.test(file)) {
    throw new PluginNotFound(`Cannot load ${file} as its name must end in .ts, .mts, .js or .mjs`);
  }
  if (/[*,]/.test(file)) {
    // Node's lists of readable paths would take them for more than this one.
    throw new PluginNotFound(`Cannot load ${file} as its path must have no * and no comma in it`);
  }
  const { mtimeMs, size } = files.statSync(file);
  return { file, folder, stamp: `${mtimeMs}-${size}` };
}

/** The folder of a package, looked for as Node does; null where there is none. */
export function packageFolder(name: string, from: string, files: Files): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (files.existsSync(join(place, 'package.json'))) return files.realpathSync(place);
    if (folder === dirname(folder)) return null;
  }
}

/**
 * The module that a folder begins with: what its package.json says, else one with a usual name.
 *
 * @throws {@link PluginNotFound}
 */
export function entryOf(folder: string, files: Files): string {
  const named = namedEntry(folder, files);
  const candidates = named === null ? FIRST_FILES : [named];
  const found = candidates.map((name) => join(folder, name)).find((path) => files.existsSync(path));
  if (found === undefined) throw new PluginNotFound(`there is no ${candidates.join(', ')} in ${folder}`);
  return files.realpathSync(found);
}

function namedEntry(folder: string, files: Files): string | null {
  const path = join(folder, 'package.json');
  if (!files.existsSync(path)) return null;
  let about: { exports?: unknown; main?: unknown };
  try {
    about = JSON.parse(files.readFileSync(path, 'utf8'));
  } catch (error) {
    throw new PluginNotFound(`${path} is no JSON: ${(error as Error).message}`);
  }
  const { exports, main } = about;
  const root = typeof exports === 'object' && exports !== null && '.' in exports ? exports['.'] : exports;
  return chosen(root) ?? (typeof main === 'string' ? main : null);
}

/** Of conditional exports the first that holds for a module that is imported. */
function chosen(target: unknown): string | null {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return null;
  for (const [condition, next] of Object.entries(target)) {
    if (!['import', 'node', 'module-sync', 'default'].includes(condition)) continue;
    const found = chosen(next);
    if (found !== null) return found;
  }
  return null;
}
