import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { unixCheck } from '../../plugins/health_unix.ts';
import { Fixtures, hasPython } from '../contract/fixture.ts';
import { until } from '../support/until.ts';
import { has, isTaken, lookOnce, Place, type Wishes, type Written } from './health_support.ts';

describe('health check unix', () => {
  const fixtures = new Fixtures();
  let place: Place;

  beforeEach(() => {
    place = new Place();
  });
  afterEach(async () => {
    await fixtures.end();
    await place.end();
  });

  const look = (written: Written, wishes?: Wishes): Promise<HealthResult> =>
    lookOnce(unixCheck, written, { job: { cwd: place.dir }, ...wishes });
  const serve = (talk: (socket: Socket) => void): Promise<number> =>
    place.serve(talk, { path: place.path('a.sock') });

  it.each<[Written, boolean]>([
    [{ path: '/run/a.sock' }, true],
    [{ path: 'a.sock', send: 'PING\r\n', expect: '/PONG/' }, true],
    [{}, false],
    [{ path: '' }, false],
    [{ path: '@abstract' }, false],
    [{ path: '~/a.sock' }, false],
    [{ path: 'a\0b' }, false],
  ])('takes %j: %s', (written, taken) => {
    expect(isTaken(unixCheck, written)).toBe(taken);
  });

  it('passes where somebody listens, by an absolute path and by one that begins in the folder', async () => {
    await serve(() => {});
    expect(await look({ path: place.path('a.sock') }, { job: { cwd: '/' } })).toMatchObject({
      status: 'pass',
    });
    expect(await look({ path: './a.sock' })).toMatchObject({ status: 'pass' });
  });

  it('passes and fails by the answer', async () => {
    await serve((socket) => socket.on('data', (bytes) => socket.end(`you said ${bytes}`)));
    expect(await look({ path: 'a.sock', send: 'hi', expect: '/said hi$/' })).toMatchObject({
      status: 'pass',
    });
    expect(await look({ path: 'a.sock', send: 'hi', expect: 'bye' })).toMatchObject({
      status: 'fail',
      message: 'answered "you said hi", without "bye"',
    });
  });

  it('fails where there is no socket', async () => {
    expect(await look({ path: 'a.sock' })).toMatchObject({ status: 'fail', message: 'has no socket there' });
    expect(await look({ path: 'none/a.sock' })).toMatchObject({
      status: 'fail',
      message: 'has no socket there',
    });
  });

  it('fails where a file lies there that nobody listens on', async () => {
    writeFileSync(place.path('a.sock'), '');
    expect(await look({ path: 'a.sock' })).toMatchObject({
      status: 'fail',
      message: 'refused the connection',
    });
  });

  it.skipIf(!hasPython)('throws for a socket that is not one of streams (needs python3)', async () => {
    await fixtures.start('hold_odd.py', 'datagram', place.path('d.sock'));
    await expect(look({ path: 'd.sock' })).rejects.toMatchObject({ code: 'EPROTOTYPE' });
  });

  it('throws for a path that the kernel would cut, and looks at no other one', async () => {
    const path = 'x'.repeat(120);
    const cut = `${place.dir}/${path}`.slice(0, 107);
    await place.serve(() => {}, { path: cut });
    await expect(look({ path })).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  });

  it.skipIf(!hasPython)('fails where nothing is accepted any more (needs python3)', async () => {
    const script = `
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(0)
time.sleep(1000)`;
    place.start('python3', ['-c', script, place.path('full.sock')]);
    // The queue takes one; then it is full.
    await until(async () => (await look({ path: 'full.sock' })).message === 'accepts no connections');
  });

  it.skipIf(!has('redis-server'))('a real redis (needs redis-server): well, and gone', async () => {
    const redis = place.startRedis('--port', '0', '--unixsocket', place.path('redis.sock'));
    const ping = { path: 'redis.sock', send: 'PING\r\n', expect: '+PONG' };
    await until(async () => (await look(ping)).status === 'pass');
    redis.kill('SIGKILL');
    await once(redis, 'exit');
    expect(await look(ping)).toMatchObject({ status: 'fail', message: 'refused the connection' });
  });
});
