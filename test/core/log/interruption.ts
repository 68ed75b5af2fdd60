/**
 * The life of a log in which upkeep dies between any two things it does, as plain functions: they also run where there
 * is no vitest.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { withFaults } from '../../../core/host/fault.ts';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { LogJob, LogPolicy } from '../../../core/log/mod.ts';
import { Fallocate } from './fallocate.ts';
import {
  type Fixture,
  jobWith,
  listing,
  logsIn,
  numbered,
  refusing,
  scratch,
  segmentsOf,
  textOf,
} from './support.ts';

class Died extends Error {}

/** A host on which upkeep dies at its `n`-th fault point: nothing that it does after that happens. */
function mortal(host: Host, n: number): { host: Host; reached(): number } {
  let count = 0;
  const dying = withFaults(host, (call) => {
    // After one call is before the next.
    if (call.endsWith(':done')) return;
    count++;
    if (count >= n) throw new Died();
  });
  return { host: dying, reached: () => count };
}

/** What two incarnations wrote, as far as there were two. */
interface Written {
  first: string;
  second: string;
}

/** The descriptor as a child has it: it stays open whatever upkeep does with its own. */
function inherited(fd: number): number {
  return openSync(`/proc/self/fd/${fd}`, 'a');
}

/** How long time goes on before each look, ms. */
export const PAUSE = 60_000;

/** A host whose clock goes on with `pass`. */
function timed(host: Host): { host: Host; pass(): void } {
  let passed = 0;
  return {
    host: { ...host, clock: { ...host.clock, wall: () => host.clock.wall() + passed } },
    pass: () => {
      passed += PAUSE;
    },
  };
}

/** A life of a log, with everything that upkeep does to one: it may end anywhere. */
async function live(
  { logs, look, lookAndWait }: Fixture,
  job: LogJob,
  written: Written,
  pass: () => void,
): Promise<number[]> {
  let line = 0;
  const say = (to: keyof Written, fd: number, lines: number): void => {
    const text = numbered(lines, line, 50);
    line += lines;
    writeSync(fd, text);
    written[to] += text;
  };
  const fds: number[] = [];
  try {
    const first = logs.open(job, 0);
    fds.push(inherited(first.fd));
    say('first', fds[0] ?? -1, 180);
    pass();
    await lookAndWait();
    say('first', fds[0] ?? -1, 170);
    pass();
    // The restart comes in the middle of a rotation.
    look();
    await new Promise((resolve) => setImmediate(resolve));
    say('first', fds[0] ?? -1, 10);
    fds.push(inherited(logs.open(job, 1).fd));
    say('second', fds[1] ?? -1, 180);
    say('first', fds[0] ?? -1, 10);
    await logs.settled();
    logs.release(job, first.file);
    pass();
    await lookAndWait();
    say('second', fds[1] ?? -1, 20);
    pass();
    await lookAndWait();
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  await logs.settled();
  const fd = fds.at(-1);
  if (fd !== undefined) say(fds.length === 1 ? 'first' : 'second', fd, 30);
  return fds;
}

/** What dies, and on what. */
export interface Interrupted {
  /** The options of `fallocate` that the file system does not have. */
  readonly refuses: readonly string[];
  /** Where the logs are; the usual folder for scratch files where it is undefined. */
  readonly parent: string | undefined;
  readonly policy: Partial<LogPolicy>;
}

/**
 * Lives the life again and again, and dies one step later each time, until it is lived to its end. After each death
 * every byte is there, once; what is too old may be gone, the oldest first.
 *
 * @returns how many deaths that were.
 */
export async function dieEverywhere({ refuses, parent, policy }: Interrupted): Promise<number> {
  const job = jobWith(policy);
  const fallocate = new Fallocate();
  const host = refusing(fallocate.on(nodeHost()), refuses);
  try {
    for (let n = 1; ; n++) {
      const { dir, remove } = scratch(parent);
      try {
        if (!(await dieOnce(dir, job, host, n))) return n - 1;
      } finally {
        remove();
      }
    }
  } finally {
    fallocate.close();
  }
}

/** Returns whether upkeep died. */
async function dieOnce(dir: string, job: LogJob, real: Host, n: number): Promise<boolean> {
  const { compress, max_age } = job.policy;
  const written: Written = { first: '', second: '' };
  const { host, pass } = timed(real);
  const dying = mortal(host, n);
  const dead = logsIn(dir, dying.host);
  const fds = await live(dead, job, written, pass);
  const died = dying.reached() >= n;
  const expectRead = (text: string, all: string, when: string): void => {
    const right = max_age === null ? text === all : all.endsWith(text);
    assert.ok(right, `${when} fault point ${n}: ${text.length} of ${all.length} bytes, ${listing(dir)}`);
  };

  // The next upkeep dies while it clears up; the one after that does not. The process lives on and writes.
  const again = logsIn(dir, mortal(host, 1 + (n % 17)).host);
  try {
    again.logs.resume(job, written.second === '' ? 0 : 1);
    await again.lookAndWait();
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  await again.logs.settled();
  const after = logsIn(dir, host);
  after.logs.resume(job, written.second === '' ? 0 : 1);
  expectRead(await textOf(after.logs.read(job, {})), written.first + written.second, 'at once after');
  pass();
  await after.quiet();
  const fd = fds.at(-1);
  if (fd !== undefined) {
    const more = numbered(200, 500_000, 50);
    writeSync(fd, more);
    written[written.second === '' ? 'first' : 'second'] += more;
  }
  pass();
  await after.quiet();
  for (const file of after.logs.sealed(job, 0)) after.logs.release(job, file);
  await after.quiet();

  const all = written.first + written.second;
  const text = await textOf(after.logs.read(job, {}));
  expectRead(text, all, 'after');
  if (written.second !== '') {
    const second = await textOf(after.logs.read(job, { incarnation: 1 }));
    expectRead(second, written.second, 'incarnation 1 after');
  }
  // Every tool can read the segments, but for what the active log holds after them.
  const segments = segmentsOf(dir, job);
  const inSegments = segments.map((segment) => segment.text).join('');
  assert.ok(text.startsWith(inSegments), `tools, fault point ${n}`);
  const suffix = { none: '.log', gzip: '.log.gz', zstd: '.log.zst' }[compress];
  assert.deepEqual(
    segments.filter(({ name }) => !name.endsWith(suffix)),
    [],
  );
  assert.deepEqual(
    listing(dir).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.deepEqual(
    after.reports.filter(({ code }) => code !== 'LOG_LOSSY'),
    [],
  );
  for (const { logs } of [dead, again, after]) logs.closeAll();
  for (const open of fds) closeSync(open);
  return died;
}
