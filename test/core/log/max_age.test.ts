import { statSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../../core/host/node_host.ts';
import { folderOf, jobWith, listing, logsIn, scratch, segmentsOf, textOf } from './support.ts';

const HOUR = 3_600_000;

let dir: string;
let remove: () => void;
let now: number;
beforeEach(() => {
  ({ dir, remove } = scratch());
  now = Date.now();
});
afterEach(() => remove());

const real = nodeHost();
const host = { ...real, clock: { ...real.clock, wall: () => now } };
const job = jobWith({ rotate: [{ type: 'restart' }], max_age: 24 * HOUR });

const names = () => segmentsOf(dir, job).map(({ name }) => name);

/** A log whose segments 0, 1 and 2 were last written to three, two and one hours ago. */
function threeSegments() {
  const fixture = logsIn(dir, host);
  for (let incarnation = 0; incarnation < 4; incarnation++) {
    const { fd, rotated } = fixture.logs.open(job, incarnation);
    if (rotated !== null) fixture.logs.release(job, rotated);
    writeSync(fd, `${incarnation}\n`);
  }
  for (const [name, age] of [
    ['0', 3],
    ['1', 2],
    ['2', 1],
  ] as const) {
    const at = (now - age * HOUR) / 1000;
    utimesSync(join(folderOf(dir, job), `${name}.log`), at, at);
  }
  return fixture;
}

describe('segments that are kept for a time', () => {
  it('go one by one when they become too old, and nothing else does', async () => {
    const { logs, quiet } = threeSegments();
    await quiet();
    expect(names()).toEqual(['0.log', '1.log', '2.log']);
    now += 21 * HOUR - 1000;
    await quiet();
    expect(names()).toEqual(['0.log', '1.log', '2.log']);
    now += 2000;
    await quiet();
    expect(names()).toEqual(['1.log', '2.log']);
    expect(listing(dir).filter((name) => name.includes('/0.'))).toEqual([]);
    now += HOUR;
    await quiet();
    expect(names()).toEqual(['2.log']);
    // The active log stays, however old it is.
    now += 1000 * HOUR;
    await quiet();
    expect(await textOf(logs.read(job, {}))).toBe('3\n');
    logs.closeAll();
  });

  it('are as old compressed as they were before', async () => {
    const packed = { ...job, policy: { ...job.policy, compress: 'gzip' as const } };
    const fixture = threeSegments();
    fixture.logs.closeAll();
    const { logs, quiet } = logsIn(dir, host);
    logs.resume(packed, 3);
    for (const file of logs.sealed(packed, 0)) logs.release(packed, file);
    await quiet();
    expect(names()).toEqual(['0.log.gz', '1.log.gz', '2.log.gz']);
    expect(statSync(join(folderOf(dir, job), '0.log.gz')).mtimeMs).toBeCloseTo(now - 3 * HOUR, -3);
    now += 22 * HOUR + 1;
    await quiet();
    expect(names()).toEqual(['2.log.gz']);
    logs.closeAll();
  });

  it('go while the job is at rest, by a look that comes then and no sooner', async () => {
    const { logs, quiet } = threeSegments();
    await quiet();
    logs.close(job.job_id);
    let mono = host.clock.mono() + 3_600_000_000;
    for (let i = 0; i < 3; i++) logs.look(mono);
    await logs.settled();
    const next = logs.look(mono);
    expect(next - mono).toBeGreaterThan(20 * HOUR);
    expect(next - mono).toBeLessThanOrEqual(21 * HOUR);
    now += 21 * HOUR;
    mono = next;
    logs.look(mono);
    await logs.settled();
    expect(names()).toEqual(['1.log', '2.log']);
    logs.closeAll();
  });

  it('go though upkeep was started anew and nothing has opened the log', async () => {
    const fixture = threeSegments();
    await fixture.quiet();
    fixture.logs.closeAll();
    now += 22 * HOUR;
    const { logs, quiet } = logsIn(dir, host);
    await quiet();
    expect(names()).toEqual(['0.log', '1.log', '2.log']);
    logs.tend(job);
    await quiet();
    expect(names()).toEqual(['2.log']);
    logs.closeAll();
  });

  it('are emptied, not removed, where somebody may still write to them', async () => {
    const { logs, quiet } = logsIn(dir, host);
    const first = logs.open(job, 0);
    writeSync(first.fd, 'old\n');
    const survivor = real.files.openSync(`/proc/self/fd/${first.fd}`, 'a');
    writeSync(logs.open(job, 1).fd, 'new\n');
    now += 25 * HOUR;
    await quiet();
    expect(names()).toEqual(['0.log']);
    expect(await textOf(logs.read(job, {}))).toBe('new\n');
    writeSync(survivor, 'late\n');
    expect(await textOf(logs.read(job, { incarnation: 0 }))).toBe('late\n');
    real.files.closeSync(survivor);
    logs.closeAll();
  });

  it('stay where nothing is said about their age', async () => {
    const { logs, quiet } = threeSegments();
    logs.closeAll();
    const forever = { ...job, policy: { ...job.policy, max_age: null } };
    const again = logsIn(dir, host);
    again.logs.resume(forever, 3);
    now += 10_000 * HOUR;
    await again.quiet();
    expect(names()).toEqual(['0.log', '1.log', '2.log']);
    again.logs.closeAll();
    await quiet();
  });
});
