import { getEventListeners, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../../core/host/host.ts';
import { requestHttp } from '../../../core/host/http_request.ts';
import { until } from '../../support/until.ts';

describe('requestHttp', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let dir: string;
  let controller: AbortController;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'upkeep-request-'));
    controller = new AbortController();
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(dir, { recursive: true, force: true });
  });

  async function listen(server: Server, path?: string): Promise<URL> {
    servers.push(server);
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
    });
    if (path === undefined) server.listen(0, '127.0.0.1');
    else server.listen(path);
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 1;
    return new URL(`http://127.0.0.1:${port}/path?query`);
  }

  const answering = (answer: RequestListener, path?: string): Promise<URL> =>
    listen(createServer(answer), path);
  const saying = (talk: (socket: Socket) => void): Promise<URL> =>
    listen(
      createTcpServer((socket) => {
        socket.resume();
        talk(socket);
      }),
    );

  function send(url: URL, changes: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    const plain = { method: 'GET', headers: {}, body: null, socket: null, insecure: false, max_body: 1000 };
    return requestHttp({ url, ...plain, ...changes }, controller.signal);
  }

  it('sends what it is told, and closes the connection', async () => {
    const requests: IncomingMessage[] = [];
    const url = await answering(async (request, response) => {
      requests.push(request);
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.end(Buffer.concat(chunks));
    });
    const answer = await send(url, { method: 'PUT', headers: { 'X-A': 'b' }, body: 'größe' });
    expect(answer).toMatchObject({ status: 200, body: 'größe' });
    expect(requests[0]).toMatchObject({ method: 'PUT', url: '/path?query' });
    expect(requests[0]?.headers).toMatchObject({ 'x-a': 'b', connection: 'close' });
    await until(() => sockets.size === 0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('asks a Unix socket', async () => {
    const path = join(dir, 'a.sock');
    await answering((_, response) => response.end('socket'), path);
    expect(await send(new URL('http://nowhere.invalid/'), { socket: path })).toMatchObject({
      body: 'socket',
    });
  });

  it('gives headers in lower case, and joins those that came several times', async () => {
    const url = await answering((_, response) => {
      response.setHeader('X-One', 'A');
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.end();
    });
    expect((await send(url)).headers).toMatchObject({ 'x-one': 'A', 'set-cookie': 'a=1, b=2' });
  });

  it('follows nothing', async () => {
    const url = await answering((_, response) => response.writeHead(301, { location: '/' }).end());
    expect(await send(url)).toMatchObject({ status: 301, headers: { location: '/' } });
  });

  it.each([0, 1, 10, 99, 100, 101])('reads %i bytes of a body and leaves the rest', async (max_body) => {
    const url = await answering((_, response) => response.end('x'.repeat(100)));
    expect(await send(url, { max_body })).toMatchObject({ body: 'x'.repeat(Math.min(max_body, 100)) });
    await until(() => sockets.size === 0);
  });

  it('hangs up on a body that has no end', async () => {
    const url = await answering((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000))) {
          // It is taken.
        }
        response.once('drain', more);
      };
      more();
    });
    expect((await send(url)).body).toHaveLength(1000);
    await until(() => sockets.size === 0);
  });

  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['closes at once', (socket) => socket.end(), /^ECONNRESET$/],
    ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), /^ECONNRESET$/],
    ['says nonsense', (socket) => socket.end('nonsense\r\n\r\n'), /^HPE_/],
    [
      'cuts its body off',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'),
      /^ECONNRESET$/,
    ],
    [
      'says too much in its headers',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nA: ${'a'.repeat(20_000)}`),
      /^HPE_HEADER_OVERFLOW$/,
    ],
  ])('rejects where the server %s', async (_, talk, code) => {
    await expect(send(await saying(talk))).rejects.toMatchObject({ code: expect.stringMatching(code) });
    await until(() => sockets.size === 0);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['before it answers', () => {}],
    ['in the middle of its headers', (socket) => socket.write('HTTP/1.1 200 OK\r\nA: ')],
    ['in the middle of its body', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')],
    ['in a body without a length', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nx')],
  ])('says that it was aborted, %s', async (_, talk) => {
    let said = (): void => {};
    const asked = new Promise<void>((resolve) => {
      said = resolve;
    });
    const url = await saying((socket) => {
      talk(socket);
      // What was said is on its way; it makes no difference where it has got to.
      socket.once('data', () => setTimeout(said, 20));
    });
    const sent = expect(send(url)).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    await asked;
    controller.abort();
    await sent;
    await until(() => sockets.size === 0);
    await expect(send(url)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('takes a change of protocol for an answer, and hangs up', async () => {
    const url = await saying((socket) =>
      socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nhello'),
    );
    expect(await send(url)).toMatchObject({ status: 101, headers: { upgrade: 'chat' }, body: '' });
    await until(() => sockets.size === 0);
  });

  it('rejects what cannot be sent', async () => {
    const url = await answering((_, response) => response.end());
    await expect(send(url, { headers: { 'a b': 'c' } })).rejects.toMatchObject({
      code: 'ERR_INVALID_HTTP_TOKEN',
    });
    await expect(send(url, { headers: { a: 'b\r\nc' } })).rejects.toMatchObject({ code: 'ERR_INVALID_CHAR' });
    await expect(send(url, { socket: `/${'a'.repeat(120)}` })).rejects.toMatchObject({
      code: 'ENAMETOOLONG',
    });
    await expect(send(url, { socket: '@name' })).rejects.toMatchObject({ code: 'ENOTSUP' });
  });
});
