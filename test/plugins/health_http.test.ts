import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpCheck } from '../../plugins/health_http.ts';
import { until } from '../support/until.ts';
import { HttpPlace, look } from './health_http_support.ts';
import { has, isTaken, type Written } from './health_support.ts';

describe('health check http', () => {
  let place: HttpPlace;

  beforeEach(() => {
    place = new HttpPlace();
  });
  afterEach(() => place.end());

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
      const result = await look({ url: await place.url((_, response) => response.end('hello')) });
      expect(result).toMatchObject({ status: 'pass', data: { status: 200 } });
      expect(result.message).toMatch(/^answered 200 in \d+(ms|\.?\d*s)$/);
      expect(result.data?.['response_ms']).toBeGreaterThanOrEqual(0);
    });

    it('is ill with another one, and shows how the body begins', async () => {
      const at = await place.url((_, response) => response.writeHead(503).end('over\nloaded'));
      expect(await look({ url: at })).toMatchObject({
        status: 'fail',
        message: 'answered 503, not 200-399',
        data: { status: 503, body: 'over loaded' },
      });
      expect(await look({ url: at, expect_status: [200, '500-599'] })).toMatchObject({ status: 'pass' });
    });

    it('that redirects is the answer: it is not followed', async () => {
      const asked: (string | undefined)[] = [];
      const at = await place.url((request, response) => {
        asked.push(request.url);
        response.writeHead(302, { location: '/elsewhere' }).end();
      });
      expect(await look({ url: at })).toMatchObject({ status: 'pass', data: { status: 302 } });
      expect(await look({ url: at, expect_status: 200 })).toMatchObject({ status: 'fail' });
      expect(asked).toEqual(['/', '/']);
    });

    it('must have what is expected in its body', async () => {
      const at = await place.url((_, response) => response.end('{"status":"UP"}'));
      expect(await look({ url: at, expect_body: '"UP"' })).toMatchObject({ status: 'pass' });
      expect(await look({ url: at, expect_body: '/"status":"(UP|OK)"/' })).toMatchObject({ status: 'pass' });
      expect(await look({ url: at, expect_body: 'DOWN' })).toMatchObject({
        status: 'fail',
        message: 'answered 200, without "DOWN" in its body',
        data: { body: '{"status":"UP"}' },
      });
    });

    it('must have the headers that are expected, whatever their case', async () => {
      const at = await place.url((_, response) =>
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
      const at = await place.url((request, response) => {
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
      expect(
        await look({ url: await place.url((_, response) => response.writeHead(status).end()) }),
      ).toMatchObject({
        status: 'pass',
      });
    });

    it('that would change the protocol ends there', async () => {
      const at = await place.raw((socket) =>
        socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello'),
      );
      expect(await look({ url: at })).toMatchObject({ status: 'fail', message: 'answered 101, not 200-399' });
      expect(await look({ url: at, expect_status: 101 })).toMatchObject({ status: 'pass' });
    });

    it('may come after others that only say that it will', async () => {
      const at = await place.raw((socket) =>
        socket.end('HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello'),
      );
      expect(await look({ url: at, expect_body: 'hello' })).toMatchObject({ status: 'pass' });
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
