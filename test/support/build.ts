/**
 * Builds the package before any test runs: the end-to-end tests start the program as users do, compiled. What is built
 * already is left as it is: others may be running it.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** All that the compiled package is made of. */
const SOURCES = ['core', 'plugins', 'adapters', 'test/contract', 'package.json', 'package-lock.json'];

/** What a build writes last. */
const BUILT_LAST = 'dist/adapters/http/docs/NOTICE';

export default function build(): void {
  if (isBuilt()) return;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** True where nothing has changed since the last step of a build. */
function isBuilt(): boolean {
  const built = statSync(join(ROOT, BUILT_LAST), { throwIfNoEntry: false });
  if (built === undefined) return false;
  const configs = readdirSync(ROOT).filter((name) => name.startsWith('tsconfig'));
  return [...SOURCES, ...configs].every((name) => newest(join(ROOT, name)) < built.mtimeMs);
}

/** When something in there was changed last. A folder changes with what is put into it and taken out of it. */
function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
