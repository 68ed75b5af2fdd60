import { getEventListeners, once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConnection } from '../../../core/host/connection.ts';
import type { Connection, NetTarget } from '../../../core/host/host.ts';
import { until } from '../../support/until.ts';

describe('openConnection', () => {
  const servers: Server[] = [];
  const accepted: Socket[] = [];
  let dir: string;
  let controller: AbortController;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'upkeep-connection-'));
    controller = new AbortController();
  });

  afterEach(async () => {
    for (const socket of accepted.splice(0)) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(dir, { recursive: true, force: true });
  });

  async function serve(
    talk: (socket: Socket) => void,
    where: ListenOptions = { host: '127.0.0.1', port: 0 },
  ): Promise<NetTarget> {
    const server = createServer((socket) => {
      accepted.push(socket);
      socket.on('error', () => {});
      talk(socket);
    }).listen(where);
    servers.push(server);
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) return { host: '127.0.0.1', port: address.port };
    return { path: String(address) };
  }

  const open = (target: NetTarget): Promise<Connection> => openConnection(target, controller.signal);

  async function all(connection: Connection): Promise<string> {
    let text = '';
    for (;;) {
      const chunk = await connection.read();
      if (chunk === null) return text;
      text += chunk;
    }
  }

  it('writes and reads, by TCP and by a Unix socket', async () => {
    for (const where of [{ host: '127.0.0.1', port: 0 }, { path: join(dir, 'a.sock') }]) {
      const target = await serve((socket) => socket.once('data', (bytes) => socket.end(`<${bytes}>`)), where);
      const connection = await open(target);
      await connection.write('one');
      expect(await all(connection)).toBe('<one>');
      // The end is the end, however often one asks.
      expect(await connection.read()).toBeNull();
      await connection.close();
    }
  });

  it('gives what has come before the other end was done, and bytes as they are', async () => {
    const connection = await open(await serve((socket) => socket.end(Buffer.from([0, 255, 10]))));
    expect(await connection.read()).toEqual(Buffer.from([0, 255, 10]));
    expect(await connection.read()).toBeNull();
    await connection.close();
  });

  it('leaves what nobody reads with the kernel', async () => {
    let taken = 0;
    const target = await serve((socket) => {
      const bytes = Buffer.alloc(1024 * 1024);
      const more = (error?: Error | null): void => {
        if (error || socket.destroyed) return;
        taken += bytes.length;
        socket.write(bytes, more);
      };
      more();
    });
    const connection = await open(target);
    // The sender is stuck once the buffers on the way are full: what it has sent no longer grows.
    let before = -1;
    await until(() => {
      const grows = taken !== before;
      before = taken;
      return !grows;
    }, 200);
    expect(taken).toBeLessThan(100 * 1024 * 1024);
    expect((await connection.read())?.length).toBeGreaterThan(0);
    await connection.close();
  });

  it.each<[string, () => Promise<NetTarget>, string]>([
    [
      'a port that nobody listens on',
      async () => {
        const target = await serve(() => {});
        await new Promise((resolve) => servers.pop()?.close(resolve));
        return target;
      },
      'ECONNREFUSED',
    ],
    ['a socket that is not there', async () => ({ path: join(dir, 'none') }), 'ENOENT'],
    [
      'a host that there is not',
      async () => ({ host: 'no-such-host.invalid', port: 1 }),
      'ENOTFOUND|EAI_AGAIN',
    ],
    ['a path that the kernel would cut', async () => ({ path: `/tmp/${'a'.repeat(110)}` }), 'ENAMETOOLONG'],
    ['an abstract socket', async () => ({ path: '@name' }), 'ENOTSUP'],
    ['an abstract socket by its first byte', async () => ({ path: '\0name' }), 'ENOTSUP'],
  ])('rejects %s', async (_, target, code) => {
    await expect(open(await target())).rejects.toMatchObject({
      code: expect.stringMatching(new RegExp(`^(${code})$`)),
    });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('says what a connection died of, to who reads and to who writes', async () => {
    const resets = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const reading = await open(resets);
    await reading.write('x');
    await expect(reading.read()).rejects.toMatchObject({ code: 'ECONNRESET' });
    const refused = { code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) };
    await expect(reading.write('y')).rejects.toMatchObject(refused);
    await reading.close();
  });

  it('does not call written what was under way when it was closed', async () => {
    const connection = await open(await serve((socket) => socket.pause()));
    const writing = expect(connection.write(Buffer.alloc(200_000_000))).rejects.toMatchObject({
      code: 'ECONNABORTED',
    });
    await connection.close();
    await writing;
  });

  it('is over for who reads, once the signal aborts', async () => {
    const target = await serve(() => {});
    const connection = await open(target);
    const reading = expect(connection.read()).rejects.toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
    });
    controller.abort();
    await reading;
    await expect(connection.write('x')).rejects.toMatchObject({ name: 'AbortError' });
    await connection.close();
    await expect(open(target)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('aborts while it is being made', async () => {
    const opening = expect(open(await serve(() => {}))).rejects.toMatchObject({ name: 'AbortError' });
    controller.abort();
    await opening;
  });

  it('has let go of everything when it is closed, and can be closed twice', async () => {
    const target = await serve((socket) => socket.resume());
    const ours = (): number => readdirSync('/proc/self/fd').length - accepted.filter((s) => !s.closed).length;
    const before = ours();
    for (let count = 0; count < 20; count += 1) {
      const connection = await open(target);
      await connection.close();
      await connection.close();
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
    await until(() => ours() <= before);
  });
});
