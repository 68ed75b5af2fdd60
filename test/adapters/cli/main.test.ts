import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../support/sandbox.ts';

const ROOT = new URL('../../../', import.meta.url);
const MAIN = fileURLToPath(new URL('dist/adapters/cli/main.js', ROOT));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-main-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('0: the version is the one of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  expect(await run(process.execPath, [MAIN, '--version'])).toEqual({
    code: 0,
    stdout: `${version}\n`,
    stderr: '',
  });
});

test('1: a state folder that is not ours to use', async () => {
  writeFileSync(join(dir, 'upkeep.yaml'), 'services: {}');
  writeFileSync(join(dir, 'state'), 'a file');
  const file = join(dir, 'upkeep.yaml');
  const ran = await run(process.execPath, [MAIN, 'up', '-f', file, '--state', join(dir, 'state')]);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/^upkeep: /);
});

test('2: a command that there is not', async () => {
  const { code, stderr } = await run(process.execPath, [MAIN, 'stauts']);
  expect(code).toBe(2);
  expect(stderr).toContain('Did you mean status?');
});

test.each([['up'], ['up', '-d']])('2: a service file that is not right, by %s %s', async (...argv) => {
  const file = join(dir, 'upkeep.yaml');
  writeFileSync(file, 'services: 7');
  const args = argv.filter((argument) => argument !== undefined);
  const ran = await run(process.execPath, [MAIN, ...args, '-f', file, '--state', join(dir, 'state')]);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(`${file}:1:11 services: must be a map`);
});

test('4: no upkeep runs', async () => {
  const { code, stderr } = await run(process.execPath, [MAIN, 'status', '--state', dir]);
  expect(code).toBe(4);
  expect(stderr).toBe(`upkeep: no upkeep runs on ${dir}; start it with: upkeep up\n`);
});
