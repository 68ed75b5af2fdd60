import { existsSync, readdirSync, statSync, truncateSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFaults } from '../../../core/host/fault.ts';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { LogJob } from '../../../core/log/mod.ts';
import {
  folderOf,
  inScratch,
  jobWith,
  logsIn,
  numbered,
  numbersIn,
  segmentsOf,
  textOf,
  withoutFallocate,
} from './support.ts';

let dir: string;
inScratch((made) => {
  dir = made;
});

/** Bytes of a job's logs on disk, without their indexes. */
function onDisk(job: LogJob): number {
  const folder = folderOf(dir, job);
  return readdirSync(folder)
    .filter((name) => !name.includes('.idx'))
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, { size, blocks }) => sum + Math.min(size, blocks * 512), 0);
}

function names(job: LogJob): string[] {
  return segmentsOf(dir, job).map(({ name }) => name);
}

describe('compression', () => {
  it('waits until the last writer of a segment is known to be gone', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ compress: 'gzip' });
    const first = logs.open(job, 0);
    writeSync(first.fd, 'one\n');
    const { rotated } = logs.open(job, 1);
    expect(rotated).toEqual(first.file);
    await quiet();
    expect(names(job)).toEqual(['0.log']);
    if (rotated !== null) logs.release(job, rotated);
    await quiet();
    expect(names(job)).toEqual(['0.log.gz']);
    expect(segmentsOf(dir, job)[0]?.text).toBe('one\n');
    logs.closeAll();
  });

  it('does not wait for what live rotation has copied', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ compress: 'gzip' });
    const { fd } = logs.open(job, 0);
    const text = numbered(2000);
    writeSync(fd, text);
    await quiet();
    expect(names(job)).toEqual(['0.log.gz', '0.1.log.gz', '0.2.log.gz']);
    expect(await textOf(logs.read(job, {}))).toBe(text);
    expect(onDisk(job)).toBeLessThan(text.length / 4);
    logs.closeAll();
  });

  it('happens after a restart of upkeep to what was left, and to sealed segments once they are released', async () => {
    const job = jobWith({ compress: 'gzip' });
    const before = logsIn(dir);
    writeSync(before.logs.open(job, 0).fd, numbered(1000));
    writeSync(before.logs.open(job, 1).fd, numbered(1000, 1000));
    before.look();
    await before.logs.settled();
    before.logs.closeAll();

    const after = logsIn(dir);
    after.logs.resume(job, 1);
    await after.quiet();
    expect(names(job)).toEqual(['0.log', '1.log.gz']);
    expect(after.logs.sealed(job, 0).length).toBe(1);
    for (const file of after.logs.sealed(job, 0)) after.logs.release(job, file);
    await after.quiet();
    expect(names(job)).toEqual(['0.log.gz', '1.log.gz']);
    expect(after.logs.sealed(job, 0)).toEqual([]);
    expect(numbersIn(await textOf(after.logs.read(job, {}))).length).toBe(2000);
    after.logs.closeAll();
  });

  it('leaves the time of the last line as it was', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ compress: 'gzip' });
    const first = logs.open(job, 0);
    writeSync(first.fd, 'one\n');
    const before = statSync(join(folderOf(dir, job), 'current.log')).mtimeMs;
    logs.open(job, 1);
    logs.release(job, first.file);
    await quiet();
    expect(statSync(join(folderOf(dir, job), '0.log.gz')).mtimeMs).toBeCloseTo(before, -1);
    logs.closeAll();
  });
});

describe('retention', () => {
  it('keeps so many segments, the newest', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ keep: 3 });
    for (let incarnation = 0; incarnation < 8; incarnation++) {
      const { fd, rotated } = logs.open(job, incarnation);
      writeSync(fd, `${incarnation}\n`);
      if (rotated !== null) logs.release(job, rotated);
    }
    await quiet();
    expect(names(job)).toEqual(['4.log', '5.log', '6.log']);
    expect(await textOf(logs.read(job, {}))).toBe('4\n5\n6\n7\n');
    expect(readdirSync(folderOf(dir, job)).filter((name) => name.endsWith('.idx')).length).toBe(4);
    logs.closeAll();
  });

  it('does not count incarnations that wrote nothing, and removes their segments', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ keep: 2 });
    for (let incarnation = 0; incarnation < 20; incarnation++) {
      const { fd, rotated } = logs.open(job, incarnation);
      if (incarnation % 10 === 0) writeSync(fd, `${incarnation}\n`);
      if (rotated !== null) logs.release(job, rotated);
    }
    await quiet();
    expect(names(job)).toEqual(['0.log', '10.log']);
    logs.closeAll();
  });

  it('keeps the job as a whole within its bytes', async () => {
    const { logs, lookAndWait } = logsIn(dir);
    const job = jobWith({ max_total: 400_000 });
    let line = 0;
    for (let incarnation = 0; incarnation < 5; incarnation++) {
      const { fd, rotated } = logs.open(job, incarnation);
      if (rotated !== null) logs.release(job, rotated);
      for (let i = 0; i < 4; i++) {
        writeSync(fd, numbered(700, line));
        line += 700;
        await lookAndWait();
        expect(onDisk(job)).toBeLessThanOrEqual(400_000);
      }
    }
    const numbers = numbersIn(await textOf(logs.read(job, {}))).filter((n) => !Number.isNaN(n));
    expect(numbers.at(-1)).toBe(line - 1);
    expect(numbers.length).toBeGreaterThan(2500);
    logs.closeAll();
  });

  it('empties, and does not remove, a segment that somebody may still write to', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ rotate: [{ type: 'restart' }], max_total: 200_000 });
    const first = logs.open(job, 0);
    const survivor = first.fd;
    writeSync(survivor, numbered(1000));
    // The descriptor is closed by the next open: the survivor has its own.
    const own = nodeHost().files.openSync(`/proc/self/fd/${survivor}`, 'a');
    const second = logs.open(job, 1);
    for (let i = 0; i < 10; i++) {
      writeSync(own, numbered(1500));
      await quiet();
      expect(onDisk(job)).toBeLessThanOrEqual(200_000);
    }
    expect(names(job)).toEqual(['0.log']);
    expect(statSync(join(folderOf(dir, job), '0.log')).ino).toBe(Number(first.file.ino));
    writeSync(own, 'last words\n');
    expect(await textOf(logs.read(job, { incarnation: 0 }))).toMatch(/last words\n$/);
    writeSync(second.fd, 'x\n');
    logs.release(job, first.file);
    await quiet();
    expect(await textOf(logs.read(job, {}))).toMatch(/last words\nx\n$/);
    nodeHost().files.closeSync(own);
    logs.closeAll();
  });

  it('is taken up where upkeep died between emptying a segment and writing that down', async () => {
    const job = jobWith({ rotate: [{ type: 'restart' }], max_total: 100_000 });
    const before = logsIn(dir);
    const own = nodeHost().files.openSync(`/proc/self/fd/${before.logs.open(job, 0).fd}`, 'a');
    writeSync(own, numbered(3000));
    before.logs.open(job, 1);
    before.logs.closeAll();
    const dying = withFaults(nodeHost(), (call) => {
      if (call === 'files.handle.truncate:done') throw new Error('died');
    });
    const dead = logsIn(dir, dying);
    dead.logs.resume(job, 1);
    await dead.lookAndWait();
    expect(dead.reports.map(({ message }) => message)).toEqual([expect.stringContaining('died')]);
    const after = logsIn(dir);
    after.logs.resume(job, 1);
    writeSync(own, 'last words\n');
    expect(await textOf(after.logs.read(job, {}))).toBe('last words\n');
    for (const one of [dead, after]) one.logs.closeAll();
    nodeHost().files.closeSync(own);
  });
});

describe('the index of a log', () => {
  it.each(['collapse', 'punch'])('does not grow with the number of rotations: %s', async (how) => {
    const { logs, lookAndWait } = logsIn(dir, how === 'punch' ? withoutFallocate('-c') : nodeHost());
    const job = jobWith({ rotate: [{ type: 'size', max: 8_192 }], keep: 2 });
    const { fd } = logs.open(job, 0);
    const sizes: number[] = [];
    for (let i = 0; i < 30; i++) {
      writeSync(fd, numbered(100, i * 100));
      await lookAndWait();
      sizes.push(statSync(join(folderOf(dir, job), 'current.idx')).size);
    }
    expect(Math.max(...sizes.slice(20))).toBeLessThan(200);
    logs.closeAll();
  });
});

describe.each([
  ['by size', [{ type: 'size', max: 262_144 }]],
  ['by nothing but the bound', []],
])('a flood, rotated %s', (_, rotate) => {
  it.each([1_000, 20_000, 200_000])('of %i bytes a millisecond does not fill the disk', async (rate) => {
    const host = nodeHost();
    const { logs } = logsIn(dir, host);
    const max_total = 4_000_000;
    const job = jobWith({ rotate, keep: 100, max_total });
    const { fd } = logs.open(job, 0);
    let now = Math.ceil(host.clock.mono() / 2000) * 2000;
    let line = 0;
    let next = logs.look(now);
    await logs.settled();
    let worst = 0;
    for (let i = 0; line * 100 < 20_000_000 && i < 200; i++) {
      const lines = Math.round(((next - now) * rate) / 100);
      for (let part = 0; part < lines; part += 10_000)
        writeSync(fd, numbered(Math.min(10_000, lines - part), line + part));
      line += lines;
      now = next;
      // The flood begins unseen; from the second look on it is known how fast it is.
      if (i > 1) worst = Math.max(worst, onDisk(job));
      next = logs.look(now);
      await logs.settled();
      expect(onDisk(job)).toBeLessThanOrEqual(max_total);
    }
    // What comes between two looks is bounded too, as far as looks can be that frequent.
    expect(worst).toBeLessThanOrEqual(max_total + Math.max(max_total / 4, rate * 16) + 4096);
    const numbers = numbersIn((await textOf(logs.read(job, {}))).replace(/^.*\n/, ''));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (__, k) => line - numbers.length + k));
    expect(numbers.length * 100).toBeGreaterThan(Math.min(line * 100, max_total) / 2);
    logs.closeAll();
  });
});

describe('a log that somebody else shortens', () => {
  it('is noticed each time, and read as it is then', async () => {
    const { logs, reports, lookAndWait } = logsIn(dir);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    const path = join(folderOf(dir, job), 'current.log');
    for (let i = 1; i <= 3; i++) {
      writeSync(fd, numbered(300, i * 1000));
      await lookAndWait();
      truncateSync(path, 0);
      writeSync(fd, numbered(10, i));
      await lookAndWait();
      expect(reports.map(({ code }) => code)).toEqual(Array.from({ length: i }, () => 'LOG_TRUNCATED'));
      expect(reports.at(-1)?.evidence).toMatchObject({ size: 1000 });
      expect(numbersIn(await textOf(logs.read(job, {})))).toEqual(
        Array.from({ length: 10 }, (_, k) => i + k),
      );
    }
    logs.closeAll();
  });

  it('is rotated on as before, and nothing of what came after is lost', async () => {
    const { logs, lookAndWait, quiet } = logsIn(dir);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    const path = join(folderOf(dir, job), 'current.log');
    writeSync(fd, numbered(1000));
    await lookAndWait();
    const kept = segmentsOf(dir, job)
      .map(({ text }) => text)
      .join('');
    truncateSync(path, 0);
    writeSync(fd, numbered(100, 5000));
    await lookAndWait();
    writeSync(fd, numbered(1500, 5100));
    await quiet();
    const again = logsIn(dir);
    for (const one of [logs, again.logs]) {
      expect(await textOf(one.read(job, {}))).toBe(kept + numbered(1600, 5000));
    }
    again.logs.closeAll();
    logs.closeAll();
  });

  it('is read on, as it is then, by whoever was reading it', async () => {
    const { logs, lookAndWait } = logsIn(dir);
    const job = jobWith({ rotate: [] });
    const { fd } = logs.open(job, 0);
    writeSync(fd, numbered(3000));
    await lookAndWait();
    const reading = logs.read(job, {})[Symbol.asyncIterator]();
    let text = Buffer.from((await reading.next()).value ?? '').toString('latin1');
    expect(text).toBe(numbered(3000).slice(0, 65_536));
    truncateSync(join(folderOf(dir, job), 'current.log'), 0);
    writeSync(fd, 'begun anew\n');
    await lookAndWait();
    for (let next = await reading.next(); !next.done; next = await reading.next()) {
      text += Buffer.from(next.value).toString('latin1');
    }
    expect(text.slice(65_536)).toBe('begun anew\n');
    logs.closeAll();
  });

  it('is noticed after a restart of upkeep too', async () => {
    const job = jobWith();
    const before = logsIn(dir, slowClock());
    writeSync(before.logs.open(job, 0).fd, numbered(400));
    await before.lookAndWait();
    before.logs.closeAll();
    truncateSync(join(folderOf(dir, job), 'current.log'), 0);
    const after = logsIn(dir);
    after.logs.resume(job, 0);
    await after.lookAndWait();
    expect(after.reports.map(({ code }) => code)).toEqual(['LOG_TRUNCATED']);
    after.logs.closeAll();
  });

  it('is bounded, though nobody can read it, where it was removed', async () => {
    const { logs, reports, lookAndWait } = logsIn(dir);
    const job = jobWith({ max_total: 100_000 });
    const { fd } = logs.open(job, 0);
    unlinkSync(join(folderOf(dir, job), 'current.log'));
    writeSync(fd, numbered(3000));
    await lookAndWait();
    expect(nodeHost().files.fstatSync(fd).size).toBe(0);
    writeSync(fd, numbered(10));
    await lookAndWait();
    expect(reports).toEqual([]);
    const opened = logs.open(job, 1);
    writeSync(opened.fd, 'new\n');
    await lookAndWait();
    expect(await textOf(logs.read(job, {}))).toBe('new\n');
    logs.closeAll();
  });
});

/** A host on which every look is more than five seconds after the one before, so that each notes how far a log is. */
function slowClock(host: Host = nodeHost()): Host {
  let wall = Date.now();
  const { clock } = host;
  return {
    ...host,
    clock: {
      mono: () => clock.mono(),
      timer: (delay, callback) => clock.timer(delay, callback),
      wall: () => {
        wall += 6000;
        return wall;
      },
    },
  };
}

describe('a log that cannot be seen to', () => {
  it('is bounded all the same: old segments go from a full disk though no new one can be made', async () => {
    const host = nodeHost();
    let full = false;
    const promises = new Proxy(host.files.promises, {
      get: (target, name) =>
        name === 'open' && full
          ? () =>
              Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }))
          : Reflect.get(target, name),
    });
    const { logs, reports, lookAndWait } = logsIn(dir, { ...host, files: { ...host.files, promises } });
    const job = jobWith({ max_total: 300_000 });
    const { fd } = logs.open(job, 0);
    writeSync(fd, numbered(2500));
    await lookAndWait();
    expect(names(job).length).toBe(3);
    full = true;
    writeSync(fd, numbered(1500));
    await lookAndWait();
    expect(reports.map(({ code }) => code)).toEqual(['LOG_DEGRADED']);
    expect(onDisk(job)).toBeLessThanOrEqual(300_000);
    logs.closeAll();
  });

  it('is reported once, and again after it could be', async () => {
    const host = withoutFallocate('-c', '-p');
    let full = true;
    const promises = new Proxy(host.files.promises, {
      get: (target, name) =>
        name === 'open' && full
          ? () =>
              Promise.reject(
                Object.assign(new Error('ENOSPC: no space left on device, open'), { code: 'ENOSPC' }),
              )
          : Reflect.get(target, name),
    });
    const { logs, reports, lookAndWait } = logsIn(dir, { ...host, files: { ...host.files, promises } });
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    writeSync(fd, numbered(1000));
    for (let i = 0; i < 3; i++) await lookAndWait();
    expect(reports.map(({ code }) => code)).toEqual(['LOG_DEGRADED']);
    expect(reports[0]?.message).toContain('ENOSPC');
    full = false;
    await lookAndWait();
    expect(names(job).length).toBe(1);
    writeSync(fd, numbered(1000, 1000));
    full = true;
    await lookAndWait();
    expect(reports.map(({ code }) => code)).toEqual(['LOG_DEGRADED', 'LOG_LOSSY', 'LOG_DEGRADED']);
    full = false;
    expect(await textOf(logs.read(job, {}))).toBe(numbered(2000));
    expect(existsSync(join(folderOf(dir, job), 'current.log'))).toBe(true);
    logs.closeAll();
  });
});
