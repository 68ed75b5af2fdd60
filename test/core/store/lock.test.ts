import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acquireLock, type Lock } from '../../../core/store/lock.ts';
import { until } from '../../support/until.ts';
import { collectGarbage, tempDir } from './support.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/lock_holder.mjs', import.meta.url));

/** What a process that tries the lock says: `held`, or who has it. With `held` it stays until it is killed. */
interface Contender {
  readonly child: ChildProcess;
  readonly said: { readonly held: boolean; readonly held_by?: string; readonly grandchild?: number };
}

async function contend(path: string): Promise<Contender> {
  const child = spawn(process.execPath, [FIXTURE, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await until(() => output.endsWith('\n') || child.exitCode !== null);
  const said: Contender['said'] = JSON.parse(output);
  const { grandchild } = said;
  if (grandchild !== undefined) onTestFinished(() => void process.kill(grandchild, 'SIGKILL'));
  return { child, said };
}

function exited(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function held(path: string): Lock {
  const lock = acquireLock(path, fs, process.pid);
  if ('held_by' in lock) throw new Error(`the lock is not free: ${lock.held_by}`);
  onTestFinished(() => lock.release());
  return lock;
}

describe('acquireLock', () => {
  it('refuses a second process, and names the first', async () => {
    const path = join(tempDir(), 'upkeep.lock');
    held(path);
    expect((await contend(path)).said).toEqual({ held: false, held_by: `pid ${process.pid}` });
  });

  it('is free at once when its holder is killed, whatever the holder has started', async () => {
    const path = join(tempDir(), 'upkeep.lock');
    const { child, said } = await contend(path);
    expect(said.held).toBe(true);
    expect(acquireLock(path, fs, process.pid)).toEqual({ held_by: `pid ${child.pid}` });

    child.kill('SIGKILL');
    await exited(child);
    // What it has started lives on.
    expect(process.kill(said.grandchild ?? 0, 0)).toBe(true);
    held(path);
    expect((await contend(path)).said).toEqual({ held: false, held_by: `pid ${process.pid}` });
  });

  it('is free once it is released', async () => {
    const path = join(tempDir(), 'upkeep.lock');
    held(path).release();
    expect((await contend(path)).said.held).toBe(true);
  });

  it('outlives a second try in the same process, and the garbage collector', async () => {
    const path = join(tempDir(), 'upkeep.lock');
    const lock = held(path);
    expect(acquireLock(path, fs, process.pid)).toEqual({ held_by: `pid ${process.pid}` });
    await collectGarbage();
    expect((await contend(path)).said.held).toBe(false);
    expect(lock.path).toBe(path);
  });

  it('goes to exactly one of many that try at once', async () => {
    const path = join(tempDir(), 'upkeep.lock');
    const contenders = await Promise.all(Array.from({ length: 6 }, () => contend(path)));
    expect(contenders.filter(({ said }) => said.held)).toHaveLength(1);
  });

  it('says so where nobody has written down who it is', () => {
    const path = join(tempDir(), 'upkeep.lock');
    held(path);
    fs.unlinkSync(`${path}.pid`);
    expect(acquireLock(path, fs, process.pid)).toEqual({ held_by: 'an unknown process' });
  });

  it('throws where there can be no lock', () => {
    const dir = tempDir();
    expect(() => acquireLock(dir, fs, process.pid)).toThrow();
    expect(() => acquireLock(join(dir, 'missing', 'upkeep.lock'), fs, process.pid)).toThrow();
  });

  it('leaves nothing behind but the lock and the pid, which only their owner can read', () => {
    const dir = tempDir();
    held(join(dir, 'upkeep.lock'));
    expect(fs.readdirSync(dir).toSorted()).toEqual(['upkeep.lock', 'upkeep.lock.pid']);
    for (const name of fs.readdirSync(dir)) expect(fs.statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(join(dir, 'upkeep.lock.pid'), 'utf8')).toBe(`${process.pid}\n`);
  });
});
