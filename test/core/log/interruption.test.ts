import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { withFaults } from '../../../core/host/fault.ts';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { LogJob } from '../../../core/log/mod.ts';
import {
  type Fixture,
  jobWith,
  listing,
  logsIn,
  numbered,
  scratch,
  segmentsOf,
  textOf,
  withoutFallocate,
} from './support.ts';

const folders: { remove(): void }[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

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

/** A life of a log, with everything that upkeep does to one: it may end anywhere. */
async function live({ logs, look, lookAndWait }: Fixture, job: LogJob, written: Written): Promise<number[]> {
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
    await lookAndWait();
    say('first', fds[0] ?? -1, 170);
    // The restart comes in the middle of a rotation.
    look();
    await new Promise((resolve) => setImmediate(resolve));
    say('first', fds[0] ?? -1, 10);
    fds.push(inherited(logs.open(job, 1).fd));
    say('second', fds[1] ?? -1, 180);
    say('first', fds[0] ?? -1, 10);
    await logs.settled();
    logs.release(job, first.file);
    await lookAndWait();
    say('second', fds[1] ?? -1, 20);
    await lookAndWait();
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  await logs.settled();
  const fd = fds.at(-1);
  if (fd !== undefined) say(fds.length === 1 ? 'first' : 'second', fd, 30);
  return fds;
}

const SHM = existsSync('/dev/shm') ? '/dev/shm' : undefined;

describe('upkeep killed between any two things it does to a log', () => {
  it.each([
    { how: 'collapse', makeHost: () => nodeHost(), parent: undefined, compress: 'gzip' },
    { how: 'punch', makeHost: () => withoutFallocate('-c'), parent: SHM, compress: 'none' },
    { how: 'truncate', makeHost: () => withoutFallocate('-c', '-p'), parent: SHM, compress: 'gzip' },
  ] as const)(
    'keeps every byte: $how, compress $compress',
    { timeout: 600_000 },
    async ({ makeHost, parent, compress }) => {
      const job = jobWith({ rotate: [{ type: 'restart' }, { type: 'size', max: 8_192 }], compress });
      let ends = 0;
      for (let n = 1; ; n++) {
        const made = scratch(parent);
        folders.push(made);
        const { dir } = made;
        const written: Written = { first: '', second: '' };
        const dying = mortal(makeHost(), n);
        const dead = logsIn(dir, dying.host);
        const fds = await live(dead, job, written);
        const died = dying.reached() >= n;

        // The next upkeep dies while it clears up; the one after that does not. The process lives on and writes.
        const again = logsIn(dir, mortal(makeHost(), 1 + (n % 17)).host);
        try {
          again.logs.resume(job, written.second === '' ? 0 : 1);
          await again.lookAndWait();
        } catch (error) {
          if (!(error instanceof Died)) throw error;
        }
        await again.logs.settled();
        const after = logsIn(dir, makeHost());
        after.logs.resume(job, written.second === '' ? 0 : 1);
        expect(await textOf(after.logs.read(job, {})), `at once after fault point ${n}`).toBe(
          written.first + written.second,
        );
        await after.quiet();
        const fd = fds.at(-1);
        if (fd !== undefined) {
          const more = numbered(200, 500_000, 50);
          writeSync(fd, more);
          written[written.second === '' ? 'first' : 'second'] += more;
        }
        await after.quiet();
        for (const file of after.logs.sealed(job, 0)) after.logs.release(job, file);
        await after.quiet();

        const all = written.first + written.second;
        expect(await textOf(after.logs.read(job, {})), `after fault point ${n}`).toBe(all);
        if (written.second !== '')
          expect(await textOf(after.logs.read(job, { incarnation: 1 }))).toBe(written.second);
        // Every tool can read the segments, but for what the active log holds after them.
        expect(
          all.startsWith(
            segmentsOf(dir, job)
              .map(({ text }) => text)
              .join(''),
          ),
          `tools, fault point ${n}`,
        ).toBe(true);
        expect(listing(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
        expect(after.reports.filter(({ code }) => code !== 'LOG_LOSSY')).toEqual([]);
        dead.logs.closeAll();
        again.logs.closeAll();
        after.logs.closeAll();
        for (const open of fds) closeSync(open);
        made.remove();
        if (!died) break;
        ends = n;
      }
      expect(ends).toBeGreaterThan(40);
    },
  );
});
