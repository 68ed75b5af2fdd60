import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { heartbeatCheck } from '../../plugins/health_heartbeat.ts';
import { isTaken, lookOnce, Place, type Written } from './health_support.ts';

describe('health check heartbeat', () => {
  let place: Place;

  beforeEach(() => {
    place = new Place();
  });
  afterEach(() => place.end());

  /** Looks at the file `beat` of a job that is so many seconds old. */
  function look(age: number, written: Written = { path: 'beat' }): Promise<HealthResult> {
    return lookOnce(heartbeatCheck, written, {
      job: { cwd: place.dir, started_at: Date.now() - age * 1000 },
    });
  }

  /** Touches it so many seconds ago. */
  function touch(age: number, name = 'beat'): void {
    writeFileSync(place.path(name), '');
    const time = Date.now() / 1000 - age;
    utimesSync(place.path(name), time, time);
  }

  it.each<[Written, boolean]>([
    [{ path: 'beat' }, true],
    [{ path: '/run/beat', within: '5m' }, true],
    [{}, false],
    [{ path: '' }, false],
    [{ path: 'beat', within: 30 }, false],
    [{ path: 'beat', within: 0 }, false],
  ])('takes %j: %s', (written, taken) => {
    expect(isTaken(heartbeatCheck, written)).toBe(taken);
  });

  it('passes where it was touched within the time, a minute by default', async () => {
    touch(50);
    const result = await look(3600);
    expect(result).toMatchObject({
      status: 'pass',
      message: expect.stringMatching(/^touched 5\d(\.\d+)?s ago$/),
    });
    expect(result.data?.['age_ms']).toBeGreaterThanOrEqual(50_000);
    expect(await look(3600, { path: place.path('beat'), within: '1h' })).toMatchObject({ status: 'pass' });
  });

  it('fails where it was touched before', async () => {
    touch(70);
    expect(await look(3600)).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/^last touched 1m1\ds ago, not within 1m$/),
    });
    touch(5);
    expect(await look(3600, { path: 'beat', within: '4s' })).toMatchObject({ status: 'fail' });
  });

  it('fails without a file, once the job has had the time', async () => {
    expect(await look(61)).toMatchObject({
      status: 'fail',
      message: 'beat is not there',
      data: { age_ms: null },
    });
    await expect(look(59)).rejects.toThrow(
      'Cannot tell yet as it must have been up for 1m: beat was not touched so far',
    );
  });

  it('takes nothing that an earlier process has touched', async () => {
    touch(3600);
    await expect(look(10)).rejects.toThrow('Cannot tell yet');
    touch(20);
    await expect(look(10)).rejects.toThrow('Cannot tell yet');
    touch(100);
    expect(await look(90)).toMatchObject({
      status: 'fail',
      message: 'beat was not touched since the start, not within 1m',
    });
    touch(5);
    expect(await look(10)).toMatchObject({ status: 'pass' });
  });

  it('cannot tell where the time of the file is to come, unless by a little', async () => {
    touch(-3600);
    await expect(look(7200)).rejects.toThrow('the clock was set back');
    touch(-2);
    expect(await look(7200)).toMatchObject({ status: 'pass', message: 'touched 0s ago' });
  });

  it('takes a folder, and what a link leads to', async () => {
    mkdirSync(place.path('folder'));
    expect(await look(3600, { path: 'folder' })).toMatchObject({ status: 'pass' });
    touch(70, 'real');
    symlinkSync('real', place.path('beat'));
    expect(await look(3600)).toMatchObject({ status: 'fail' });
    touch(1, 'real');
    expect(await look(3600)).toMatchObject({ status: 'pass' });
  });

  it('throws where it cannot look', async () => {
    symlinkSync('circle', place.path('circle'));
    await expect(look(3600, { path: 'circle' })).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(look(3600, { path: 'x'.repeat(300) })).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  });

  it.skipIf(process.getuid?.() === 0)('throws where it may not look (needs not to be root)', async () => {
    mkdirSync(place.path('locked'));
    touch(0, 'locked/beat');
    chmodSync(place.path('locked'), 0);
    await expect(look(3600, { path: 'locked/beat' })).rejects.toMatchObject({ code: 'EACCES' });
    chmodSync(place.path('locked'), 0o700);
  });
});
