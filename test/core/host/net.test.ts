import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeNet } from '../../../core/host/net.ts';
import { Fixtures, hasPython } from '../../contract/fixture.ts';

describe('nodeNet', () => {
  const net = nodeNet();
  const fixtures = new Fixtures();
  const open: (Server | Socket)[] = [];
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'upkeep-net-'));
  });

  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await fixtures.end();
    rmSync(dir, { recursive: true, force: true });
  });

  async function listen(options: ListenOptions): Promise<number> {
    const server = createServer().listen(options);
    open.push(server);
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  }

  async function freePort(): Promise<number> {
    const port = await listen({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => (open.pop() as Server).close(resolve));
    return port;
  }

  describe('tryBind', () => {
    it.each(['tcp', 'udp'] as const)(
      '%s: a free port is free, again and again, and no descriptor is left',
      async (kind) => {
        const port = await freePort();
        const before = readdirSync('/proc/self/fd').length;
        for (let n = 0; n < 20; n += 1) {
          expect(await net.tryBind(kind, null, port)).toBe('free');
          expect(await net.tryBind(kind, '127.0.0.1', port)).toBe('free');
        }
        expect(readdirSync('/proc/self/fd')).toHaveLength(before);
      },
    );

    it('tcp: taken on the address itself and on every address, free on another', async () => {
      const port = await listen({ host: '127.0.0.1', port: 0 });
      expect(await net.tryBind('tcp', '127.0.0.1', port)).toBe('EADDRINUSE');
      expect(await net.tryBind('tcp', null, port)).toBe('EADDRINUSE');
      expect(await net.tryBind('tcp', '127.0.0.2', port)).toBe('free');
      expect(await net.tryBind('udp', null, port)).toBe('free');
    });

    it('tcp: taken on one address by who has every address', async () => {
      const port = await listen({ host: '0.0.0.0', port: 0 });
      expect(await net.tryBind('tcp', '127.0.0.1', port)).toBe('EADDRINUSE');
    });

    it('udp: taken on the address itself and on every address', async () => {
      const socket = createSocket('udp4').bind(0, '127.0.0.1');
      open.push(socket);
      await once(socket, 'listening');
      const { port } = socket.address();
      expect(await net.tryBind('udp', '127.0.0.1', port)).toBe('EADDRINUSE');
      expect(await net.tryBind('udp', null, port)).toBe('EADDRINUSE');
      expect(await net.tryBind('tcp', null, port)).toBe('free');
    });

    it('an address that is not of this host', async () => {
      expect(await net.tryBind('tcp', '192.0.2.1', 8080)).toBe('EADDRNOTAVAIL');
      expect(await net.tryBind('udp', '192.0.2.1', 8080)).toBe('EADDRNOTAVAIL');
    });

    it.skipIf(!hasPython)('sees what no table shows: bound and not listening (needs python3)', async () => {
      const { port } = await fixtures.start('hold_odd.py', 'bound');
      expect(await net.tryBind('tcp', null, port)).toBe('EADDRINUSE');
    });
  });

  describe('connectUnix', () => {
    it('a socket that somebody listens on', async () => {
      const path = join(dir, 'a.sock');
      await listen({ path });
      expect(await net.connectUnix(path)).toBe('connected');
    });

    it('a socket that was left behind', async () => {
      const path = join(dir, 'a.sock');
      const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('.'))`;
      const child: ChildProcess = spawn(process.execPath, ['-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (child.stdout !== null) await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await net.connectUnix(path)).toBe('ECONNREFUSED');
    });

    it('nothing at all', async () => {
      expect(await net.connectUnix(join(dir, 'none.sock'))).toBe('ENOENT');
    });

    it.skipIf(!hasPython)('a datagram socket (needs python3)', async () => {
      const path = join(dir, 'd.sock');
      await fixtures.start('hold_odd.py', 'datagram', path);
      expect(await net.connectUnix(path)).toBe('EPROTOTYPE');
    });

    it('a path that the kernel would cut, and an abstract name', async () => {
      expect(await net.connectUnix(`/tmp/${'a'.repeat(110)}`)).toBe('ENAMETOOLONG');
      expect(await net.connectUnix('@name')).toBe('ENOTSUP');
    });
  });
});
