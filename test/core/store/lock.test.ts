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

/** The same, without letting this process go on in between. */
function contendNow(path: string): Contender {
  const answer = `${path}.answer`;
  const out = fs.openSync(answer, 'w');
  const child = spawn(process.execPath, [FIXTURE, path], { stdio: ['ignore', out, 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  fs.closeSync(out);
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (!fs.readFileSync(answer, 'utf8').endsWith('\n')) Atomics.wait(sleeper, 0, 0, 5);
  const said: Contender['said'] = JSON.parse(fs.readFileSync(answer, 'utf8'));
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

  describe('on a file that is damaged', () => {
    const GARBAGE = 'this is no database'.repeat(1000);

    function damaged(): string {
      const path = join(tempDir(), 'upkeep.lock');
      fs.writeFileSync(path, GARBAGE, { mode: 0o600 });
      return path;
    }

    it('makes it an empty one, keeps what was in it, and holds', async () => {
      const path = damaged();
      fs.writeFileSync(`${path}.corrupt-1`, 'of an earlier time');
      held(path);
      expect(fs.readFileSync(`${path}.corrupt-1`, 'utf8')).toBe('of an earlier time');
      expect(fs.readFileSync(`${path}.corrupt-2`, 'utf8')).toBe(GARBAGE);
      expect(fs.statSync(path).size).toBe(0);
      expect((await contend(path)).said).toEqual({ held: false, held_by: `pid ${process.pid}` });
    });

    it('goes to exactly one of many that find it at once', async () => {
      const path = damaged();
      const contenders = await Promise.all(Array.from({ length: 6 }, () => contend(path)));
      expect(contenders.filter(({ said }) => said.held)).toHaveLength(1);
    });

    it('takes it from nobody who has mended it in the meantime', async () => {
      const path = damaged();
      let other: Contender | undefined;
      // Both have found the damage; the other is through with everything before this one goes on.
      const slow = {
        ...fs,
        copyFileSync: (...args: Parameters<typeof fs.copyFileSync>) => {
          other ??= contendNow(path);
          return fs.copyFileSync(...args);
        },
      };
      expect(acquireLock(path, slow, process.pid)).toEqual({ held_by: `pid ${other?.child.pid}` });
      expect(other?.said.held).toBe(true);
      expect((await contend(path)).said.held).toBe(false);
    });

    it('takes it from nobody who held it before it was damaged', async () => {
      const path = join(tempDir(), 'upkeep.lock');
      const { child, said } = await contend(path);
      expect(said.held).toBe(true);
      fs.writeFileSync(path, GARBAGE);
      expect(acquireLock(path, fs, process.pid)).toEqual({ held_by: `pid ${child.pid}` });
      expect(fs.readFileSync(path, 'utf8')).toBe(GARBAGE);
    });

    it('empties nothing through a symbolic link, and says what to do', () => {
      const path = join(tempDir(), 'upkeep.lock');
      const precious = `${path}.precious`;
      fs.writeFileSync(precious, GARBAGE);
      fs.symlinkSync(precious, path);
      expect(() => acquireLock(path, fs, process.pid)).toThrow(/^Cannot lock .*upkeep\.lock as .*remove it$/);
      expect(fs.readFileSync(precious, 'utf8')).toBe(GARBAGE);
    });
  });

  it('leaves nothing behind but the lock and the pid, which only their owner can read', () => {
    const dir = tempDir();
    held(join(dir, 'upkeep.lock'));
    expect(fs.readdirSync(dir).toSorted()).toEqual(['upkeep.lock', 'upkeep.lock.pid']);
    for (const name of fs.readdirSync(dir)) expect(fs.statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(join(dir, 'upkeep.lock.pid'), 'utf8')).toBe(`${process.pid}\n`);
  });
});
