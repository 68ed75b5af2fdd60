/**
 * `upkeep/client` as a program of somebody else has it: by the package's name, compiled, with its types.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, Sandbox } from '../../support/sandbox.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TSC = join(ROOT, 'node_modules/.bin/tsc');

const SAMPLE = `
import { ClientError, createClient, NoDaemon, type Client, type OutputOf } from 'upkeep/client';

const client: Client = createClient({ socket: process.argv[2] ?? '' }, { timeout: 30_000 });
const { items }: OutputOf<'service.list'> = await client.service.list();
const names: string[] = items.map((service) => service.name);
const { settled } = await client.service.restart({ name: 'web', wait: true });
let restarts: number = -1;
for await (const event of client.event.stream({ after: 0 }, { resume: true })) {
  if (event.service !== 'web' || event.to !== 'running') continue;
  restarts = (await client.call('service.get', { name: 'web' })).actions[0]?.restart_count ?? -1;
  break;
}
let code: string = 'none';
try {
  await client.service.stop({ name: 'wbe' });
} catch (error) {
  if (error instanceof ClientError) code = error.problem.code;
  if (error instanceof NoDaemon) code = 'no daemon';
}
console.log(JSON.stringify({ names, settled, restarts, code }));
client.close();
`;

const MISTAKES = [
  "await client.service.restart({ nam: 'web' });",
  "await client.service.dance({ name: 'web' });",
  "await client.call('service.get', {});",
  "await client.call('event.stream', {});",
  "const wrong: number = (await client.service.get({ name: 'web' })).name;",
  "createClient({ url: 'http://127.0.0.1:1' });",
];

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-consumer-'));
  mkdirSync(join(dir, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules/@types/node'), join(dir, 'node_modules/@types/node'));
  symlinkSync(ROOT, join(dir, 'node_modules/upkeep'));
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ type: 'module', private: true }));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function compile(file: string, text: string): string {
  writeFileSync(join(dir, file), text);
  const flags = [
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--strict',
    '--skipLibCheck',
    '--types',
    'node',
  ];
  try {
    execFileSync(TSC, [...flags, '--ignoreConfig', file], { cwd: dir, encoding: 'utf8' });
    return '';
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

test('a program that uses it compiles and works', async () => {
  expect(compile('sample.ts', SAMPLE)).toBe('');
  const sandbox = new Sandbox({ web: { actions: { main: { process: true, run: 'exec sleep 1000' } } } });
  try {
    await sandbox.up();
    const ran = await run(process.execPath, [join(dir, 'sample.js'), join(sandbox.state, 'upkeep.sock')]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toEqual({
      names: ['web'],
      settled: true,
      restarts: 1,
      code: 'not_found',
    });
  } finally {
    await sandbox.remove();
  }
});

test('what would fail does not compile', () => {
  const head = "import { createClient } from 'upkeep/client';\nconst client = createClient('/x');\n";
  const complaints = compile('mistakes.ts', `${head}${MISTAKES.join('\n')}\n`);
  const lines = new Set([...complaints.matchAll(/mistakes\.ts\((\d+),/g)].map(([, line]) => Number(line)));
  expect([...lines].sort((a, b) => a - b)).toEqual(MISTAKES.map((_, index) => index + 3));
});

test('it loads nothing of the daemon', () => {
  // What it imports at run time, followed by hand: all of it lies beside it, and none of it is a package.
  const seen = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)) {
      if (from.startsWith('node:')) continue;
      expect(from).toMatch(/^\./);
      follow(join(file, '..', from));
    }
  };
  follow(join(ROOT, 'dist/adapters/client/mod.js'));
  expect(seen.size).toBeGreaterThan(4);
});
