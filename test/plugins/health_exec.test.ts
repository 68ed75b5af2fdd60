import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linuxProcesses } from '../../core/host/linux_processes.ts';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { execCheck } from '../../plugins/health_exec.ts';
import { until } from '../support/until.ts';
import { has, isTaken, lookOnce, Place, type Wishes, type Written } from './health_support.ts';

const STOCK = '/usr/lib/nagios/plugins';

describe('health check exec', () => {
  let place: Place;

  beforeEach(() => {
    place = new Place();
  });
  afterEach(() => place.end());

  const look = (run: unknown, wishes?: Wishes): Promise<HealthResult> =>
    lookOnce(execCheck, { run }, { job: { cwd: place.dir }, ...wishes });

  it.each<[Written, boolean]>([
    [{ run: 'true' }, true],
    [{ run: ['check_load', '-w', 5] }, true],
    [{}, false],
    [{ run: '' }, false],
    [{ run: [] }, false],
    [{ run: [''] }, false],
    [{ run: 5 }, false],
    [{ run: 'true', cwd: '/' }, false],
  ])('takes %j: %s', (written, taken) => {
    expect(isTaken(execCheck, written)).toBe(taken);
  });

  it.each([
    [0, 'pass'],
    [1, 'warn'],
    [2, 'fail'],
  ])('exit code %i says %s', async (code, status) => {
    expect(await look(`echo "A line | a=1"; exit ${code}`)).toEqual({
      status,
      message: 'A line',
      data: {
        exit_code: code,
        response_ms: expect.any(Number),
        perfdata: [{ label: 'a', value: 1, unit: '', warn: null, crit: null, min: null, max: null }],
      },
    });
  });

  it.each([3, 4, 126, 127, 255])('exit code %i says that it could not tell', async (code) => {
    await expect(look(`echo what; echo why >&2; exit ${code}`)).rejects.toThrow(
      `Cannot use the answer of /bin/sh as it must end with 0, 1 or 2: it ended with ${code}: what; why`,
    );
  });

  it('a signal says that it could not tell', async () => {
    await expect(look('kill -TERM $$')).rejects.toThrow('a signal ended it');
  });

  it('a program that is missing, or is none, or has no folder to run in, could not tell', async () => {
    await expect(look(['no-such-program'])).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(look('no-such-program')).rejects.toThrow(/it ended with 127: .*not found/);
    writeFileSync(place.path('text'), 'text');
    await expect(look(['./text'])).rejects.toMatchObject({ code: 'EACCES' });
    await expect(look('true', { job: { cwd: '/no/such' } })).rejects.toThrow('there is no folder /no/such');
  });

  it('runs a list as it is, in the folder of the action', async () => {
    expect(await look(['echo', '$HOME', '*'])).toMatchObject({ message: '$HOME *' });
    expect(await look('pwd')).toMatchObject({ message: place.dir });
    writeFileSync(place.path('mine'), '#!/bin/sh\necho from here\n', { mode: 0o755 });
    expect(await look(['./mine'])).toMatchObject({ message: 'from here' });
  });

  it('keeps the further lines, and the figures among them', async () => {
    const result = await look('printf "OK | a=1\\nmore\\nlast | b=2\\nc=3\\n"');
    expect(result).toMatchObject({
      message: 'OK',
      data: { details: 'more\nlast', perfdata: [{ label: 'a' }, { label: 'b' }, { label: 'c' }] },
    });
  });

  it('has something to say where the program has nothing', async () => {
    expect(await look('exit 2')).toMatchObject({ status: 'fail', message: 'ended with 2' });
    expect(await look('echo trouble >&2; exit 2')).toMatchObject({ status: 'fail', message: 'trouble' });
    expect(await look('printf "\\377\\0\\001"')).toMatchObject({ status: 'pass', message: 'ended with 0' });
  });

  it('is not carried away by endless output', async () => {
    const result = await look('echo OK; head -c 5000000 /dev/zero | tr "\\0" x');
    expect(result).toMatchObject({ status: 'pass', message: 'OK' });
    expect(String(result.data?.['details'])).toHaveLength(4096);
  });

  it('is given nothing to read', async () => {
    expect(await look('cat; echo over')).toMatchObject({ message: 'over' });
  });

  it('ends all that was started when it is called off, and says nothing of the service', async () => {
    const controller = new AbortController();
    const looking = look('sleep 1000 & echo $! $$ > pids; echo done >> pids; wait', {
      signal: controller.signal,
    });
    const failed = expect(looking).rejects.toMatchObject({ code: 'ABORT_ERR' });
    await until(() => text('pids').includes('done'));
    controller.abort();
    await failed;
    await gone(text('pids'));
  });

  it('ends what a program leaves behind', async () => {
    expect(await look('sleep 1000 >/dev/null 2>&1 & echo $!')).toMatchObject({ status: 'pass' });
    const { message } = await look('sleep 1000 >/dev/null 2>&1 & echo $!');
    await gone(message);
  });

  it('ends what a program leaves behind with its output, once the look is called off', async () => {
    const controller = new AbortController();
    const looking = look('sleep 1000 & echo $! > pids; echo $$ done >> pids', { signal: controller.signal });
    const failed = expect(looking).rejects.toMatchObject({ code: 'ABORT_ERR' });
    await until(() => text('pids').includes('done'));
    const [, shell = ''] = text('pids').split('\n');
    await gone(shell.replace(' done', ''));
    controller.abort();
    await failed;
    await gone(text('pids').split('\n')[0] ?? '');
  });

  function text(name: string): string {
    return existsSync(place.path(name)) ? readFileSync(place.path(name), 'utf8') : '';
  }

  async function gone(pids: string): Promise<void> {
    const processes = linuxProcesses();
    for (const pid of pids.match(/\d+/g) ?? []) {
      expect(Number(pid)).toBeGreaterThan(1);
      await until(() => processes.stat(Number(pid)) === null);
    }
  }

  describe.skipIf(!existsSync(`${STOCK}/check_http`))('stock monitoring plugins (needs them)', () => {
    it.skipIf(!has('nginx'))('check_http and check_tcp, at a real nginx (needs nginx)', async () => {
      const port = await place.freePort();
      const nginx = place.startNginx(port);
      const http = [`${STOCK}/check_http`, '-H', '127.0.0.1', '-p', port, '-u'];
      await until(async () => (await look([...http, '/ok'])).status === 'pass');
      const well = await look([...http, '/ok']);
      expect(well.message).toMatch(/^HTTP OK: HTTP\/1.1 200 OK - \d+ bytes in [\d.]+ second response time$/);
      expect(well.data?.['perfdata']).toMatchObject([
        { label: 'time', unit: 's', min: 0, max: 10 },
        { label: 'size', unit: 'B', min: 0 },
      ]);
      expect(await look([...http, '/none'])).toMatchObject({
        status: 'warn',
        message: expect.stringMatching(/^HTTP WARNING: HTTP\/1.1 404 Not Found/),
      });
      nginx.kill('SIGKILL');
      await once(nginx, 'exit');
      expect(await look([...http, '/ok'])).toMatchObject({
        status: 'fail',
        message: expect.stringMatching(/refused|HTTP CRITICAL/),
      });
    });

    it.skipIf(!has('redis-server'))('check_tcp, at a real redis (needs redis-server)', async () => {
      const port = await place.freePort();
      const redis = place.startRedis('--port', `${port}`, '--bind', '127.0.0.1');
      const ping = `${STOCK}/check_tcp -H 127.0.0.1 -p ${port} -E -s 'PING\\r\\n' -e '+PONG' -t 1`;
      await until(async () => (await look(ping)).status === 'pass');
      const well = await look(ping);
      expect(well.message).toMatch(/^TCP OK - [\d.]+ second response time on 127.0.0.1 port \d+ \[\+PONG\]$/);
      expect(well.data?.['perfdata']).toMatchObject([{ label: 'time', unit: 's' }]);
      redis.kill('SIGSTOP');
      expect(await look(ping)).toMatchObject({
        status: 'fail',
        message: expect.stringMatching(/^CRITICAL - Socket timeout after 1 seconds$/),
      });
      redis.kill('SIGKILL');
      await once(redis, 'exit');
      expect(await look(ping)).toMatchObject({ status: 'fail' });
    });

    it('check_procs, check_load and check_disk, on this machine', async () => {
      const procs = await look([`${STOCK}/check_procs`, '-c', '1:100000']);
      expect(procs).toMatchObject({
        status: 'pass',
        message: expect.stringMatching(/^PROCS OK: \d+ process/),
      });
      expect(procs.data?.['perfdata']).toMatchObject([{ label: 'procs', crit: '1:100000', min: 0 }]);
      expect(await look([`${STOCK}/check_procs`, '-c', '0:0', '-C', 'node'])).toMatchObject({
        status: 'fail',
      });
      const load = await look(`${STOCK}/check_load -w 1000,1000,1000 -c 2000,2000,2000`);
      expect(load).toMatchObject({
        status: 'pass',
        data: { perfdata: [{ label: 'load1' }, { label: 'load5' }, { label: 'load15' }] },
      });
      expect(await look(`${STOCK}/check_load -w 0,0,0 -c 2000,2000,2000`)).toMatchObject({ status: 'warn' });
      const disk = await look([`${STOCK}/check_disk`, '-w', '0%', '-c', '0%', '-p', '/']);
      expect(disk).toMatchObject({ status: 'pass', data: { perfdata: [{ label: '/', unit: 'B', min: 0 }] } });
    });

    it.each(['check_http', 'check_tcp', 'check_procs', 'check_load', 'check_disk'])(
      '%s, told nonsense, could not tell',
      async (name) => {
        await expect(look([`${STOCK}/${name}`, '--no-such-option'])).rejects.toThrow(
          /it ended with 3: .*(unrecognized option|Usage)/,
        );
      },
    );
  });
});
