/**
 * The version of this package, told by its package.json, compiled or not.
 */
import { readFileSync } from 'node:fs';

/** The version, such as `0.1.0`. */
export function version(): string {
  // Two folders up from the source, three from what is compiled into dist/.
  for (const up of ['../../package.json', '../../../package.json']) {
    const text = read(new URL(up, import.meta.url));
    const manifest = text === null ? null : JSON.parse(text);
    if (manifest?.name === 'upkeep') return manifest.version;
  }
  return 'unknown';
}

function read(url: URL): string | null {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    return null;
  }
}
