import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { nodeHost } from '../../../core/host/node_host.ts';
import { until } from '../../support/until.ts';
import {
  type Fixture,
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

// Writes numbered lines as fast as it can.
const WRITER = `
  const fs = require('node:fs');
  const lines = Number(process.argv[1]);
  let n = 0;
  (function write() {
    let text = '';
    for (let i = 0; i < 50; i++, n++) text += String(n).padStart(10, '0') + 'x'.repeat(n % 200) + '\\n';
    fs.writeSync(1, text);
    if (n < lines) setImmediate(write);
  })();
`;

/** Starts a writer with a log as its output; resolves when it has written everything. */
function write(fd: number, lines: number): Promise<void> {
  const child = spawn(process.execPath, ['-e', WRITER, String(lines)], { stdio: ['ignore', fd, 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the writer exited with ${code}`)),
    );
  });
}

/** The lines that a writer wrote. */
function written(lines: number): string {
  let text = '';
  for (let n = 0; n < lines; n++) text += `${String(n).padStart(10, '0')}${'x'.repeat(n % 200)}\n`;
  return text;
}

/** Looks at once and again while something goes on. */
async function lookDuring({ lookAndWait }: Fixture, work: Promise<unknown>): Promise<void> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  while (!over) {
    await lookAndWait();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await ended;
}

describe('live rotation under a writer at full speed', () => {
  it.each([
    { how: 'collapse', makeHost: () => nodeHost(), parent: undefined, shortens: true },
    { how: 'punch', makeHost: () => withoutFallocate('-c'), parent: undefined, shortens: false },
    { how: 'punch on tmpfs', makeHost: () => nodeHost(), parent: SHM, shortens: false },
  ])('has every line exactly once: $how', async ({ makeHost, parent, shortens }) => {
    const dir = folder(parent);
    const fixture = logsIn(dir, makeHost());
    const { logs, reports, quiet } = fixture;
    const job = jobWith({ rotate: [{ type: 'size', max: 262_144 }] });
    const { fd } = logs.open(job, 0);
    await lookDuring(fixture, write(fd, 40_000));
    await quiet();

    expect((await textOf(logs.read(job, {}))) === written(40_000)).toBe(true);
    const segments = segmentsOf(dir, job);
    expect(segments.length).toBeGreaterThan(15);
    for (const { text } of segments) expect(text.length).toBeLessThanOrEqual(262_144);
    const { size, blocks } = statSync(join(folderOf(dir, job), 'current.log'));
    expect(size < 262_144).toBe(shortens);
    expect(blocks * 512).toBeLessThanOrEqual(262_144 + 65_536);
    expect(reports).toEqual([]);
    logs.closeAll();
  });

  it('copies and truncates where nothing else works, and says so once', async () => {
    const dir = folder();
    const fixture = logsIn(dir, withoutFallocate('-c', '-p'));
    const { logs, reports, quiet } = fixture;
    const job = jobWith({ rotate: [{ type: 'size', max: 262_144 }] });
    const { fd } = logs.open(job, 0);
    await lookDuring(fixture, write(fd, 40_000));
    await quiet();

    // Lines can be lost, so that two halves meet; none is doubled, and order holds.
    const numbers = (await textOf(logs.read(job, {}))).match(/^\d{10}/gm)?.map(Number) ?? [];
    expect(numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? 0))).toBe(true);
    expect(numbers.at(-1)).toBe(39_999);
    expect(reports.map(({ code }) => code)).toEqual(['LOG_LOSSY']);
    logs.closeAll();
  });

  it('loses nothing in copying and truncating while nobody writes', async () => {
    const dir = folder();
    const { logs, host, reports, lookAndWait } = logsIn(dir, withoutFallocate('-c', '-p'));
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    let all = '';
    for (let i = 0; i < 6; i++) {
      const text = numbered(1500, i * 1500);
      all += text;
      host.files.writeSync(fd, text);
      await lookAndWait();
    }
    expect(await textOf(logs.read(job, {}))).toBe(all);
    expect(segmentsOf(dir, job).length).toBeGreaterThan(5);
    expect(reports.map(({ code }) => code)).toEqual(['LOG_LOSSY']);
    logs.closeAll();
  });
});

describe('live rotation', () => {
  it('makes several segments of a head far above the size', async () => {
    const dir = folder();
    const { logs, host, lookAndWait } = logsIn(dir);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    const text = numbered(5000);
    host.files.writeSync(fd, text);
    await lookAndWait();
    const segments = segmentsOf(dir, job);
    expect(segments.map(({ name }) => name)).toEqual(
      ['0', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6'].map((stem) => `${stem}.log`),
    );
    expect(segments.every((segment) => segment.text.length === 65_536)).toBe(true);
    const rest = readFileSync(join(folderOf(dir, job), 'current.log'), 'latin1');
    expect(segments.map((segment) => segment.text).join('') + rest).toBe(text);
    logs.closeAll();
  });

  it('goes on with a file that a restart sets aside meanwhile', async () => {
    const dir = folder();
    const fixture = logsIn(dir);
    const { logs, host, look, quiet } = fixture;
    const job = jobWith({ rotate: [{ type: 'restart' }, { type: 'size', max: 131_072 }] });
    const writers: Promise<void>[] = [];
    for (let incarnation = 0; incarnation < 8; incarnation++) {
      const copying = () => listing(dir).some((name) => name.endsWith('.log.tmp'));
      const before = segmentsOf(dir, job).length;
      const counting = (n: number) => segmentsOf(dir, job).length >= before + n;
      const { fd, file } = logs.open(job, incarnation);
      writers.push(write(fd, 6_000));
      // The next restart comes at some instant of a rotation that nobody waits for, with the writer still at work.
      await until(() => host.files.fstatSync(fd).size > 262_144);
      look();
      const stages = [() => true, copying, () => counting(1), () => counting(2) && copying()];
      // It is there for a moment only: looked for in each turn of the event loop.
      while (!(stages[incarnation % stages.length] ?? copying)()) await turn();
      expect(logs.activeFile(job.job_id)).toEqual(file);
    }
    await lookDuring(fixture, Promise.all(writers));
    await quiet();

    for (let incarnation = 0; incarnation < 8; incarnation++) {
      expect((await textOf(logs.read(job, { incarnation }))) === written(6_000)).toBe(true);
    }
    expect(segmentsOf(dir, job).length).toBeGreaterThan(8);
    logs.closeAll();
  });

  it('leaves no unfinished file behind', async () => {
    const dir = folder();
    const { logs, host, quiet } = logsIn(dir);
    const { fd } = logs.open(jobWith(), 0);
    host.files.writeSync(fd, numbered(5000));
    await quiet();
    expect(listing(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    logs.closeAll();
  });
});
