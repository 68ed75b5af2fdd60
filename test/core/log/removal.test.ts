import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFaults } from '../../../core/host/fault.ts';
import { fileKey, type Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { folderOf, inScratch, jobWith, logsIn, numbered, scratch, textOf } from './support.ts';

let dir: string;
inScratch((made) => {
  dir = made;
});

/**
 * A host on which the collapse is still to come when upkeep dies: `fallocate` is there as a process, with the log
 * open, until it is let go.
 */
function slowFallocate(): {
  host: Host;
  begun: () => boolean;
  finish(): Promise<void>;
  /** Whatever the dead upkeep has open is closed, as it is with a process. To be waited for by `settled`. */
  bury(): void;
  alive: { value: boolean };
} {
  const host = nodeHost();
  const alive = { value: false };
  let finish = async (): Promise<void> => {};
  let bury = (): void => {};
  const { spawner, processes } = host;
  const slow: Host = {
    ...host,
    processes: new Proxy(processes, {
      get(target, name) {
        if (name === 'list') return () => (alive.value ? [4711] : []);
        if (name === 'argv') return () => ['/usr/bin/fallocate', '-c'];
        if (name === 'writersOf')
          return (files: { dev: bigint; ino: bigint }[]) => ({
            writers: new Map(files.map((file) => [fileKey(file), [4711]])),
            complete: true,
          });
        return Reflect.get(target, name);
      },
    }),
    spawner: {
      ...spawner,
      run: (file, argv, options) => {
        // The trial on a scratch file is let through.
        if (argv[0] !== '-c' || argv[4] === '4096') return spawner.run(file, argv, options);
        alive.value = true;
        const fd = openSync(`/proc/self/fd/${options.fds?.[0]}`, 'r+');
        finish = async () => {
          await spawner.run(file, argv, { ...options, fds: [fd] });
          alive.value = false;
        };
        // Upkeep never hears of it.
        return new Promise((_, reject) => {
          bury = () => reject(new Error('died'));
        });
      },
    },
  };
  return { host: slow, begun: () => alive.value, finish: () => finish(), bury: () => bury(), alive };
}

describe('a fallocate that outlives the upkeep that started it', () => {
  it('is waited for: nobody reads, cuts or counts by a base that is not certain', async () => {
    const { host, begun, finish, bury } = slowFallocate();
    const job = jobWith({ rotate: [{ type: 'size', max: 65_536 }] });
    const dead = logsIn(dir, host);
    const { fd } = dead.logs.open(job, 0);
    writeSync(fd, numbered(1000));
    dead.look();
    while (!begun()) await new Promise((resolve) => setImmediate(resolve));

    const { logs, look, quiet, reports } = logsIn(dir, host);
    logs.resume(job, 0);
    const reading = textOf(logs.read(job, {}));
    let read = false;
    void reading.then(() => {
      read = true;
    });
    for (let i = 0; i < 5; i++) {
      writeSync(fd, numbered(20, 1000 + i * 20));
      look();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // A restart does not wait for it, with the same file or with another.
    expect(logs.open(job, 1).rotated).toBeNull();
    writeSync(fd, numbered(1, 1100));
    expect(read).toBe(false);
    expect(logs.tail(job, null, 2)).toEqual(numbered(2, 1099).trimEnd().split('\n'));

    await finish();
    writeSync(fd, numbered(10, 1101));
    expect(logs.tail(job, null, 2)).toEqual(numbered(2, 1109).trimEnd().split('\n'));
    await quiet();
    expect((await reading).startsWith(numbered(1100))).toBe(true);
    expect(await textOf(logs.read(job, {}))).toBe(numbered(1111));
    expect(await textOf(logs.read(job, { incarnation: 1 }))).toBe(numbered(11, 1100));
    expect(reports).toEqual([]);
    logs.closeAll();
    bury();
    await dead.logs.settled();
    dead.logs.closeAll();
  });

  it('is settled by the nonce when it was over before the next upkeep came', async () => {
    const { host, begun, finish, bury } = slowFallocate();
    const job = jobWith();
    const dead = logsIn(dir, host);
    const { fd } = dead.logs.open(job, 0);
    writeSync(fd, numbered(1000));
    dead.look();
    while (!begun()) await new Promise((resolve) => setImmediate(resolve));
    await finish();
    const { logs } = logsIn(dir);
    expect(await textOf(logs.read(job, {}))).toBe(numbered(1000));
    logs.closeAll();
    bury();
    await dead.logs.settled();
    dead.logs.closeAll();
  });
});

describe('a removal that upkeep dies over again and again', () => {
  it('keeps every byte, wherever it dies the second time', async () => {
    const job = jobWith();
    for (let n = 1; ; n++) {
      const made = scratch();
      let killed = false;
      const dies = (when: (call: string) => boolean) =>
        withFaults(nodeHost(), (call) => {
          killed ||= !call.endsWith(':done') && when(call);
          if (killed) throw new Error('died');
        });
      // First as it is about to collapse (the trial on a scratch file goes before), with the nonce in the file.
      let runs = 0;
      const first = logsIn(
        made.dir,
        dies((call) => call === 'spawner.run' && ++runs === 2),
      );
      const { fd } = first.logs.open(job, 0);
      writeSync(fd, numbered(1000));
      await first.lookAndWait();
      expect(killed).toBe(true);
      // Then at some point of the next try.
      killed = false;
      let calls = 0;
      const second = logsIn(
        made.dir,
        dies(() => ++calls === n),
      );
      try {
        second.logs.resume(job, 0);
        writeSync(fd, numbered(1000, 1000));
        await second.lookAndWait();
      } catch {
        writeSync(fd, numbered(1000, 1000));
      }
      const { logs, quiet } = logsIn(made.dir);
      logs.resume(job, 0);
      expect(await textOf(logs.read(job, {})), `at once after ${n}`).toBe(numbered(2000));
      await quiet();
      expect(await textOf(logs.read(job, {})), `after ${n}`).toBe(numbered(2000));
      for (const one of [first, second, { logs }]) one.logs.closeAll();
      made.remove();
      if (!killed) break;
    }
  });
});

describe('a log that repeats itself', () => {
  it.each(['\0', 'a\n'])('is not mistaken for one whose head is still in: %j', async (unit) => {
    const { logs, quiet, lookAndWait } = logsIn(dir);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    for (let i = 0; i < 5; i++) {
      writeSync(fd, unit.repeat(50_000));
      await lookAndWait();
    }
    await quiet();
    logs.closeAll();
    const again = logsIn(dir);
    expect((await textOf(again.logs.read(job, {}))) === unit.repeat(250_000)).toBe(true);
    again.logs.closeAll();
  });
});

describe('a collapse that the kernel refuses for this one file', () => {
  it('becomes a hole, and nothing is lost', async () => {
    const host = nodeHost();
    const { spawner } = host;
    const refusing: Host = {
      ...host,
      spawner: {
        ...spawner,
        run: async (file, argv, options) =>
          argv[0] === '-c' && argv[4] !== '4096'
            ? { exit_code: 1, stdout: '', stderr: 'fallocate failed: Operation not permitted', error: null }
            : spawner.run(file, argv, options),
      },
    };
    const { logs, reports, lookAndWait } = logsIn(dir, refusing);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    for (let i = 0; i < 4; i++) {
      writeSync(fd, numbered(800, i * 800));
      await lookAndWait();
    }
    expect(reports).toEqual([]);
    expect(
      readFileSync(join(folderOf(dir, job), 'current.log'))
        .subarray(0, 65_536)
        .every((byte) => byte === 0),
    ).toBe(true);
    for (const one of [logs, logsIn(dir).logs]) expect(await textOf(one.read(job, {}))).toBe(numbered(3200));
    logs.closeAll();
  });
});

describe('a log that its writer empties while its head is being taken out', () => {
  it('never gets anything of upkeep into it', async () => {
    const host = nodeHost();
    const job = jobWith();
    const path = join(folderOf(dir, job), 'current.log');
    let empty = (): void => {};
    const promises = new Proxy(host.files.promises, {
      get: (target, name) =>
        name === 'open'
          ? async (file: string, ...rest: unknown[]) => {
              // At each step of a rotation in turn.
              empty();
              return Reflect.apply(target.open, target, [file, ...rest]);
            }
          : Reflect.get(target, name),
    });
    for (let step = 0; step < 14; step++) {
      const { logs, look, quiet } = logsIn(dir, { ...host, files: { ...host.files, promises } });
      const { fd } = logs.open(job, step);
      writeSync(fd, numbered(1000));
      let left = step;
      empty = () => {
        left--;
        if (left !== -1) return;
        writeFileSync(path, '');
        writeSync(fd, 'begun anew\n');
      };
      look();
      await logs.settled();
      empty = () => {};
      await quiet();
      const text = await textOf(logs.read(job, { incarnation: step }));
      // What was before may be gone, but what came after is there, and nothing that nobody wrote.
      expect(text.replaceAll(/^\d{10}x{89}\n/gm, '')).toMatch(/^(\d{0,10}x{0,89})?(begun anew\n)?$/);
      if (left < 0) expect(text).toContain('begun anew');
      logs.closeAll();
    }
  });
});
