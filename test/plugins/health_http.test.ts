import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { httpCheck } from '../../plugins/health_http.ts';
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

describe('health check http', () => {
  let place: Place;

  beforeEach(() => {
    place = new Place();
  });
  afterEach(() => place.end());

  const look = (written: Written, wishes?: Wishes): Promise<HealthResult> =>
    lookOnce(httpCheck, written, wishes);

  async function url(answer: RequestListener): Promise<string> {
    return `http://127.0.0.1:${await place.listen(createServer(answer))}/`;
  }

  async function raw(talk: (socket: Socket) => void): Promise<string> {
    return `http://127.0.0.1:${await place.serve(talk)}/`;
  }

  /** Calls the look off once the service has been asked, or has answered so far. */
  async function lookUntil(called: Promise<unknown>, written: Written): Promise<HealthResult> {
    const controller = new AbortController();
    const looking = look(written, { signal: controller.signal });
    await called;
    controller.abort();
    return await looking;
  }

  describe('options', () => {
    const status = (written: unknown): unknown => {
      const parsed = v.safeParse(httpCheck.options, { url: 'http://a/', expect_status: written });
      return parsed.success ? parsed.output.expect_status.map(({ from, to }) => [from, to]) : 'refused';
    };

    it.each<[unknown, unknown]>([
      [undefined, [[200, 399]]],
      [204, [[204, 204]]],
      ['204', [[204, 204]]],
      ['200-299', [[200, 299]]],
      [
        [200, '300-302', '418'],
        [
          [200, 200],
          [300, 302],
          [418, 418],
        ],
      ],
      [[], 'refused'],
      ['299-200', 'refused'],
      ['2xx', 'refused'],
      ['', 'refused'],
      [99, 'refused'],
      [600, 'refused'],
      [200.5, 'refused'],
      [true, 'refused'],
      [null, 'refused'],
      [[[200]], 'refused'],
    ])('the status %j becomes %j', (written, ranges) => {
      expect(status(written)).toEqual(ranges);
    });

    it.each<[Written, boolean]>([
      [{ url: 'http://127.0.0.1:8080/healthz' }, true],
      [{ url: 'HTTPS://[::1]:8443/?a=b' }, true],
      [{ url: 'ftp://a/' }, false],
      [{ url: '127.0.0.1:8080' }, false],
      [{ url: 'http://' }, false],
      [{ url: 'http://a b/' }, false],
      [{ url: 'http://a:99999/' }, false],
      [{}, false],
      [{ url: 'http://a/', method: 'POST' }, true],
      [{ url: 'http://a/', method: 'get' }, false],
      [{ url: 'http://a/', headers: { 'x-a': 'b', 'x-n': 5 } }, true],
      [{ url: 'http://a/', headers: { 'x a': 'b' } }, false],
      [{ url: 'http://a/', headers: { 'x-a': 'b\r\nc: d' } }, false],
      [{ url: 'http://a/', headers: ['x-a'] }, false],
      [{ url: 'http://a/', expect_headers: { 'content-type': '/json/' } }, true],
      [{ url: 'http://a/', expect_body: '/(/' }, false],
      [{ url: 'http://a/', socket: '@abstract' }, false],
      [{ url: 'http://a/', insecure: 'yes' }, false],
    ])('%j: %s', (written, taken) => {
      expect(isTaken(httpCheck, written)).toBe(taken);
    });
  });

  describe('an answer', () => {
    it('is well with the right status, and tells how long it took', async () => {
      const result = await look({ url: await url((_, response) => response.end('hello')) });
      expect(result).toMatchObject({ status: 'pass', data: { status: 200 } });
      expect(result.message).toMatch(/^answered 200 in \d+(ms|\.?\d*s)$/);
      expect(result.data?.['response_ms']).toBeGreaterThanOrEqual(0);
    });

    it('is ill with another one, and shows how the body begins', async () => {
      const at = await url((_, response) => response.writeHead(503).end('over\nloaded'));
      expect(await look({ url: at })).toMatchObject({
        status: 'fail',
        message: 'answered 503, not 200-399',
        data: { status: 503, body: 'over loaded' },
      });
      expect(await look({ url: at, expect_status: [200, '500-599'] })).toMatchObject({ status: 'pass' });
    });

    it('that redirects is the answer: it is not followed', async () => {
      const asked: (string | undefined)[] = [];
      const at = await url((request, response) => {
        asked.push(request.url);
        response.writeHead(302, { location: '/elsewhere' }).end();
      });
      expect(await look({ url: at })).toMatchObject({ status: 'pass', data: { status: 302 } });
      expect(await look({ url: at, expect_status: 200 })).toMatchObject({ status: 'fail' });
      expect(asked).toEqual(['/', '/']);
    });

    it('must have what is expected in its body', async () => {
      const at = await url((_, response) => response.end('{"status":"UP"}'));
      expect(await look({ url: at, expect_body: '"UP"' })).toMatchObject({ status: 'pass' });
      expect(await look({ url: at, expect_body: '/"status":"(UP|OK)"/' })).toMatchObject({ status: 'pass' });
      expect(await look({ url: at, expect_body: 'DOWN' })).toMatchObject({
        status: 'fail',
        message: 'answered 200, without "DOWN" in its body',
        data: { body: '{"status":"UP"}' },
      });
    });

    it('must have the headers that are expected, whatever their case', async () => {
      const at = await url((_, response) =>
        response
          .writeHead(
            200,
            [
              ['Content-Type', 'application/json'],
              ['Set-Cookie', 'a=1'],
              ['Set-Cookie', 'b=2'],
            ].flat(),
          )
          .end('{}'),
      );
      const with_ = (expect_headers: Written) => look({ url: at, expect_headers });
      expect(await with_({ 'Content-TYPE': 'json', 'set-cookie': '/a=1, b=2/' })).toMatchObject({
        status: 'pass',
      });
      expect(await with_({ 'content-type': 'html' })).toMatchObject({
        status: 'fail',
        message: 'answered 200, with content-type: application/json, without "html"',
      });
      expect(await with_({ 'x-version': '1' })).toMatchObject({
        status: 'fail',
        message: 'answered 200, without the header x-version',
      });
    });

    it('is asked for with the method and the headers that are given', async () => {
      const requests: IncomingMessage[] = [];
      const at = await url((request, response) => {
        requests.push(request);
        response.end();
      });
      const headers = { host: 'shop.example', 'x-number': 5, authorization: 'Bearer x' };
      await look({ url: at, method: 'POST', headers });
      await look({ url: at.replace('//', '//user:secret@'), method: 'HEAD' });
      expect(requests.map(({ method }) => method)).toEqual(['POST', 'HEAD']);
      expect(requests[0]?.headers).toMatchObject({ host: 'shop.example', 'x-number': '5' });
      expect(requests[1]?.headers.authorization).toBe(`Basic ${btoa('user:secret')}`);
    });

    it('comes over a Unix socket, whose path begins in the folder of the action', async () => {
      const server = createServer((request, response) => response.end(request.headers.host));
      await place.listen(server, { path: place.path('web.sock') });
      const written = { url: 'http://shop/healthz', socket: 'web.sock', expect_body: '/^shop$/' };
      expect(await look(written, { job: { cwd: place.dir } })).toMatchObject({ status: 'pass' });
      expect(await look(written, { job: { cwd: '/' } })).toMatchObject({
        status: 'fail',
        message: 'has no socket there',
      });
    });

    it.each([204, 304])('without a body is one: %i', async (status) => {
      expect(await look({ url: await url((_, response) => response.writeHead(status).end()) })).toMatchObject(
        {
          status: 'pass',
        },
      );
    });

    it('that would change the protocol ends there', async () => {
      const at = await raw((socket) =>
        socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello'),
      );
      expect(await look({ url: at })).toMatchObject({ status: 'fail', message: 'answered 101, not 200-399' });
      expect(await look({ url: at, expect_status: 101 })).toMatchObject({ status: 'pass' });
    });

    it('may come after others that only say that it will', async () => {
      const at = await raw((socket) => socket.end('HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello'));
      expect(await look({ url: at, expect_body: 'hello' })).toMatchObject({ status: 'pass' });
    });
  });

  describe('a bad service', () => {
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
      expect(await look({ url: await raw((socket) => socket.end()) })).toMatchObject(closed);
      const resets = await raw((socket) => socket.once('data', () => socket.resetAndDestroy()));
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
      const at = await raw((socket) => socket.end(Buffer.from(bytes, 'latin1')));
      const result = await look({ url: at });
      expect(result.status).toBe('fail');
      expect(result.message).toMatch(/^answered with what is no HTTP: Parse Error/);
    });

    it('answers with headers that have no end', async () => {
      const at = await raw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        flood(socket, `X-A: ${'a'.repeat(1000)}\r\n`);
      });
      expect(await look({ url: at })).toMatchObject({
        status: 'fail',
        message: 'answered with headers that have no end',
      });
    });

    it('sends a body that has no end: its beginning is judged', async () => {
      const at = await raw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\nready');
        flood(socket, 'x'.repeat(65_536));
      });
      expect(await look({ url: at, expect_body: 'ready' })).toMatchObject({ status: 'pass' });
      expect(await look({ url: at, expect_body: 'z' })).toMatchObject({ status: 'fail' });
    });

    it('cuts its answer off', async () => {
      const at = await raw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
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
      const at = await raw((socket) => {
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
      const at = await url((_, response) => response.end());
      const result = await look({ url: at.replace('http:', 'https:'), insecure: true });
      expect(result.status).toBe('fail');
      expect(result.message).toMatch(/^(speaks no TLS: |closed the connection)/);
      const garbage = await raw((socket) => socket.end('\x16\x03\x01garbage'));
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
      const at = await raw((socket) => socket.once('data', asked));
      expect(await lookUntil(greeted, { url: at.replace('http:', 'https:') })).toMatchObject({
        status: 'fail',
      });
    });
  });

  describe.skipIf(!has('nginx'))('a real nginx (needs nginx)', () => {
    it('is well, ill, silent while it is halted, and gone', async () => {
      const port = await place.freePort();
      const nginx = place.startNginx(port);
      await until(() => connects(port));
      const at = (path: string): string => `http://127.0.0.1:${port}${path}`;
      const expect_headers = { server: '/^nginx/' };
      expect(await look({ url: at('/ok'), expect_body: '/^fine$/m', expect_headers })).toMatchObject({
        status: 'pass',
      });
      expect(await look({ url: at('/none') })).toMatchObject({ status: 'fail', data: { status: 404 } });
      nginx.kill('SIGSTOP');
      expect(await look({ url: at('/ok') }, { signal: AbortSignal.timeout(300) })).toMatchObject({
        status: 'fail',
        message: expect.stringMatching(/^no whole answer within /),
      });
      nginx.kill('SIGCONT');
      expect(await look({ url: at('/ok') })).toMatchObject({ status: 'pass' });
      nginx.kill('SIGKILL');
      await once(nginx, 'exit');
      expect(await look({ url: at('/ok') })).toMatchObject({ status: 'fail' });
    });
  });
});

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
