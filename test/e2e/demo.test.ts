/**
 * The demo, as `npm start` runs it: every act is healed, and Ctrl-C ends it in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pidOf } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let dir: string;
let demo: ChildProcess;
let output = '';

const hasEnded = (): boolean => demo.exitCode !== null || demo.signalCode !== null;

/** Every living process that was started by this demo: all of them have its folder for temporary files. */
function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environ = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
        return environ.includes(`TMPDIR=${dir}`) ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-test-demo-'));
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [program = '', ...args] = String(scripts.start).split(' ');
  expect(program).toBe('node');
  // A group of its own, as a shell gives it: Ctrl-C goes to all of it.
  demo = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  demo.stdout?.on('data', keep);
  demo.stderr?.on('data', keep);
});

afterEach(async () => {
  if (!hasEnded()) demo.kill('SIGKILL');
  await until(hasEnded);
  for (const pid of processes()) process.kill(pid, 'SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

it('heals every act in the same job, and ends in order on Ctrl-C', async () => {
  // What it does next is told once all acts were played.
  await until(() => hasEnded() || output.includes('That was every act'));
  const story = output.split('\n').filter((line) => /^(▶|✔)/.test(line));
  expect(story.map((line) => line.replace(/after [\d.]+ s: pid \d+/, 'after a while'))).toEqual([
    '▶ web crashes: it exits with code 3',
    '✔ healed after a while, the same job, restart_count 1',
    '▶ web is killed with SIGKILL, and its socket is left behind',
    '✔ healed after a while, the same job, restart_count 2',
    '▶ web lets go of its port, and a stranger takes it',
    '✔ healed after a while, the same job, restart_count 3',
  ]);
  // Each was healed by what upkeep is for, and it says so.
  expect(output).toContain('EXITED  exited with code 3');
  expect(output).toContain('SIGNALED  killed by SIGKILL');
  expect(output).toContain('RECLAIMED  removed the stale socket');
  const stranger = /the stranger is pid (\d+)/.exec(output)?.[1];
  expect(output).toMatch(new RegExp(`RECLAIMED  stopped pid ${stranger} `));

  // What it tells people to try works.
  const port = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(output)?.[1];
  const answer = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  const pid = / healed after [\d.]+ s: pid (\d+), the same job, restart_count 3/.exec(output)?.[1];
  expect(answer).toBe(`hello from pid ${pid}\n`);

  output = '';
  process.kill(-pidOf({ pid: demo.pid ?? null }), 'SIGINT');
  await until(hasEnded);
  await until(() => output.includes('upkeep has ended'));
  expect(demo.exitCode).toBe(0);
  const ending = ['SIGINT: upkeep stops', 'running → stopping', 'stopping → stopped', 'upkeep has ended'];
  const places = ending.map((text) => output.indexOf(text));
  expect(places.every((place) => place >= 0)).toBe(true);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(processes()).toEqual([]);
  expect(readdirSync(dir)).toEqual([]);
}, 300_000);

it('ends in order at any instant: also before its service has started', async () => {
  await until(() => hasEnded() || output.includes('keeps '));
  process.kill(-pidOf({ pid: demo.pid ?? null }), 'SIGINT');
  await until(hasEnded);
  expect(demo.exitCode).toBe(0);
  expect(processes()).toEqual([]);
  expect(readdirSync(dir)).toEqual([]);
});
