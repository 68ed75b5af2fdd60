import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultFromEnv, withFaults } from '../../../core/host/fault.ts';
import { nodeHost } from '../../../core/host/node_host.ts';

describe('withFaults', () => {
  const calls: string[] = [];
  const host = withFaults(nodeHost(), (call) => calls.push(call));
  let dir: string;

  beforeEach(() => {
    calls.length = 0;
    dir = mkdtempSync(join(tmpdir(), 'upkeep-fault-'));
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is told before and after each change, and the change is made', () => {
    const { files } = host;
    const path = join(dir, 'a');
    const fd = files.openSync(path, 'w');
    files.writeSync(fd, 'text');
    files.closeSync(fd);
    files.renameSync(path, `${path}2`);
    expect(readFileSync(`${path}2`, 'utf8')).toBe('text');
    files.unlinkSync(`${path}2`);
    const names = ['openSync', 'writeSync', 'renameSync', 'unlinkSync'];
    expect(calls).toEqual(names.flatMap((name) => [`files.${name}`, `files.${name}:done`]));
  });

  it('is not told of what only looks', async () => {
    const { files, processes, clock, net } = host;
    files.closeSync(files.openSync(dir, 'r'));
    files.closeSync(files.openSync(dir, 0));
    files.readdirSync(dir);
    files.existsSync(dir);
    await files.promises.readdir(dir);
    processes.list();
    processes.identity(process.pid);
    clock.mono();
    await net.connectUnix(join(dir, 'none'));
    expect(calls).toEqual([]);
  });

  it('is told of asynchronous changes, and of those through a handle, when they are done', async () => {
    const { promises } = host.files;
    const path = join(dir, 'a');
    const handle = await promises.open(path, 'w+');
    await handle.write('text');
    await handle.stat();
    await handle.sync();
    await handle.close();
    await promises.rm(path);
    const names = ['promises.open', 'handle.write', 'handle.sync', 'promises.rm'];
    expect(calls).toEqual(names.flatMap((name) => [`files.${name}`, `files.${name}:done`]));
  });

  it('is told of a flush through a handle that was opened to read', async () => {
    const handle = await host.files.promises.open(dir, 'r');
    await handle.sync();
    await handle.close();
    expect(calls).toEqual(['files.handle.sync', 'files.handle.sync:done']);
  });

  it('is told of programs and signals', async () => {
    await host.spawner.run('true', [], { timeout: 30_000 });
    const output_fd = host.files.openSync('/dev/null', 'r');
    const child = await host.spawner.spawn({ file: 'sleep', argv: ['1000'], cwd: '/', env: {}, output_fd });
    host.files.closeSync(output_fd);
    const identity = host.processes.identity(child.pid);
    expect(identity && host.processes.signal(identity, 'SIGKILL')).toBe('sent');
    await new Promise((resolve) => child.onExit(resolve));
    const names = ['spawner.run', 'spawner.spawn', 'processes.signal'];
    expect(calls).toEqual(names.flatMap((name) => [name, `${name}:done`]));
  });

  it('keeps a call from being made by throwing before it', () => {
    const failing = withFaults(nodeHost(), (call) => {
      throw new Error(`fault at ${call}`);
    });
    expect(() => failing.files.mkdirSync(join(dir, 'b'))).toThrow('fault at files.mkdirSync');
    expect(host.files.existsSync(join(dir, 'b'))).toBe(false);
  });

  it('lets go of what was opened where it throws after that', async () => {
    const failing = withFaults(nodeHost(), (call) => {
      if (call.endsWith(':done')) throw new Error(`fault at ${call}`);
    });
    const open = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir);
        } catch {
          return false;
        }
      }).length;
    const path = join(dir, 'c');
    expect(() => failing.files.openSync(path, 'w')).toThrow('fault at files.openSync:done');
    expect(open()).toBe(0);
    await expect(failing.files.promises.open(path, 'w')).rejects.toThrow('fault at files.promises.open:done');
    expect(open()).toBe(0);
  });

  it('is not told that a call is done which failed', () => {
    expect(() => host.files.unlinkSync(join(dir, 'none'))).toThrow('ENOENT');
    expect(calls).toEqual(['files.unlinkSync']);
  });
});

describe('faultFromEnv', () => {
  it('is nothing where the variable is not set', () => {
    expect(faultFromEnv({})).toBeNull();
  });

  it('kills the process at the call that is asked for, which it names', () => {
    const module = JSON.stringify(
      fileURLToPath(new URL('../../../dist/core/host/fault.js', import.meta.url)),
    );
    const code = `const { faultFromEnv } = await import(${module});
      const at = faultFromEnv({ UPKEEP_FAULT: 'kill@3' });
      for (const call of ['one', 'two', 'three', 'four']) { at(call); console.log(call); }`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    expect(ran).toMatchObject({ signal: 'SIGKILL', stdout: 'one\ntwo\n', stderr: 'fault point: three\n' });
  });

  it.each(['', 'kill@', 'kill@0', 'kill@x', 'throw@1'])('refuses %j', (wish) => {
    expect(() => faultFromEnv({ UPKEEP_FAULT: wish })).toThrow('UPKEEP_FAULT must be kill@<n>');
  });
});
