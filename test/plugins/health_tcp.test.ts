import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { tcpCheck } from '../../plugins/health_tcp.ts';
import { until } from '../support/until.ts';
import {
  closing,
  drip,
  flood,
  has,
  isTaken,
  lookOnce,
  Place,
  type Wishes,
  type Written,
} from './health_support.ts';

describe('health check tcp', () => {
  let place: Place;

  beforeEach(() => {
    place = new Place();
  });
  afterEach(() => place.end());

  const look = (written: Written, wishes?: Wishes): Promise<HealthResult> =>
    lookOnce(tcpCheck, written, wishes);

  it.each<[Written, boolean]>([
    [{ port: 6379 }, true],
    [{ port: 6379, host: '::1' }, true],
    [{ port: 6379, host: 'db.internal', send: 'PING\r\n', expect: '/PONG/' }, true],
    [{}, false],
    [{ port: 0 }, false],
    [{ port: 65_536 }, false],
    [{ port: '6379' }, false],
    [{ port: 1, host: '' }, false],
    [{ port: 1, host: '[::1]' }, false],
    [{ port: 1, host: 'http://a' }, false],
    [{ port: 1, send: 5 }, false],
    [{ port: 1, expect: '' }, false],
  ])('takes %j: %s', (written, taken) => {
    expect(isTaken(tcpCheck, written)).toBe(taken);
  });

  it('passes where somebody listens', async () => {
    const result = await look({ port: await place.serve(() => {}) });
    expect(result).toMatchObject({ status: 'pass', message: expect.stringMatching(/^connected in \d/) });
    expect(result.data).toEqual({ response_ms: expect.any(Number) });
  });

  it('passes on IPv6 and by name', async () => {
    const port = await place.serve(() => {}, { host: '::', port: 0 });
    expect(await look({ port, host: '::1' })).toMatchObject({ status: 'pass' });
    expect(await look({ port, host: 'localhost' })).toMatchObject({ status: 'pass' });
  });

  it('fails where nobody listens', async () => {
    expect(await look({ port: await place.freePort() })).toMatchObject({
      status: 'fail',
      message: 'refused the connection',
      data: { code: 'ECONNREFUSED' },
    });
  });

  it('throws where the name cannot be found', async () => {
    await expect(look({ port: 1, host: 'no-such-host.invalid' })).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
  });

  it('takes a greeting, and an answer to what it sends', async () => {
    const port = await place.serve((socket) => {
      socket.write('220 ready\r\n');
      socket.on('data', (bytes) => socket.write(`you said ${bytes}`));
    });
    expect(await look({ port, expect: '220' })).toMatchObject({
      status: 'pass',
      message: expect.stringMatching(/^answered "220" in \d/),
      data: { answer: '220 ready' },
    });
    expect(await look({ port, send: 'hello', expect: '/you said hello$/' })).toMatchObject({
      status: 'pass',
    });
  });

  it('takes an answer that comes byte by byte', async () => {
    const port = await place.serve((socket) => {
      for (const byte of 'größe +PONG') setImmediate(() => socket.write(byte));
    });
    expect(await look({ port, expect: 'größe +PONG' })).toMatchObject({ status: 'pass' });
  });

  it.each<[string, (socket: Socket) => void, string]>([
    ['closes at once', (socket) => socket.end(), 'answered nothing, without "+PONG"'],
    ['says something else', (socket) => socket.end('-ERR\r\n'), 'answered "-ERR", without "+PONG"'],
    [
      'says nothing legible',
      (socket) => socket.end(Buffer.from([0, 1, 255, 254])),
      'answered "", without "+PONG"',
    ],
  ])('fails where the service %s', async (_, talk, message) => {
    expect(await look({ port: await place.serve(talk), expect: '+PONG' })).toMatchObject({
      status: 'fail',
      message,
    });
  });

  it('fails where the service resets', async () => {
    const port = await place.serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await look({ port, send: 'PING', expect: '+PONG' })).toMatchObject({
      status: 'fail',
      message: 'closed the connection without an answer',
    });
  });

  it('fails after the first 16 KiB where the service has no end', async () => {
    const port = await place.serve((socket) => flood(socket, 'x'.repeat(65_536)));
    const result = await look({ port, expect: 'y' });
    expect(result.status).toBe('fail');
    expect(result.message).toMatch(/^answered "x+…", without "y"$/);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['never answers', () => {}],
    ['sends a byte now and then', (socket) => drip(socket)],
  ])('fails where the service %s and the look is called off', async (_, talk) => {
    const controller = new AbortController();
    const closed: Promise<unknown>[] = [];
    const port = await place.serve((socket) => {
      closed.push(closing(socket));
      talk(socket);
      // Some of the answer is there by then.
      socket.once('data', () => setTimeout(() => controller.abort(), 50));
    });
    const result = await look({ port, send: 'a', expect: 'b' }, { signal: controller.signal });
    expect(result.status).toBe('fail');
    expect(result.message).toMatch(/^no answer (but "x+" )?within /);
    await Promise.all(closed);
  });

  it('fails where the service takes nothing of much that is sent, and the look is called off', async () => {
    const controller = new AbortController();
    const port = await place.serve((socket) => {
      socket.pause();
      setTimeout(() => controller.abort(), 50);
    });
    const result = await look({ port, send: 'x'.repeat(50_000_000) }, { signal: controller.signal });
    expect(result.status).toBe('fail');
  });

  it('throws where a regex takes for ever on what the service sends', async () => {
    const port = await place.serve((socket) => socket.end(`${'a'.repeat(60)}!`));
    await expect(look({ port, expect: '/(a+)+$/' })).rejects.toThrow('Cannot look for /(a+)+$/');
  });

  it.skipIf(!has('redis-server'))('a real redis (needs redis-server): well, hung, and gone', async () => {
    const port = await place.freePort();
    const redis = place.startRedis('--port', `${port}`, '--bind', '127.0.0.1');
    const ping = { port, send: 'PING\r\n', expect: '+PONG' };
    await until(async () => (await look(ping)).status === 'pass');
    expect(
      await look({ port, send: 'NONSENSE\r\n', expect: '+PONG' }, { signal: AbortSignal.timeout(300) }),
    ).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/^no answer but "-ERR unknown command .*" within /),
    });
    redis.kill('SIGSTOP');
    // The kernel still accepts; only the answer tells.
    expect(await look({ port })).toMatchObject({ status: 'pass' });
    expect(await look(ping, { signal: AbortSignal.timeout(300) })).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/^no answer within /),
    });
    redis.kill('SIGCONT');
    expect(await look(ping)).toMatchObject({ status: 'pass', data: { answer: '+PONG' } });
    redis.kill('SIGKILL');
    await once(redis, 'exit');
    expect(await look(ping)).toMatchObject({ status: 'fail', message: 'refused the connection' });
  });
});
