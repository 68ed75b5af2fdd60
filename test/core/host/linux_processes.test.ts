import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileKey } from '../../../core/host/host.ts';
import { linuxProcesses } from '../../../core/host/linux_processes.ts';
import type { Identity } from '../../../core/process/identity.ts';
import { Fixtures, hasPython } from '../../contract/fixture.ts';
import { until } from '../../support/until.ts';

const IS_ROOT = process.getuid?.() === 0;
const COHORT = linuxProcesses().cohort(process.pid);
const HAS_PRLIMIT = spawnSync('prlimit', ['--version']).status === 0;

describe('linuxProcesses', () => {
  const processes = linuxProcesses();
  const fixtures = new Fixtures();
  const children: ChildProcess[] = [];
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'upkeep-processes-'));
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    await fixtures.end();
    rmSync(dir, { recursive: true, force: true });
  });

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // Its group: a shell may have children of its own.
    process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
    await ended;
  }

  /** Starts a program in a session of its own. */
  function start(
    file: string,
    argv: readonly string[],
    env = process.env,
    output = -1,
  ): ChildProcess & { pid: number } {
    const stdout = output < 0 ? 'ignore' : output;
    const child = spawn(file, argv, { detached: true, stdio: ['ignore', stdout, 'ignore'], env });
    children.push(child);
    if (child.pid === undefined) throw new Error(`cannot start ${file}`);
    return child as ChildProcess & { pid: number };
  }

  function identityOf(pid: number): Identity {
    const identity = processes.identity(pid);
    if (identity === null) throw new Error(`${pid} is not there`);
    return identity;
  }

  /** A child of a child that has ended, which nobody reaps while the child lives. */
  async function startZombie(): Promise<number> {
    const parent = start('sh', ['-c', 'true & exec sleep 1000']);
    let zombie = 0;
    await until(() => {
      zombie = processes.list().find((pid) => statLine(pid).includes(`) Z ${parent.pid} `)) ?? 0;
      return zombie > 0;
    });
    return zombie;
  }

  function statLine(pid: number): string {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      return '';
    }
  }

  describe('stat', () => {
    it('tells a process that leads its own session', () => {
      const child = start('sleep', ['1000']);
      const { pid } = child;
      expect(processes.stat(pid)).toMatchObject({ pid, ppid: process.pid, pgrp: pid, session: pid });
      expect(processes.list()).toContain(pid);
    });

    it('tells when it was started', () => {
      const before = Date.now();
      const { pid } = start('sleep', ['1000']);
      const after = Date.now();
      const started = processes.stat(pid)?.started_ms ?? 0;
      // The kernel counts in hundredths of a second.
      expect(started).toBeGreaterThan(before - 100);
      expect(started).toBeLessThan(after + 100);
    });

    it('is not misled by a name with spaces and parentheses', async () => {
      const program = join(dir, 'a) R 1 (b');
      copyFileSync('/bin/sleep', program);
      chmodSync(program, 0o755);
      const { pid } = start(program, ['1000']);
      await until(() => statLine(pid).includes('(a) R 1 (b)'));
      expect(processes.stat(pid)).toMatchObject({ ppid: process.pid, session: pid });
    });

    it('takes a zombie for dead', async () => {
      const zombie = await startZombie();
      expect(processes.list()).toContain(zombie);
      expect(processes.stat(zombie)).toBeNull();
      expect(processes.identity(zombie)).toBeNull();
    });

    it.skipIf(!hasPython)(
      'takes one for alive that has lost its first thread only (needs python3)',
      async () => {
        const { pids } = await fixtures.start('hold_headless.py');
        const [pid = 0] = pids;
        await until(() => statLine(pid).includes(') Z '));
        expect(processes.isAlive(identityOf(pid))).toBe(true);
        const watch = processes.watch(identityOf(pid));
        expect(watch?.alive()).toBe(true);
        process.kill(pid, 'SIGKILL');
        await until(() => watch?.alive() === false);
        watch?.close();
      },
    );

    it('says null for one that is gone', async () => {
      const child = start('true', []);
      await once(child, 'exit');
      expect(processes.stat(child.pid)).toBeNull();
    });
  });

  describe('identity', () => {
    it('outlives an exec', async () => {
      const { pid } = start('sh', ['-c', 'exec sleep 1000']);
      const identity = identityOf(pid);
      await until(() => processes.argv(pid)?.[0] === 'sleep');
      expect(processes.isAlive(identity)).toBe(true);
    });

    it('is of no other process with the same pid, and of no other boot', () => {
      const identity = identityOf(start('sleep', ['1000']).pid);
      expect(processes.isAlive(identity)).toBe(true);
      expect(processes.isAlive({ ...identity, start_time: identity.start_time - 1 })).toBe(false);
      expect(processes.isAlive({ ...identity, boot_id: 'another' })).toBe(false);
    });
  });

  describe('argv, exe, environ, uid', () => {
    it('tells them as they are', async () => {
      const { pid } = start('sleep', ['1000', ...Array.from({ length: 9 }, () => '0')], {
        A: '1',
        EMPTY: '',
        EQ: 'a=b',
      });
      await until(() => processes.argv(pid)?.[0] === 'sleep');
      expect(processes.argv(pid)).toEqual(['sleep', '1000', ...Array.from({ length: 9 }, () => '0')]);
      expect(processes.exe(pid)).toBe(readlinkSync(`/proc/${pid}/exe`));
      expect([...(processes.environ(pid) ?? [])]).toEqual([
        ['A', '1'],
        ['EMPTY', ''],
        ['EQ', 'a=b'],
      ]);
      expect(processes.uid(pid)).toBe(process.getuid?.());
    });

    it('tells empty arguments and large ones', async () => {
      const argv = ['-c', 'sleep 1000; exit', '', 'x'.repeat(100_000), ''];
      const { pid } = start('sh', argv);
      await until(() => processes.argv(pid)?.[0] === 'sh');
      expect(processes.argv(pid)).toEqual(['sh', ...argv]);
    });

    it('tells that an environment is empty', async () => {
      const { pid } = start('sleep', ['1000'], {});
      await until(() => processes.argv(pid)?.[0] === 'sleep');
      expect(processes.environ(pid)?.size).toBe(0);
    });

    it('names a program that was removed since', async () => {
      const program = join(dir, 'program');
      copyFileSync('/bin/sleep', program);
      chmodSync(program, 0o755);
      const { pid } = start(program, ['1000']);
      await until(() => processes.argv(pid)?.[0] === program);
      unlinkSync(program);
      expect(processes.exe(pid)).toBe(program);
    });

    it('says null for one that is gone', async () => {
      const child = start('true', []);
      await once(child, 'exit');
      const { pid } = child;
      expect([processes.argv(pid), processes.exe(pid), processes.environ(pid), processes.uid(pid)]).toEqual(
        Array.from({ length: 4 }, () => null),
      );
      expect([processes.descriptors(pid), processes.descriptor(pid, 0)]).toEqual([null, null]);
    });
  });

  describe('descriptors', () => {
    it('shows what each leads to', async () => {
      const server = createServer().listen(join(dir, 'a.sock'));
      await once(server, 'listening');
      const { ino } = fstatSync((server as unknown as { _handle: { fd: number } })._handle.fd);
      const links = new Map(processes.descriptors(process.pid));
      const [fd] = [...links].find(([, link]) => link === `socket:[${ino}]`) ?? [-1];
      expect(processes.descriptor(process.pid, fd)).toBe(`socket:[${ino}]`);
      server.close();
      expect(processes.descriptor(process.pid, fd)).toBeNull();
    });
  });

  describe('writersOf', () => {
    it('finds who writes to a file whatever it is called by now', () => {
      const path = join(dir, 'log');
      const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
      const id = fstatSync(fd, { bigint: true });
      const writer = start('sleep', ['1000'], process.env, fd);
      closeSync(fd);
      const reading = openSync(path, 'r');
      const reader = start('sleep', ['1000'], process.env, reading);
      closeSync(reading);
      const look = (): unknown => processes.writersOf([id], [writer.pid, reader.pid, process.pid]);
      const expected = { writers: new Map([[fileKey(id), [writer.pid]]]), complete: true };
      expect(look()).toEqual(expected);
      renameSync(path, join(dir, 'renamed'));
      expect(look()).toEqual(expected);
      unlinkSync(join(dir, 'renamed'));
      expect(look()).toEqual(expected);
    });

    it('is complete where a process is gone, or a zombie', async () => {
      const child = start('true', []);
      await once(child, 'exit');
      const pids = [child.pid, await startZombie()];
      expect(processes.writersOf([{ dev: 1n, ino: 1n }], pids)).toEqual({
        writers: new Map(),
        complete: true,
      });
    });
  });

  describe('signals', () => {
    it('are sent to the process that is meant', async () => {
      const child = start('sleep', ['1000']);
      expect(processes.signal(identityOf(child.pid), 'SIGTERM')).toBe('sent');
      expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
    });

    it('are not sent to another one that has its pid', () => {
      const child = start('sleep', ['1000']);
      const identity = identityOf(child.pid);
      expect(processes.signal({ ...identity, start_time: identity.start_time - 1 }, 'SIGKILL')).toBe('gone');
      expect(processes.signal({ ...identity, boot_id: 'another' }, 'SIGKILL')).toBe('gone');
      expect(processes.isAlive(identity)).toBe(true);
    });

    it('are never sent to init, nor to everybody', () => {
      // SIGCONT does no harm, should this ever fail.
      expect(processes.signal(identityOf(1), 'SIGCONT')).toBe('denied');
      for (const pgid of [1, 0, -1]) expect(processes.signalGroup(pgid, 'SIGCONT')).toBe('denied');
      for (const pgid of [1, 0, -1]) expect(processes.groupExists(pgid)).toBe(false);
    });

    it('reach a whole group, which is there until its last member is', async () => {
      const leader = start('sh', ['-c', 'sleep 1000 & exec sleep 1000']);
      await until(() => processes.argv(leader.pid)?.[0] === 'sleep');
      const members = processes.list().filter((pid) => processes.stat(pid)?.pgrp === leader.pid);
      expect(members).toHaveLength(2);
      const ended = once(leader, 'exit');
      process.kill(leader.pid, 'SIGKILL');
      await ended;
      expect(processes.groupExists(leader.pid)).toBe(true);
      expect(processes.signalGroup(leader.pid, 'SIGKILL')).toBe('sent');
      await until(() => !processes.groupExists(leader.pid));
      expect(processes.signalGroup(leader.pid, 'SIGKILL')).toBe('gone');
    });
  });

  describe.skipIf(COHORT === null)('living (needs cgroups, version 2)', () => {
    function allIn(list: string | null): ReadonlySet<number> | null {
      const pids = new Set<number>();
      return list !== null && processes.living(list, (pid) => pids.add(pid)) ? pids : null;
    }

    function livesHere(pid: number): boolean {
      return allIn(processes.cohort(process.pid))?.has(pid) ?? false;
    }

    it('tells who is alive in a cgroup, and no zombie', async () => {
      const { pid } = start('sleep', ['1000']);
      expect(processes.cohort(pid)).toBe(processes.cohort(process.pid));
      expect(livesHere(pid)).toBe(true);
      expect(livesHere(await startZombie())).toBe(false);
    });

    it('tells of more than the kernel gives at once', async () => {
      const parent = start('sh', [
        '-c',
        'i=0; while [ $i -lt 1000 ]; do sleep 1000 & i=$((i+1)); done; wait',
      ]);
      const ours = (): number[] => processes.list().filter((pid) => processes.stat(pid)?.ppid === parent.pid);
      await until(() => ours().length === 1000);
      const living = allIn(processes.cohort(parent.pid)) ?? new Set();
      expect([...living].filter((pid) => processes.stat(pid) === null)).toEqual([]);
      expect(ours().filter((pid) => !living.has(pid))).toEqual([]);
    });

    it.skipIf(!hasPython)('tells of one that has lost its first thread only (needs python3)', async () => {
      const { pids } = await fixtures.start('hold_headless.py');
      const [pid = 0] = pids;
      await until(() => statLine(pid).includes(') Z '));
      expect(livesHere(pid)).toBe(true);
    });

    it('says null for one that is gone, and where there is no such list', async () => {
      const child = start('true', []);
      await once(child, 'exit');
      expect(processes.cohort(child.pid)).toBeNull();
      expect(allIn(`${dir}/cgroup.procs`)).toBeNull();
    });
  });

  describe('watch', () => {
    it('sees the end, reaped or not', async () => {
      const parent = start('sh', ['-c', 'sleep 1000 & exec sleep 1001']);
      await until(() => processes.argv(parent.pid)?.[1] === '1001');
      const pid = processes.list().find((one) => processes.stat(one)?.ppid === parent.pid) ?? 0;
      const watch = processes.watch(identityOf(pid));
      expect(watch?.alive()).toBe(true);
      process.kill(pid, 'SIGKILL');
      await until(() => statLine(pid).includes(') Z '));
      expect(watch?.alive()).toBe(false);
      watch?.close();

      const own = processes.watch(identityOf(parent.pid));
      expect(own?.alive()).toBe(true);
      await kill(parent);
      expect(own?.alive()).toBe(false);
      own?.close();
    });

    it('is refused for one that is gone, and for another that has its pid', async () => {
      const child = start('sleep', ['1000']);
      const identity = identityOf(child.pid);
      expect(processes.watch({ ...identity, start_time: identity.start_time - 1 })).toBeNull();
      expect(processes.watch({ ...identity, boot_id: 'another' })).toBeNull();
      await kill(child);
      expect(processes.watch(identity)).toBeNull();
    });
  });

  it.skipIf(!IS_ROOT)('says what it may not look into (needs root, to become somebody else)', () => {
    const { pid } = start('sleep', ['1000']);
    const identity = identityOf(pid);
    process.seteuid?.('nobody');
    try {
      expect(processes.isAlive(identity)).toBe(true);
      expect(processes.uid(pid)).toBe(0);
      expect([processes.exe(pid), processes.environ(pid), processes.descriptors(pid)]).toEqual([
        null,
        null,
        null,
      ]);
      expect(processes.writersOf([{ dev: 1n, ino: 1n }], [pid]).complete).toBe(false);
      expect(processes.groupExists(pid)).toBe(true);
    } finally {
      process.seteuid?.(0);
    }
  });

  it.skipIf(!HAS_PRLIMIT)('takes nobody for dead because it has no descriptor left (needs prlimit)', () => {
    const identity = identityOf(start('sleep', ['1000']).pid);
    const limit = (soft: string): void => {
      spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}`]);
    };
    const [, soft, hard] =
      /Max open files\s+(\S+)\s+(\S+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    const taken: number[] = [];
    limit(`256:${hard}`);
    try {
      expect(() => {
        for (;;) taken.push(openSync('/dev/null', 'r'));
      }).toThrow('EMFILE');
      for (let n = 0; n < 3; n += 1) {
        expect(processes.isAlive(identity)).toBe(true);
        expect(processes.list()).toContain(identity.pid);
        expect(processes.environ(identity.pid)).not.toBeNull();
      }
      const watch = processes.watch(identity);
      expect(watch?.alive()).toBe(true);
      watch?.close();
      expect(() => openSync('/dev/null', 'r')).toThrow('EMFILE');
    } finally {
      for (const fd of taken) closeSync(fd);
      limit(`${soft}:${hard}`);
    }
  });
});
