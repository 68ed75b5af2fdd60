import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import { Logs } from '../../../core/log/mod.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { folderOf, inScratch, jobWith, listing, logsIn, numbered, segmentsOf, textOf } from './support.ts';

let dir: string;
inScratch((made) => {
  dir = made;
});

describe('a file by its number', () => {
  it('is of the log while it is the active one or may still have writers, and never once it is another', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ compress: 'gzip' });
    const [first, second, third] = [0, 1, 2].map((incarnation) => {
      const { fd, file } = logs.open(job, incarnation);
      writeSync(fd, 'line\n');
      return file;
    });
    if (first === undefined || second === undefined || third === undefined) throw new Error('no logs');
    expect([first, second, third].map((file) => logs.has(job, file))).toEqual([true, true, true]);
    expect(logs.has(jobWith({}, 'other'), first)).toBe(false);

    logs.release(job, first);
    await quiet();
    expect(logs.has(job, first)).toBe(false);
    // Somebody else has removed it.
    const folder = folderOf(dir, job);
    unlinkSync(join(folder, '1.log'));
    expect(logs.has(job, second)).toBe(false);
    // The active one is held open: nobody else gets its number.
    unlinkSync(join(folder, 'current.log'));
    expect(logs.has(job, third)).toBe(true);
    logs.close(job.job_id);
    expect(logs.has(job, third)).toBe(false);
  });

  it('is of no log where what lies in its place is none', () => {
    const { logs } = logsIn(dir);
    const job = jobWith();
    const { file } = logs.open(job, 0);
    logs.closeAll();
    const current = join(folderOf(dir, job), 'current.log');
    unlinkSync(current);
    mkdirSync(current);
    expect(logs.has(job, file)).toBe(false);
  });
});

describe('opening a log', () => {
  it('gives a fresh file for each incarnation, in a folder that nobody else can read', () => {
    const { logs } = logsIn(join(dir, 'state', 'logs'));
    const job = jobWith();
    const first = logs.open(job, 0);
    writeSync(first.fd, 'one\n');
    expect(first.rotated).toBeNull();
    expect(logs.activeFile(job.job_id)).toEqual(first.file);
    const second = logs.open(job, 1);
    writeSync(second.fd, 'two\n');
    expect(second.rotated).toEqual(first.file);
    expect(second.file).not.toEqual(first.file);
    const folder = folderOf(join(dir, 'state', 'logs'), job);
    expect(readdirSync(folder).sort()).toEqual(['0.idx', '0.log', 'current.idx', 'current.log']);
    expect(readFileSync(join(folder, '0.log'), 'utf8')).toBe('one\n');
    expect(readFileSync(join(folder, 'current.log'), 'utf8')).toBe('two\n');
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    for (let at = folder; at !== dir; at = join(at, '..')) expect(statSync(at).mode & 0o777).toBe(0o700);
    logs.closeAll();
  });

  it('appends, whatever position a writer has', () => {
    const { logs } = logsIn(dir);
    const { fd } = logs.open(jobWith(), 0);
    writeSync(fd, 'aaaa');
    writeSync(fd, 'b', 0);
    expect(readFileSync(join(folderOf(dir, jobWith()), 'current.log'), 'utf8')).toBe('aaaab');
    logs.closeAll();
  });

  it('gives the same file again where the spawn failed and nobody wrote', () => {
    const { logs } = logsIn(dir);
    const job = jobWith();
    writeSync(logs.open(job, 0).fd, 'x\n');
    const first = logs.open(job, 1);
    for (let i = 0; i < 5; i++) expect(logs.open(job, 1)).toMatchObject({ file: first.file, rotated: null });
    expect(segmentsOf(dir, job).length).toBe(1);
    logs.closeAll();
  });

  it('goes on in the same file where no rotator minds restarts', async () => {
    const { logs } = logsIn(dir);
    const job = jobWith({ rotate: [] });
    const first = logs.open(job, 0);
    writeSync(first.fd, 'one\n');
    const second = logs.open(job, 1);
    writeSync(second.fd, 'two\n');
    expect(second).toMatchObject({ file: first.file, rotated: null });
    expect(await textOf(logs.read(job, { incarnation: 1 }))).toBe('two\n');
    logs.closeAll();
  });

  it('takes up again what a job at rest has left', async () => {
    const { logs, quiet } = logsIn(dir);
    for (const rotate of [[{ type: 'restart' }], []]) {
      const job = jobWith({ rotate }, `j${rotate.length}`);
      writeSync(logs.open(job, 0).fd, 'one\n');
      logs.close(job.job_id);
      await quiet();
      expect(await textOf(logs.read(job, {}))).toBe('one\n');
      writeSync(logs.open(job, 1).fd, 'two\n');
      expect(await textOf(logs.read(job, {}))).toBe('one\ntwo\n');
      expect(segmentsOf(dir, job).length).toBe(rotate.length);
    }
    logs.closeAll();
  });

  it('works after somebody has cleared the logs away, folders and all', async () => {
    const { logs, reports, quiet } = logsIn(dir);
    const job = jobWith();
    writeSync(logs.open(job, 0).fd, 'one\n');
    rmSync(join(dir, job.service), { recursive: true });
    const opened = logs.open(job, 1);
    writeSync(opened.fd, 'two\n');
    await quiet();
    expect(await textOf(logs.read(job, {}))).toBe('two\n');
    logs.close(job.job_id);
    rmSync(join(dir, job.service), { recursive: true });
    writeSync(logs.open(job, 2).fd, 'three\n');
    await quiet();
    expect(await textOf(logs.read(job, {}))).toBe('three\n');
    expect(reports).toEqual([]);
    logs.closeAll();
  });

  it('does without an index where that cannot be written, and says so', async () => {
    const host = nodeHost();
    const full: Host = {
      ...host,
      files: {
        ...host.files,
        promises: host.files.promises,
        writeFileSync: () => {
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        },
      },
    };
    const { logs, reports } = logsIn(dir, full);
    const job = jobWith();
    writeSync(logs.open(job, 0).fd, 'one\n');
    writeSync(logs.open(job, 1).fd, 'two\n');
    expect(reports.map(({ code }) => code)).toEqual(['LOG_DEGRADED', 'LOG_DEGRADED']);
    expect(await textOf(logs.read(job, {}))).toBe('one\ntwo\n');
    logs.closeAll();
    // The next upkeep is told whose the log is.
    const again = logsIn(dir);
    again.logs.resume(job, 1);
    expect(await textOf(again.logs.read(job, { incarnation: 1 }))).toBe('two\n');
    again.logs.closeAll();
  });

  it('does not fail because a rotator does', async () => {
    const host = nodeHost();
    const broken = {
      ...builtInPlugins.rotators[0],
      decide: () => {
        throw new Error('broken');
      },
    };
    const codes: string[] = [];
    const rotators = [broken as (typeof builtInPlugins.rotators)[number]];
    const logs = new Logs({ host, dir, rotators, report: (_, { code }) => codes.push(code) });
    const job = jobWith();
    writeSync(logs.open(job, 0).fd, 'one\n');
    writeSync(logs.open(job, 1).fd, 'two\n');
    logs.look(host.clock.mono() + 10_000);
    await logs.settled();
    expect(await textOf(logs.read(job, {}))).toBe('one\ntwo\n');
    expect(codes).toEqual(['LOG_DEGRADED']);
    logs.closeAll();
  });
});

describe('something in the way', () => {
  it.each(['..', '.', '', 'a/b', 'a\0b'])('is refused as a name: %j', (name) => {
    const { logs } = logsIn(dir);
    expect(() => logs.open({ ...jobWith(), service: name }, 0)).toThrow('must be a file name');
    expect(() => logs.open({ ...jobWith(), action: name }, 0)).toThrow('must be a file name');
    expect(() => logs.open(jobWith({}, name), 0)).toThrow('must be a file name');
  });

  it('is not written through: a link for the active log', () => {
    const { logs } = logsIn(dir);
    const job = jobWith();
    writeFileSync(join(dir, 'target'), 'precious');
    for (const name of ['current.log', 'current.idx']) {
      rmSync(join(dir, job.service), { recursive: true, force: true });
      symlinkSync(join(dir, 'target'), join(folderOf(dir, job), name));
      try {
        writeSync(logs.open(job, 0).fd, 'x');
      } catch (error) {
        expect((error as Error).message).toContain('current.log');
      }
      expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('precious');
      logs.closeAll();
    }
  });

  it('is not followed: a link for a folder', () => {
    const { logs } = logsIn(join(dir, 'logs'));
    const job = jobWith();
    mkdirSync(join(dir, 'elsewhere', job.action, job.job_id), { recursive: true });
    writeFileSync(join(dir, 'elsewhere', job.action, job.job_id, 'current.log'), 'precious');
    mkdirSync(join(dir, 'logs'));
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'logs', job.service));
    expect(() => logs.open(job, 0)).toThrow('there is a link in the way');
    expect(listing(join(dir, 'elsewhere')).length).toBe(3);
  });

  it('is no matter where the folder of all logs is itself behind a link', async () => {
    mkdirSync(join(dir, 'real'));
    symlinkSync(join(dir, 'real'), join(dir, 'link'));
    const { logs } = logsIn(join(dir, 'link'));
    writeSync(logs.open(jobWith(), 0).fd, 'x\n');
    writeSync(logs.open(jobWith(), 1).fd, 'y\n');
    logs.closeAll();
    const again = logsIn(join(dir, 'link'));
    expect(await textOf(again.logs.read(jobWith(), {}))).toBe('x\ny\n');
  });
});

describe('what a crash can leave', () => {
  it('a restart rotation between its renames is finished', async () => {
    const job = jobWith();
    const before = logsIn(dir);
    writeSync(before.logs.open(job, 0).fd, 'zero\n');
    writeSync(before.logs.open(job, 1).fd, 'one\n');
    before.logs.closeAll();
    const folder = folderOf(dir, job);
    renameSync(join(folder, 'current.idx'), join(folder, '1.idx'));
    const after = logsIn(dir);
    after.logs.resume(job, 2);
    expect(segmentsOf(dir, job).map(({ name }) => name)).toEqual(['0.log', '1.log']);
    writeSync(after.logs.open(job, 2).fd, 'two\n');
    expect(await textOf(after.logs.read(job, {}))).toBe('zero\none\ntwo\n');
    expect(await textOf(after.logs.read(job, { incarnation: 1 }))).toBe('one\n');
    after.logs.closeAll();
  });

  it('an index without its log, and unfinished files, are removed', () => {
    const job = jobWith();
    const folder = folderOf(dir, job);
    for (const name of ['current.idx', '3.idx', '0.1.log.tmp', '2.log.gz.tmp', 'current.idx.tmp']) {
      writeFileSync(join(folder, name), 'open 0 5\n');
    }
    writeFileSync(join(folder, 'notes.txt'), 'not ours');
    const { logs } = logsIn(dir);
    logs.resume(job, 0);
    expect(readdirSync(folder)).toEqual(['notes.txt']);
    logs.closeAll();
  });

  it('what a segment was compressed from is removed', async () => {
    const job = jobWith({ compress: 'gzip' });
    const before = logsIn(dir);
    const first = before.logs.open(job, 0);
    writeSync(first.fd, 'zero\n');
    before.logs.open(job, 1);
    before.logs.release(job, first.file);
    await before.quiet();
    before.logs.closeAll();
    const folder = folderOf(dir, job);
    writeFileSync(join(folder, '0.log'), 'zero\n');
    const after = logsIn(dir);
    expect(await textOf(after.logs.read(job, {}))).toBe('zero\n');
    expect(existsSync(join(folder, '0.log'))).toBe(false);
  });

  it('a log whose index is lost is that of the incarnation that is named, and its segments are read', async () => {
    const job = jobWith();
    const before = logsIn(dir);
    writeSync(before.logs.open(job, 0).fd, numbered(2000));
    await before.quiet();
    before.logs.closeAll();
    const folder = folderOf(dir, job);
    for (const name of readdirSync(folder)) if (name.endsWith('.idx')) unlinkSync(join(folder, name));
    const after = logsIn(dir);
    after.logs.resume(job, 4);
    expect(await textOf(after.logs.read(job, {}))).toBe(numbered(2000));
    expect((await textOf(after.logs.read(job, { incarnation: 4 }))).length).toBe(200_000 - 3 * 65_536);
    after.logs.closeAll();
  });

  it('an index that ends within a record goes on after it', async () => {
    const job = jobWith({ rotate: [] });
    const before = logsIn(dir);
    writeSync(before.logs.open(job, 0).fd, 'zero\n');
    before.logs.closeAll();
    const index = join(folderOf(dir, job), 'current.idx');
    writeFileSync(index, `${readFileSync(index, 'utf8')}at 12`);
    const after = logsIn(dir);
    writeSync(after.logs.open(job, 1).fd, 'one\n');
    expect(await textOf(after.logs.read(job, { incarnation: 1 }))).toBe('one\n');
    after.logs.closeAll();
    const later = logsIn(dir);
    expect(await textOf(later.logs.read(job, { incarnation: 1 }))).toBe('one\n');
    later.logs.closeAll();
  });
});

describe('looking at many logs', () => {
  it('asks to be called again at once where it would hold the event loop, and gets to all of them', async () => {
    const host = nodeHost();
    let mono = 1_000_000;
    // Each look at the clock takes 0.1 ms.
    const clock = { ...host.clock, wall: () => Date.now(), mono: () => (mono += 0.1) };
    const { logs } = logsIn(dir, { ...host, clock });
    const fds = Array.from({ length: 100 }, (_, i) => logs.open(jobWith({}, `j${i}`), 0).fd);
    for (const fd of fds) writeSync(fd, numbered(800));
    mono += 10_000;
    let calls = 1;
    while (logs.look(mono) <= mono) calls++;
    await logs.settled();
    expect(calls).toBeGreaterThan(1);
    for (let i = 0; i < 100; i++) expect(segmentsOf(dir, jobWith({}, `j${i}`)).length).toBe(1);
    logs.closeAll();
  });

  it('has nothing to look at where every job is at rest', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith();
    writeSync(logs.open(job, 0).fd, 'x\n');
    logs.close(job.job_id);
    await quiet();
    expect(logs.look(Number.MAX_SAFE_INTEGER)).toBe(Number.POSITIVE_INFINITY);
    expect(await textOf(logs.read(job, {}))).toBe('x\n');
  });
});

describe('a job that is over', () => {
  it('can be read without its spec, and is left as it is', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ compress: 'gzip' });
    const { fd } = logs.open(job, 0);
    writeSync(fd, numbered(2000));
    logs.closeAll();
    const before = listing(dir);
    const after = logsIn(dir);
    const past = after.logs.past({ service: job.service, action: job.action, job_id: job.job_id });
    expect(await textOf(after.logs.read(past, {}))).toBe(numbered(2000));
    expect(after.logs.tail(past, 0, 1)).toEqual([numbered(1, 1999).trimEnd()]);
    await after.quiet();
    expect(listing(dir)).toEqual(before);
    await quiet();
  });

  it('is removed, and nothing else', async () => {
    const { logs, quiet } = logsIn(dir);
    const job = jobWith({ compress: 'gzip' });
    writeSync(logs.open(job, 0).fd, numbered(2000));
    await quiet();
    const other = jobWith({}, 'j2');
    writeSync(logs.open(other, 0).fd, 'y\n');
    await logs.remove(job);
    expect(existsSync(join(dir, job.service, job.action, job.job_id))).toBe(false);
    writeFileSync(join(folderOf(dir, other), 'notes.txt'), 'not ours');
    await logs.remove(other);
    expect(readdirSync(folderOf(dir, other))).toEqual(['notes.txt']);
    logs.closeAll();
  });
});
