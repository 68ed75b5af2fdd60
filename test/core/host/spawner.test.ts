import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExitStatus, ProcessStat, SpawnRequest } from '../../../core/host/host.ts';
import { linuxProcesses } from '../../../core/host/linux_processes.ts';
import { nodeSpawner } from '../../../core/host/spawner.ts';
import { until } from '../../support/until.ts';

describe('nodeSpawner', () => {
  const spawner = nodeSpawner(linuxProcesses());
  let dir: string;
  let output_fd: number;

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-spawner-')));
    output_fd = openSync(join(dir, 'log'), 'a');
  });

  afterEach(() => {
    closeSync(output_fd);
    rmSync(dir, { recursive: true, force: true });
  });

  function request(argv: readonly string[], changes: Partial<SpawnRequest> = {}): SpawnRequest {
    return { file: 'sh', argv, cwd: dir, env: { PATH: process.env['PATH'] ?? '' }, output_fd, ...changes };
  }

  async function toItsEnd(what: SpawnRequest): Promise<{ status: ExitStatus; output: string }> {
    const child = await spawner.spawn(what);
    const status = await new Promise<ExitStatus>((resolve) => child.onExit(resolve));
    return { status, output: readFileSync(join(dir, 'log'), 'utf8') };
  }

  describe('spawn', () => {
    it('starts at once, in a session and a group of its own', async () => {
      const child = spawner.spawn(request(['-c', 'sleep 1000']));
      if (child instanceof Promise) throw new Error('it is a promise');
      const ended = new Promise<ExitStatus>((resolve) => child.onExit(resolve));
      const { pid } = child;
      expect(linuxProcesses().stat(pid)).toMatchObject({ ppid: process.pid, pgrp: pid, session: pid });
      process.kill(-pid, 'SIGKILL');
      expect(await ended).toEqual({ exit_code: null, exit_signal: 'SIGKILL' });
    });

    it('gives it a channel where one is asked for, and tells its end', async () => {
      const child = await spawner.spawn(request(['-c', 'cat <&3 >&3'], { channel: true }));
      const { channel } = child;
      if (channel === undefined) throw new Error('it has no channel');
      let heard = '';
      let ends = 0;
      channel.listen(
        (bytes) => {
          heard += Buffer.from(bytes).toString();
        },
        () => {
          ends += 1;
        },
      );
      channel.send('there ');
      channel.send('and back');
      await until(() => heard === 'there and back');
      expect(channel.unsent).toBe(0);
      const status = new Promise<ExitStatus>((resolve) => child.onExit(resolve));
      // The other end sees that this one is closed, and has nothing more to read.
      channel.close();
      expect(await status).toMatchObject({ exit_signal: null });
      await until(() => ends === 1);
      channel.send('lost');
      expect(ends).toBe(1);
    });

    it('tells the end of a channel to whoever listens too late', async () => {
      const child = await spawner.spawn(request(['-c', 'exit 0'], { channel: true }));
      child.channel?.close();
      await new Promise<ExitStatus>((resolve) => child.onExit(resolve));
      await new Promise<void>((resolve) => child.channel?.listen(() => {}, resolve));
    });

    it('gives it no channel where none is asked for', async () => {
      const child = await spawner.spawn(request(['-c', 'exit 0']));
      expect(child.channel).toBeUndefined();
    });

    it('gives it the folder, the environment, both outputs, no input and no descriptor of ours', async () => {
      const script =
        'pwd; tr "\\0" "\\n" < /proc/$$/environ; ls -l /proc/$$/fd | grep -c ours; cat; echo err >&2; exit 7';
      const ours = openSync(join(dir, 'ours'), 'w');
      const { status, output } = await toItsEnd(
        request(['-c', script], { env: { PATH: '/usr/bin:/bin', A: 'b c' } }),
      );
      closeSync(ours);
      expect(status).toEqual({ exit_code: 7, exit_signal: null });
      expect(output).toBe(`${dir}\nPATH=/usr/bin:/bin\nA=b c\n0\nerr\n`);
    });

    it('tells of an exit that came before anybody asked', async () => {
      const child = await spawner.spawn(request(['-c', 'exit 3']));
      const processes = linuxProcesses();
      await until(() => !processes.list().includes(child.pid));
      expect(await new Promise((resolve) => child.onExit(resolve))).toEqual({
        exit_code: 3,
        exit_signal: null,
      });
    });

    it.each<[string, () => Partial<SpawnRequest>, object]>([
      ['a missing program', () => ({ file: 'no-such-program' }), { code: 'ENOENT', path: 'no-such-program' }],
      ['a missing folder', () => ({ cwd: join(dir, 'none') }), { code: 'ENOENT', syscall: 'spawn sh' }],
      ['a program that may not be run', () => ({ file: join(dir, 'log') }), { code: 'EACCES' }],
      ['a NUL in an argument', () => ({ argv: ['a\0b'] }), { code: 'ERR_INVALID_ARG_VALUE' }],
      ['a NUL in the environment', () => ({ env: { A: 'a\0b' } }), { code: 'ERR_INVALID_ARG_VALUE' }],
      ['arguments that are too large', () => ({ argv: ['x'.repeat(10_000_000)] }), { code: 'E2BIG' }],
    ])('rejects %s, and throws nothing', async (_, changes, expected) => {
      const failed = spawner.spawn(request(['-c', 'true'], changes()));
      expect(failed).toBeInstanceOf(Promise);
      await expect(failed).rejects.toMatchObject(expected);
    });
  });

  describe('run', () => {
    const timeout = 30_000;

    it('gives the output and the exit code', async () => {
      const result = await spawner.run('sh', ['-c', 'echo out; echo err >&2; exit 3'], { timeout });
      expect(result).toEqual({ exit_code: 3, stdout: 'out\n', stderr: 'err\n', error: null });
    });

    it('says what a program died of', async () => {
      const result = await spawner.run('sh', ['-c', 'kill -TERM $$'], { timeout });
      expect(result).toMatchObject({ exit_code: null, error: 'SIGTERM' });
    });

    it('says why one did not start', async () => {
      expect(await spawner.run('no-such-program', [], { timeout })).toMatchObject({
        exit_code: null,
        error: 'ENOENT',
      });
      expect(await spawner.run('sh', ['a\0b'], { timeout })).toMatchObject({
        error: 'ERR_INVALID_ARG_VALUE',
      });
    });

    it('ends one that takes too long, with everything that it started', async () => {
      const script = 'sleep 1000 & echo $! $$; wait';
      const result = await spawner.run('sh', ['-c', script], { timeout: 300 });
      expect(result).toMatchObject({ exit_code: null, error: 'ETIMEDOUT' });
      const [sleeper = 0, shell = 0] = result.stdout.trim().split(' ').map(Number);
      const processes = linuxProcesses();
      await until(() => processes.stat(shell) === null);
      await until(() => processes.stat(sleeper) === null);
    });

    it('ends what a program leaves in its group, with its outputs or without', async () => {
      const processes = linuxProcesses();
      const left = await spawner.run('sh', ['-c', 'sleep 1000 >/dev/null 2>&1 & echo $!'], { timeout });
      expect(left).toMatchObject({ exit_code: 0, error: null });
      await until(() => processes.stat(Number(left.stdout)) === null);
      const held = await spawner.run('sh', ['-c', 'sleep 1000 & echo $!'], { timeout: 300 });
      expect(held).toMatchObject({ error: 'ETIMEDOUT' });
      await until(() => processes.stat(Number(held.stdout)) === null);
    });

    it.each([
      ['alone what has a number that was given away again', true, 0],
      ['nothing of its own group', false, 1],
    ])('leaves %s', async (_, hasLeader, count) => {
      const signalled: number[] = [];
      let group = 0;
      const member = { ...linuxProcesses().stat(process.pid), pid: 1_000_001 };
      const table = {
        groupExists: (pgid: number) => {
          group = pgid;
          return true;
        },
        list: () => [member.pid],
        identity: (pid: number) => ({ boot_id: 'b', pid, start_time: 1 }),
        stat: (pid: number) =>
          pid === member.pid || hasLeader
            ? ({ ...member, pgrp: group, session: group } as ProcessStat)
            : null,
        signal: ({ pid }: { pid: number }) => {
          signalled.push(pid);
          return 'sent' as const;
        },
      };
      await nodeSpawner(table).run('true', [], { timeout });
      expect(signalled).toHaveLength(count);
    });

    it('keeps no more of the output than it is told, and lets the rest pass', async () => {
      const result = await spawner.run('sh', ['-c', 'head -c 1000000 /dev/zero; echo end >&2'], {
        timeout,
        max_output: 10,
      });
      expect(result).toEqual({ exit_code: 0, stdout: '\0'.repeat(10), stderr: 'end\n', error: null });
    });

    it('hands descriptors over, from 3 on', async () => {
      writeFileSync(join(dir, 'one'), '1');
      writeFileSync(join(dir, 'two'), '2');
      const fds = [openSync(join(dir, 'two'), 'r'), openSync(join(dir, 'one'), 'r')];
      const result = await spawner.run('sh', ['-c', 'cat <&4 <&3; cat <&4'], { timeout, fds });
      for (const fd of fds) closeSync(fd);
      expect(result.stdout).toBe('21');
    });

    it('speaks plain English', async () => {
      const result = await spawner.run('sh', ['-c', 'echo $LC_ALL'], { timeout });
      expect(result.stdout).toBe('C\n');
    });
  });
});
