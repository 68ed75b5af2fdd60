import { readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import {
  folder,
  folderOf,
  jobWith,
  listing,
  logsIn,
  numbered,
  SHM,
  segmentsOf,
  textOf,
  withoutFallocate,
} from './support.ts';

const HOUR = 3_600_000;
/** A host whose wall clock goes on when the test says so. */
function slow(host: Host = nodeHost()): { host: Host; clock: { now: number } } {
  const clock = { now: Date.now() };
  return { host: { ...host, clock: { ...host.clock, wall: () => clock.now } }, clock };
}

const hourly = (changes: object = {}) =>
  jobWith({ rotate: [{ type: 'restart' }, { type: 'age', interval: HOUR, at: [] }], ...changes });

const names = (dir: string, job: ReturnType<typeof jobWith>) => segmentsOf(dir, job).map(({ name }) => name);

describe.each([
  { how: 'collapse', make: () => nodeHost(), parent: undefined },
  { how: 'punch', make: () => withoutFallocate('-c'), parent: SHM },
  { how: 'truncate', make: () => withoutFallocate('-c', '-p'), parent: SHM },
])('a log in use that has reached an age: $how', ({ make, parent }) => {
  it.each([
    ['one line', 'hello\n'],
    ['exactly one block', 'x'.repeat(4095).concat('\n')],
    ['many blocks and a bit', numbered(1000)],
  ])('becomes a segment with all that is there: %s', async (_, text) => {
    const dir = folder(parent);
    const { host, clock } = slow(make());
    const { logs, lookAndWait, reports } = logsIn(dir, host);
    const job = hourly();
    const { fd } = logs.open(job, 0);
    writeSync(fd, text);
    await lookAndWait();
    clock.now += HOUR - 1;
    await lookAndWait();
    expect(names(dir, job)).toEqual([]);
    clock.now += 1;
    await lookAndWait();
    expect(segmentsOf(dir, job)).toEqual([{ name: '0.log', text }]);
    writeSync(fd, 'goes on\n');
    expect(await textOf(logs.read(job, {}))).toBe(`${text}goes on\n`);
    // Not again at once: what is there now is young.
    for (let i = 0; i < 3; i++) await lookAndWait();
    clock.now += HOUR - 10_000;
    await lookAndWait();
    expect(names(dir, job)).toEqual(['0.log']);
    clock.now += 10_000;
    await lookAndWait();
    expect(segmentsOf(dir, job)).toEqual([
      { name: '0.log', text },
      { name: '0.1.log', text: 'goes on\n' },
    ]);
    expect(await textOf(logs.read(job, {}))).toBe(`${text}goes on\n`);
    expect(reports.filter(({ code }) => code !== 'LOG_LOSSY')).toEqual([]);
    logs.closeAll();
  });

  it('does not let what was set aside pile up in the file', async () => {
    const dir = folder(parent);
    const { host, clock } = slow(make());
    const { logs, lookAndWait } = logsIn(dir, host);
    const job = hourly();
    const { fd } = logs.open(job, 0);
    let all = '';
    for (let i = 0; i < 40; i++) {
      const text = numbered(7, i * 7);
      writeSync(fd, text);
      all += text;
      await lookAndWait();
      clock.now += HOUR;
      await lookAndWait();
    }
    expect(names(dir, job)).toHaveLength(40);
    expect(await textOf(logs.read(job, {}))).toBe(all);
    const { size, blocks } = statSync(join(folderOf(dir, job), 'current.log'));
    expect(Math.min(size, blocks * 512)).toBeLessThanOrEqual(3 * 4096);
    logs.closeAll();
  });
});

describe('the age of a log', () => {
  it('is counted from its first byte, not from when the program was started', async () => {
    const dir = folder();
    const { host, clock } = slow();
    const { logs, lookAndWait } = logsIn(dir, host);
    const job = hourly();
    const { fd } = logs.open(job, 0);
    for (let i = 0; i < 5; i++) {
      clock.now += HOUR;
      await lookAndWait();
    }
    writeSync(fd, 'late\n');
    await lookAndWait();
    clock.now += HOUR / 2;
    await lookAndWait();
    expect(listing(dir).filter((name) => name.endsWith('.log'))).toHaveLength(1);
    clock.now += HOUR / 2;
    await lookAndWait();
    expect(segmentsOf(dir, job)).toEqual([{ name: '0.log', text: 'late\n' }]);
    logs.closeAll();
  });

  it('survives upkeep, and what came due meanwhile is made up for once', async () => {
    const dir = folder();
    const { host, clock } = slow();
    const job = hourly();
    const before = logsIn(dir, host);
    const { fd } = before.logs.open(job, 0);
    writeSync(fd, 'one\n');
    await before.lookAndWait();
    clock.now += HOUR / 2;
    const own = nodeHost().files.openSync(`/proc/self/fd/${fd}`, 'a');
    before.logs.closeAll();

    const soon = logsIn(dir, host);
    soon.logs.resume(job, 0);
    await soon.lookAndWait();
    expect(names(dir, job)).toEqual([]);
    soon.logs.closeAll();

    clock.now += 10 * HOUR;
    const after = logsIn(dir, host);
    after.logs.resume(job, 0);
    for (let i = 0; i < 3; i++) await after.lookAndWait();
    expect(names(dir, job)).toEqual(['0.log']);
    writeSync(own, 'two\n');
    for (let i = 0; i < 3; i++) await after.lookAndWait();
    expect(names(dir, job)).toEqual(['0.log']);
    // Nor does the next upkeep take what is young for old.
    after.logs.closeAll();
    const last = logsIn(dir, host);
    last.logs.resume(job, 0);
    for (let i = 0; i < 3; i++) await last.lookAndWait();
    expect(names(dir, job)).toEqual(['0.log']);
    expect(await textOf(last.logs.read(job, {}))).toBe('one\ntwo\n');
    last.logs.closeAll();
    nodeHost().files.closeSync(own);
  });

  it('is that of what came after a rotation, though the log had been quiet long before it', async () => {
    const dir = folder();
    const { host, clock } = slow();
    const { logs, lookAndWait } = logsIn(dir, host);
    const job = hourly();
    const { fd } = logs.open(job, 0);
    writeSync(fd, 'one\n');
    await lookAndWait();
    clock.now += 10_000;
    await lookAndWait();
    clock.now += HOUR;
    await lookAndWait();
    expect(names(dir, job)).toEqual(['0.log']);
    writeSync(fd, 'two\n');
    for (let i = 0; i < 3; i++) await lookAndWait();
    expect(names(dir, job)).toEqual(['0.log']);
    logs.closeAll();
  });

  it('begins anew where the program shortens its log', async () => {
    const dir = folder();
    const { host, clock } = slow();
    const { logs, lookAndWait } = logsIn(dir, host);
    const job = hourly();
    const { fd } = logs.open(job, 0);
    writeSync(fd, 'a long line to begin with\n');
    await lookAndWait();
    clock.now += HOUR - 1;
    host.files.ftruncateSync(fd, 0);
    writeSync(fd, 'short\n');
    await lookAndWait();
    clock.now += HOUR - 1;
    await lookAndWait();
    expect(names(dir, job)).toEqual([]);
    clock.now += 1;
    await lookAndWait();
    expect(segmentsOf(dir, job).map(({ text }) => text)).toEqual(['short\n']);
    logs.closeAll();
  });

  it('counts beside the size, and the segments are those of the least of both', async () => {
    const dir = folder();
    const { host, clock } = slow();
    const { logs, quiet, lookAndWait } = logsIn(dir, host);
    const rotate = [
      { type: 'size', max: 65_536 },
      { type: 'age', interval: HOUR, at: [] },
    ];
    const job = jobWith({ rotate });
    const { fd } = logs.open(job, 0);
    const text = numbered(1500);
    writeSync(fd, text);
    await quiet();
    expect(segmentsOf(dir, job).map((segment) => segment.text.length)).toEqual([65_536, 65_536]);
    clock.now += HOUR + 10_000;
    await lookAndWait();
    expect(segmentsOf(dir, job).map((segment) => segment.text.length)).toEqual([65_536, 65_536, 18_928]);
    expect(await textOf(logs.read(job, {}))).toBe(text);
    logs.closeAll();
  });

  it('counts at a restart too', async () => {
    const dir = folder();
    const { host, clock } = slow();
    const { logs, lookAndWait } = logsIn(dir, host);
    const job = jobWith({ rotate: [{ type: 'age', interval: HOUR, at: [] }] });
    writeSync(logs.open(job, 0).fd, 'zero\n');
    await lookAndWait();
    const second = logs.open(job, 1);
    expect(second.rotated).toBeNull();
    writeSync(second.fd, 'one\n');
    clock.now += HOUR;
    expect(logs.open(job, 2).rotated).not.toBeNull();
    expect(readFileSync(join(folderOf(dir, job), '0.log'), 'utf8')).toBe('zero\none\n');
    logs.closeAll();
  });
});

describe('the look at a log that is to be rotated by the clock', () => {
  it('comes on time, though the log is quiet', () => {
    const dir = folder();
    const { host, clock } = slow();
    const { logs } = logsIn(dir, host);
    const job = hourly();
    const { fd } = logs.open(job, 0);
    writeSync(fd, 'one\n');
    const start = 1_000_000;
    let now = start;
    for (let i = 0; i < 10; i++) now = logs.look(now);
    expect(logs.look(now) - now).toBe(2000);
    clock.now += HOUR - 700;
    expect(logs.look(now + 2000)).toBeCloseTo(now + 2700, 3);
    // And not in a tight loop while the clock creeps.
    clock.now += 699;
    expect(logs.look(now + 2700)).toBeCloseTo(now + 2700 + 2000 / 128, 3);
    logs.closeAll();
  });
});

describe('an incarnation that follows one without output', () => {
  it('goes on in the same file, and it is its own', async () => {
    const dir = folder();
    const { logs, lookAndWait } = logsIn(dir);
    const job = jobWith({ rotate: [{ type: 'restart' }] });
    const first = logs.open(job, 0);
    const second = logs.open(job, 1);
    expect(second).toMatchObject({ file: first.file, rotated: null });
    writeSync(second.fd, 'one\n');
    await lookAndWait();
    expect(logs.open(job, 2).rotated).toEqual(first.file);
    expect(names(dir, job)).toEqual(['1.log']);
    expect(await textOf(logs.read(job, { incarnation: 0 }))).toBe('');
    expect(await textOf(logs.read(job, { incarnation: 1 }))).toBe('one\n');
    logs.closeAll();
  });
});
