/** The diagrams in ARCHITECTURE.md are those of the machine. `UPDATE_DIAGRAM=1 npx vitest run <this file>` redraws them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { PHASES } from '../../../core/job/job.ts';
import { stateDiagrams } from './state_diagram.ts';

const FILE = fileURLToPath(new URL('../../../ARCHITECTURE.md', import.meta.url));
const START = '<!-- state-diagram:start -->';
const END = '<!-- state-diagram:end -->';

let drawn = '';
beforeAll(() => {
  drawn = stateDiagrams();
});

test('ARCHITECTURE.md shows the machine as it is', () => {
  const [before, rest] = split(readFileSync(FILE, 'utf8'), START);
  const [shown, after] = split(rest, END);
  if (process.env['UPDATE_DIAGRAM'] === '1') {
    writeFileSync(FILE, `${before}${START}\n${drawn}\n${END}${after}`);
    return;
  }
  expect(shown.trim()).toBe(drawn);
});

test('every phase is drawn, and what ends a job in life is no dead end', () => {
  for (const phase of PHASES) {
    if (phase === 'preparing') continue;
    expect(drawn).toMatch(new RegExp(` --> ${phase}\\b`));
    expect(drawn).toMatch(new RegExp(`\\b${phase} --> `));
  }
  expect(drawn).toContain('preparing (reclaim)');
  expect(drawn).toContain('preparing (spawn)');
});

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  expect(at, `${mark} in ARCHITECTURE.md`).toBeGreaterThanOrEqual(0);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
