/**
 * House rules that a reader relies on, as a program.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LAYERS = ['core', 'plugins', 'adapters'];

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function imports(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(ROOT, join(ROOT, dirname(file), path)),
  );
}

describe('the layout', () => {
  it.each(LAYERS)('%s imports nothing from the layers above it', (layer) => {
    const above = LAYERS.slice(LAYERS.indexOf(layer) + 1);
    const wrong = sources(layer).flatMap((file) =>
      imports(file)
        .filter((path) => above.includes(path.split('/')[0] ?? ''))
        .map((path) => `${file} → ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has every system call of core behind the host seam', () => {
    const forbidden = new RegExp(
      [
        /\b(setTimeout|setInterval|setImmediate|Date\.now|performance\.now|process\.(kill|hrtime|env|cwd))\b/,
        /\bnew Date\(\)/,
        /\b(from|import\() ?'node:(child_process|net|dgram|timers|timers\/promises|dns|worker_threads)'/,
        // Types and constants do nothing.
        /^import (?!type )(?!\{ constants \}).* from 'node:fs(\/promises)?'/,
      ]
        .map((part) => part.source)
        .join('|'),
      'm',
    );
    // Telling an address from other text opens no socket.
    const pure = /^import \{ isIPv4, isIPv6 \} from 'node:net';$|^\s*(\/\/|\*).*$/gm;
    const wrong = sources('core')
      .filter((file) => !file.startsWith('core/host/'))
      // A program of its own, in which a plugin runs: upkeep is its host.
      .filter((file) => !file.startsWith('core/plugin/remote/child/'))
      .filter((file) => forbidden.test(readFileSync(join(ROOT, file), 'utf8').replace(pure, '')));
    expect(wrong).toEqual([]);
  });

  it('has one timer in core: the clock of the host, which only a helper program gets by', () => {
    const users = sources('core').filter((file) =>
      /\b(setTimeout|setInterval|setImmediate)\b/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(users).toEqual(['core/host/clock.ts', 'core/host/spawner.ts']);
  });

  it('has no file in core that is too long to be read at once', () => {
    const long = sources('core')
      .map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 340);
    expect(long).toEqual([]);
  });

  it('knows libsql in one place', () => {
    const users = LAYERS.flatMap(sources).filter((file) =>
      /from 'libsql'/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(users).toHaveLength(1);
  });

  it('knows the MCP SDK in one folder, and loads it with the first request only', () => {
    const users = LAYERS.flatMap(sources).filter((file) =>
      /from '@modelcontextprotocol/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(users.filter((file) => !file.startsWith('adapters/mcp/'))).toEqual([]);
    expect(users.length).toBeGreaterThan(0);

    // What is imported at the head of a file is loaded with it; import() waits until it is run.
    const loaded = new Set<string>();
    const load = (file: string): void => {
      if (loaded.has(file)) return;
      loaded.add(file);
      const text = readFileSync(join(ROOT, file), 'utf8');
      for (const [, path = ''] of text.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm)) {
        load(relative(ROOT, join(ROOT, dirname(file), path)));
      }
    };
    load('adapters/cli/main.ts');
    load('adapters/cli/commands/up.ts');
    load('adapters/cli/daemon.ts');
    expect([...loaded].filter((file) => file.startsWith('adapters/mcp/'))).toEqual([]);
    expect([...loaded]).toContain('adapters/http/mcp_route.ts');
  });
});
