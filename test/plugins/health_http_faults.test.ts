import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { HttpPlace, look } from './health_http_support.ts';
import { closing, drip, flood, has, type Written } from './health_support.ts';

describe('health check http at a bad service', () => {
  let place: HttpPlace;

  beforeEach(() => {
    place = new HttpPlace();
  });
  afterEach(() => place.end());

  /** Calls the look off once the service has been asked, or has answered so far. */
  async function lookUntil(called: Promise<unknown>, written: Written): Promise<HealthResult> {
    const controller = new AbortController();
    const looking = look(written, { signal: controller.signal });
    await called;
    controller.abort();
    return await looking;
  }

  it('refuses', async () => {
    expect(await look({ url: `http://127.0.0.1:${await place.freePort()}/` })).toMatchObject({
      status: 'fail',
      message: 'refused the connection',
      data: { code: 'ECONNREFUSED' },
    });
  });

  it('is refused by name as well, on every address of it', async () => {
    expect(await look({ url: `http://localhost:${await place.freePort()}/` })).toMatchObject({
      status: 'fail',
      message: 'refused the connection',
    });
  });

  it('closes at once, or resets', async () => {
    const closed = { status: 'fail', message: 'closed the connection without an answer' };
    expect(await look({ url: await place.raw((socket) => socket.end()) })).toMatchObject(closed);
    const resets = await place.raw((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await look({ url: resets })).toMatchObject(closed);
  });

  it.each([
    ['garbage', '\0\x01\x02\xff\xfe\r\n\r\n'],
    ['another protocol', '-ERR unknown command\r\n'],
    ['a status that is none', 'HTTP/1.1 banana\r\n\r\n'],
    ['a header that is none', 'HTTP/1.1 200 OK\r\nbad header\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'],
    ['chunks that are none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('answers with %s', async (_, bytes) => {
    const at = await place.raw((socket) => socket.end(Buffer.from(bytes, 'latin1')));
    const result = await look({ url: at });
    expect(result.status).toBe('fail');
    expect(result.message).toMatch(/^answered with what is no HTTP: Parse Error/);
  });

  it('answers with headers that have no end', async () => {
    const at = await place.raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      flood(socket, `X-A: ${'a'.repeat(1000)}\r\n`);
    });
    expect(await look({ url: at })).toMatchObject({
      status: 'fail',
      message: 'answered with headers that have no end',
    });
  });

  it('sends a body that has no end: its beginning is judged', async () => {
    const at = await place.raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nready');
      flood(socket, 'x'.repeat(65_536));
    });
    expect(await look({ url: at, expect_body: 'ready' })).toMatchObject({ status: 'pass' });
    expect(await look({ url: at, expect_body: 'z' })).toMatchObject({ status: 'fail' });
  });

  it('cuts its answer off', async () => {
    const at = await place.raw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    expect(await look({ url: at })).toMatchObject({
      status: 'fail',
      message: 'closed the connection without an answer',
    });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['never answers', () => {}],
    ['sends its status byte by byte', (socket) => drip(socket, 'HTTP/1.1 200 OK')],
    [
      'sends its headers byte by byte',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nX: ');
        drip(socket);
      },
    ],
    [
      'sends its body byte by byte',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        drip(socket);
      },
    ],
    [
      'promises a body that does not come',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'),
    ],
  ])('%s: the look ends when it is called off, and has failed', async (_, talk) => {
    let called = (): void => {};
    const asked = new Promise<void>((resolve) => {
      called = resolve;
    });
    const closed: Promise<unknown>[] = [];
    const at = await place.raw((socket) => {
      closed.push(closing(socket));
      talk(socket);
      // Some of the answer is there by then.
      socket.once('data', () => setTimeout(called, 50));
    });
    const result = await lookUntil(asked, { url: at });
    expect(result.status).toBe('fail');
    expect(result.message).toMatch(/^no whole answer within /);
    await Promise.all(closed);
  });

  it('cannot be looked for: what is thrown says why', async () => {
    await expect(look({ url: 'http://no-such-host.invalid/' })).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
    const socket = `/tmp/${'a'.repeat(120)}`;
    await expect(look({ url: 'http://a/', socket })).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  });

  describe.skipIf(!has('openssl'))('TLS (needs openssl)', () => {
    async function secureUrl(name: string): Promise<string> {
      const [key, cert] = [place.path('key.pem'), place.path('cert.pem')];
      const made = spawnSync('openssl', [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`],
      ]);
      expect(made.status).toBe(0);
      const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
        response.end('secret'),
      );
      return `https://127.0.0.1:${await place.listen(server)}/`;
    }

    it('takes no certificate that nobody vouches for, unless it is told to', async () => {
      const at = await secureUrl('localhost');
      expect(await look({ url: at })).toMatchObject({
        status: 'fail',
        message: 'has a certificate that is not trusted: self-signed certificate',
        data: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      });
      expect(await look({ url: at, insecure: true, expect_body: 'secret' })).toMatchObject({
        status: 'pass',
      });
    });

    it('fails where no TLS is spoken', async () => {
      const at = await place.url((_, response) => response.end());
      const result = await look({ url: at.replace('http:', 'https:'), insecure: true });
      expect(result.status).toBe('fail');
      expect(result.message).toMatch(/^(speaks no TLS: |closed the connection)/);
      const garbage = await place.raw((socket) => socket.end('\x16\x03\x01garbage'));
      expect(await look({ url: garbage.replace('http:', 'https:') })).toMatchObject({ status: 'fail' });
    });

    it('fails where TLS is spoken and was not asked for', async () => {
      const at = await secureUrl('localhost');
      expect(await look({ url: at.replace('https:', 'http:') })).toMatchObject({ status: 'fail' });
    });

    it('ends when it is called off in the middle of the greeting', async () => {
      let asked = (_: unknown): void => {};
      const greeted = new Promise((resolve) => {
        asked = resolve;
      });
      const at = await place.raw((socket) => socket.once('data', asked));
      expect(await lookUntil(greeted, { url: at.replace('http:', 'https:') })).toMatchObject({
        status: 'fail',
      });
    });
  });
});
