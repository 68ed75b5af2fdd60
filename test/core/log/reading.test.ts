import { rmSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import {
  folderOf,
  inScratch,
  jobWith,
  logsIn,
  numbered,
  numbersIn,
  range,
  segmentsOf,
  textOf,
  threeIncarnations,
} from './support.ts';

let dir: string;
inScratch((made) => {
  dir = made;
});

/** A host whose wall clock a test sets, ms since the epoch. */
function hostAt(): { host: Host; clock: { wall: number } } {
  const host = nodeHost();
  const clock = { wall: 1_700_000_000_000 };
  const { mono, timer } = host.clock;
  return {
    host: {
      ...host,
      clock: { mono: () => mono.call(host.clock), timer: timer.bind(host.clock), wall: () => clock.wall },
    },
    clock,
  };
}

describe.each(['gzip', 'none'] as const)(
  'reading a log of several incarnations and segments, compress %s',
  (compress) => {
    async function written() {
      const fixture = logsIn(dir);
      return { ...fixture, job: await threeIncarnations(fixture, compress) };
    }

    it('gives everything in order', async () => {
      const { logs, job } = await written();
      expect(numbersIn(await textOf(logs.read(job, {})))).toEqual(range(0, 9000));
      const plain = segmentsOf(dir, job).filter(({ name }) => name.endsWith('.log'));
      expect(plain.length > 0).toBe(compress === 'none');
      logs.closeAll();
    });

    it.each([0, 1, 2])('gives incarnation %i alone', async (incarnation) => {
      const { logs, job } = await written();
      const numbers = numbersIn(await textOf(logs.read(job, { incarnation })));
      expect(numbers).toEqual(range(incarnation * 3000, incarnation * 3000 + 3000));
      expect(await textOf(logs.read(job, { incarnation: 7 }))).toBe('');
      logs.closeAll();
    });

    it.each([0, 1, 5, 700, 1400, 3500, 8999, 9000, 20_000])('gives the last %i lines', async (tail) => {
      const { logs, job } = await written();
      const numbers = numbersIn(await textOf(logs.read(job, { tail })));
      expect(numbers).toEqual(range(Math.max(0, 9000 - tail), 9000));
      logs.closeAll();
    });

    it('gives the last lines of one incarnation', async () => {
      const { logs, job } = await written();
      expect(numbersIn(await textOf(logs.read(job, { tail: 10, incarnation: 1 })))).toEqual(
        range(5990, 6000),
      );
      expect(numbersIn(await textOf(logs.read(job, { tail: 2000, incarnation: 0 })))).toEqual(
        range(1000, 3000),
      );
      expect(await textOf(logs.read(job, { tail: 10, incarnation: 9 }))).toBe('');
      logs.closeAll();
    });

    it('gives the lines that contain a text, and the last of those', async () => {
      const { logs, job } = await written();
      // A line that is cut in two by a segment's end is one line.
      const all = numbersIn(await textOf(logs.read(job, { grep: '77' })));
      expect(all).toEqual(range(0, 9000).filter((n) => String(n).includes('77')));
      expect(numbersIn(await textOf(logs.read(job, { grep: '77', tail: 3 })))).toEqual(all.slice(-3));
      expect(numbersIn(await textOf(logs.read(job, { grep: '77', incarnation: 1 })))).toEqual(
        all.filter((n) => n >= 3000 && n < 6000),
      );
      logs.closeAll();
    });

    it('gives the last lines at once', async () => {
      const { logs, job } = await written();
      const numbersOf = (lines: string[]) => numbersIn(`${lines.join('\n')}\n`);
      expect(numbersOf(logs.tail(job, null, 20))).toEqual(range(8980, 9000));
      expect(numbersOf(logs.tail(job, 0, 20))).toEqual(range(2980, 3000));
      expect(numbersOf(logs.tail(job, 1, 500))).toEqual(range(5500, 6000));
      expect(numbersOf(logs.tail(job, 2, 3))).toEqual(range(8997, 9000));
      expect(logs.tail(job, 3, 5)).toEqual([]);
      // Never more than the last 64 KiB, and so not all of ten thousand lines.
      expect(logs.tail(job, null, 10_000).join('\n').length).toBeLessThanOrEqual(65_536);
      logs.closeAll();
    });

    it('goes on where a segment disappears while it is read', async () => {
      const { logs, job } = await written();
      const reading = logs.read(job, {})[Symbol.asyncIterator]();
      const first = await reading.next();
      for (const { name } of segmentsOf(dir, job).slice(1, 4)) rmSync(join(folderOf(dir, job), name));
      let text = Buffer.from(first.value ?? '').toString('latin1');
      for (;;) {
        const { value, done } = await reading.next();
        if (done) break;
        text += Buffer.from(value).toString('latin1');
      }
      const numbers = text.match(/^\d{10}(?=x{89}$)/gm)?.map(Number) ?? [];
      expect(numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? 0))).toBe(true);
      expect(numbers[0]).toBe(0);
      expect(numbers.at(-1)).toBe(8999);
      expect(numbers.length).toBeLessThan(8000);
      logs.closeAll();
    });
  },
);

describe('a log without restart rotation', () => {
  it('knows which incarnation wrote what in one file', async () => {
    const { logs, lookAndWait } = logsIn(dir);
    const job = jobWith({ rotate: [{ type: 'size', max: 65_536 }] });
    const files = new Set<bigint>();
    for (let incarnation = 0; incarnation < 4; incarnation++) {
      const { fd, file, rotated } = logs.open(job, incarnation);
      files.add(file.ino);
      expect(rotated).toBeNull();
      writeSync(fd, numbered(500, incarnation * 500));
      await lookAndWait();
    }
    expect(files.size).toBe(1);
    expect(segmentsOf(dir, job).length).toBeGreaterThan(1);
    for (let incarnation = 0; incarnation < 4; incarnation++) {
      const expected = range(incarnation * 500, incarnation * 500 + 500);
      expect(numbersIn(await textOf(logs.read(job, { incarnation })))).toEqual(expected);
      expect(numbersIn(await textOf(logs.read(job, { incarnation, tail: 7 })))).toEqual(expected.slice(-7));
      expect(numbersIn(`${logs.tail(job, incarnation, 7).join('\n')}\n`)).toEqual(expected.slice(-7));
    }
    logs.closeAll();
    // The same after a restart of upkeep, from what lies in the folder.
    const again = logsIn(dir);
    expect(numbersIn(await textOf(again.logs.read(job, { incarnation: 2 })))).toEqual(range(1000, 1500));
    again.logs.closeAll();
  });
});

describe('reading since a time', () => {
  it('begins with the first line that may be newer, whatever was rotated since', async () => {
    const { host, clock } = hostAt();
    const { logs, lookAndWait, quiet } = logsIn(dir, host);
    const job = jobWith({ compress: 'gzip' });
    const begin = clock.wall;
    let { fd } = logs.open(job, 0);
    // Every ten seconds 400 lines of 100 bytes; a restart after every fifth time.
    for (let i = 0; i < 20; i++) {
      clock.wall = begin + i * 10_000;
      if (i > 0 && i % 5 === 0) {
        const opened = logs.open(job, i / 5);
        if (opened.rotated !== null) logs.release(job, opened.rotated);
        fd = opened.fd;
      }
      writeSync(fd, numbered(400, i * 400));
      utimesSync(join(folderOf(dir, job), 'current.log'), clock.wall / 1000, clock.wall / 1000);
      clock.wall += 1000;
      await lookAndWait();
    }
    await quiet();
    expect(segmentsOf(dir, job).length).toBeGreaterThan(8);

    for (let i = 0; i < 20; i++) {
      const numbers = numbersIn(await textOf(logs.read(job, { since: begin + i * 10_000 - 2000 })));
      // All that is newer is there, and of what is older no more than the index cannot tell apart.
      expect(numbers.at(-1)).toBe(7999);
      expect(numbers[0]).toBeLessThanOrEqual(i * 400);
      expect(numbers[0]).toBeGreaterThanOrEqual((i - 1) * 400 - 1);
      expect(numbers).toEqual(range(numbers[0] ?? 0, 8000));
    }
    expect(await textOf(logs.read(job, { since: clock.wall + 1 }))).toBe('');
    const some = numbersIn(await textOf(logs.read(job, { since: begin + 150_000, tail: 5 })));
    expect(some).toEqual(range(7995, 8000));
    // More lines are asked for than there are since then.
    const bounded = numbersIn(await textOf(logs.read(job, { since: begin + 185_000, tail: 5000 })));
    expect(bounded[0]).toBeGreaterThan(7000);
    logs.closeAll();
  });

  it('does not begin within a line that was being written', async () => {
    const { host, clock } = hostAt();
    const { logs, lookAndWait } = logsIn(dir, host);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    writeSync(fd, 'old\nhalf a ');
    clock.wall += 10_000;
    await lookAndWait();
    const between = clock.wall + 1;
    writeSync(fd, 'line\nnew\n');
    utimesSync(join(folderOf(dir, job), 'current.log'), clock.wall / 1000 + 10, clock.wall / 1000 + 10);
    expect(await textOf(logs.read(job, { since: between }))).toBe('half a line\nnew\n');
    logs.closeAll();
  });
});

describe('a log that is not there', () => {
  it('is empty', async () => {
    const { logs } = logsIn(dir);
    expect(await textOf(logs.read(jobWith(), {}))).toBe('');
    expect(await textOf(logs.read(jobWith(), { tail: 5, grep: 'x', since: 1, incarnation: 3 }))).toBe('');
    expect(logs.tail(jobWith(), null, 5)).toEqual([]);
    expect(logs.activeFile('j1')).toBeNull();
  });
});
