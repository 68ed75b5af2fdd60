import { writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { LogJob, Logs } from '../../../core/log/mod.ts';
import { FOLLOWED_DELAY } from '../../../core/log/schedule.ts';
import type { LogQuery } from '../../../core/supervisor/control.ts';
import { until } from '../../support/until.ts';
import { hostWith, inScratch, jobWith, logsIn, numbered, numbersIn } from './support.ts';

let dir: string;
inScratch((made) => {
  dir = made;
});

/** Follows a log in the background. */
function follow(logs: Logs, job: LogJob, query: LogQuery = {}) {
  const abort = new AbortController();
  const seen = { text: '', ended: false };
  const over = (async () => {
    for await (const chunk of logs.follow(job, query, abort.signal))
      seen.text += Buffer.from(chunk).toString('latin1');
    seen.ended = true;
  })();
  const end = (): Promise<void> => {
    abort.abort();
    return over;
  };
  return { seen, end };
}

/** A host that tells of each read through a handle. */
function tellingReads(told: () => void): Host {
  const { files } = nodeHost();
  const open: typeof files.promises.open = async (...how) => {
    const handle = await files.promises.open(...how);
    const read = handle.read.bind(handle) as (...args: unknown[]) => unknown;
    return Object.assign(handle, {
      read: (...args: unknown[]) => {
        told();
        return read(...args);
      },
    });
  };
  return hostWith({ files: { ...files, promises: { ...files.promises, open } } });
}

describe('following a log', () => {
  it('reads once what any number of followers wait for, and gives it to each of them', async () => {
    let reads = 0;
    const { logs, look } = logsIn(
      dir,
      tellingReads(() => {
        reads += 1;
      }),
    );
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    const followers = Array.from({ length: 20 }, () => follow(logs, job));
    writeSync(fd, 'first\n');
    const allHave = async (text: string): Promise<void> => {
      await until(() => {
        look();
        return followers.every(({ seen }) => seen.text === text);
      });
      // They wait again, all at the same place.
      await new Promise((resolve) => setImmediate(resolve));
    };
    await allHave('first\n');
    reads = 0;
    writeSync(fd, 'second\n');
    await allHave('first\nsecond\n');
    expect(reads).toBe(1);
    await Promise.all(followers.map(({ end }) => end()));
    logs.closeAll();
  });

  it('gives what is there and then what comes, over rotations and restarts, each byte once', async () => {
    const { logs, look, quiet } = logsIn(dir);
    const job = jobWith({ compress: 'gzip' });
    let { fd } = logs.open(job, 0);
    writeSync(fd, numbered(1500));
    const { seen, end } = follow(logs, job);
    let line = 1500;
    for (let i = 1; i < 60; i++) {
      if (i % 12 === 0) {
        const opened = logs.open(job, i / 12);
        if (opened.rotated !== null) logs.release(job, opened.rotated);
        fd = opened.fd;
      }
      writeSync(fd, numbered(200, line));
      line += 200;
      // Looks do not wait for the rotations that they begin.
      look();
      await new Promise((resolve) => setTimeout(resolve, i % 5));
    }
    await until(() => {
      look();
      return seen.text.length >= line * 100;
    });
    expect(numbersIn(seen.text)).toEqual(Array.from({ length: line }, (_, i) => i));
    await end();
    expect(seen.ended).toBe(true);
    await quiet();
    logs.closeAll();
  });

  it('gives a slow reader what was rotated away under it', async () => {
    const { logs, quiet } = logsIn(dir);
    for (const compress of ['gzip', 'none'] as const) {
      const job = jobWith({ compress }, compress);
      const { fd } = logs.open(job, 0);
      writeSync(fd, numbered(3000));
      const reading = logs.read(job, {})[Symbol.asyncIterator]();
      let text = '';
      // A chunk, then a rotation, then the next chunk.
      for (let line = 3000; ; line += 700) {
        const { value, done } = await reading.next();
        if (done) break;
        text += Buffer.from(value).toString('latin1');
        if (line < 6000) writeSync(fd, numbered(700, line));
        await quiet();
      }
      expect(numbersIn(text)).toEqual(Array.from({ length: 6500 }, (_, i) => i));
    }
    logs.closeAll();
  });

  it('begins with the last lines where that is asked for', async () => {
    const { logs, look } = logsIn(dir);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    writeSync(fd, numbered(1000));
    const { seen, end } = follow(logs, job, { tail: 3 });
    await until(() => seen.text.length === 300);
    writeSync(fd, numbered(2, 1000));
    await until(() => {
      look();
      return seen.text.length === 500;
    });
    expect(numbersIn(seen.text)).toEqual([997, 998, 999, 1000, 1001]);
    await end();
    logs.closeAll();
  });

  it('gives only lines that match, a line only once it is whole', async () => {
    const { logs, look } = logsIn(dir);
    const job = jobWith();
    const { fd } = logs.open(job, 0);
    writeSync(fd, 'error 1\nfine\nerror 2\nerror 3\n');
    const { seen, end } = follow(logs, job, { grep: 'error', tail: 2 });
    await until(() => seen.text === 'error 2\nerror 3\n');
    writeSync(fd, 'another er');
    look();
    writeSync(fd, 'ror\nfine\n');
    await until(() => {
      look();
      return seen.text === 'error 2\nerror 3\nanother error\n';
    });
    await end();
    logs.closeAll();
  });

  it('ends with its incarnation where it is for one', async () => {
    const { logs, look } = logsIn(dir);
    for (const rotate of [[{ type: 'restart' }], []]) {
      const job = jobWith({ rotate }, `j${rotate.length}`);
      const first = logs.open(job, 0);
      const { seen, end } = follow(logs, job, { incarnation: 0 });
      writeSync(first.fd, 'mine\n');
      await until(() => {
        look();
        return seen.text === 'mine\n';
      });
      expect(seen.ended).toBe(false);
      writeSync(first.fd, 'mine too\n');
      writeSync(logs.open(job, 1).fd, 'not mine\n');
      await until(() => {
        look();
        return seen.ended;
      });
      expect(seen.text).toBe('mine\nmine too\n');
      await end();
    }
    logs.closeAll();
  });

  it('waits for a log that is not there yet', async () => {
    const { logs, look } = logsIn(dir);
    const job = jobWith();
    const { seen, end } = follow(logs, job);
    await new Promise((resolve) => setImmediate(resolve));
    writeSync(logs.open(job, 0).fd, 'here\n');
    await until(() => {
      look();
      return seen.text === 'here\n';
    });
    await end();
    logs.closeAll();
  });

  it('ends at once when it is called off, at any time', async () => {
    const { logs } = logsIn(dir);
    const job = jobWith();
    const waiting = follow(logs, job);
    await waiting.end();
    expect(waiting.seen).toEqual({ text: '', ended: true });
    const { fd } = logs.open(job, 0);
    writeSync(fd, 'x\n');
    const early = follow(logs, job);
    await early.end();
    expect(early.seen.ended).toBe(true);
    logs.closeAll();
  });

  it('has the log looked at soon, and seldom again when nobody follows any more', async () => {
    const fixture = logsIn(dir);
    const { host, logs } = fixture;
    const job = jobWith();
    logs.open(job, 0);
    let now = host.clock.mono();
    const lookSpan = (): number => {
      now += 3000;
      return logs.look(now) - now;
    };
    for (let i = 0; i < 5; i++) lookSpan();
    await logs.settled();
    const { end } = follow(logs, job);
    await until(() => fixture.wakes.length > 0 && lookSpan() <= FOLLOWED_DELAY);
    await end();
    for (let i = 0; i < 8; i++) lookSpan();
    now = Math.ceil(now / 2000) * 2000;
    expect(logs.look(now) - now).toBe(2000);
    logs.closeAll();
  });
});
