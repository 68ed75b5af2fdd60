import { execFileSync } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../../core/host/host.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { PluginContext } from '../../../core/plugin/context.ts';
import { hostContext, unlessAborted } from '../../../core/plugin/host_context.ts';
import { EVERYTHING, NOTHING, type Permissions } from '../../../core/plugin/permissions.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { until } from '../../support/until.ts';

describe('hostContext', () => {
  const host = nodeHost();
  const servers: Server[] = [];
  let dir: string;
  let controller: AbortController;

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-context-')));
    controller = new AbortController();
  });

  afterEach(async () => {
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(dir, { recursive: true, force: true });
  });

  function context(
    granted: Partial<Permissions>,
    { asked = EVERYTHING, on = host }: { asked?: Partial<Permissions>; on?: Host } = {},
  ): PluginContext {
    return hostContext(on, {
      asked: { ...NOTHING, ...asked },
      granted: { ...NOTHING, ...granted },
      signal: controller.signal,
      log: () => {},
    });
  }

  /** A context that may read what is in the folder `in`, beside which there is a folder `out`. */
  function reader(): PluginContext {
    mkdirSync(join(dir, 'in'));
    mkdirSync(join(dir, 'out'));
    writeFileSync(join(dir, 'in', 'file'), 'inside');
    writeFileSync(join(dir, 'out', 'file'), 'outside');
    return context({ read: [join(dir, 'in')] });
  }

  async function listen(server: Server, path?: string): Promise<number> {
    servers.push(server);
    if (path === undefined) server.listen(0, '127.0.0.1');
    else server.listen(path);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  const denied = (kind: string, wanted: string): object => ({ name: 'PermissionDenied', kind, wanted });

  describe('what is not granted, or was not asked for', () => {
    const calls: readonly [keyof Permissions, string, (ctx: PluginContext) => Promise<unknown>][] = [
      ['run', 'true', (ctx) => ctx.run('true')],
      ['read', '/etc/hostname', (ctx) => ctx.readFile('/etc/hostname')],
      ['read', '/etc', (ctx) => ctx.stat('/etc')],
      ['net', '127.0.0.1:1', (ctx) => ctx.connect({ host: '127.0.0.1', port: 1 })],
      ['net', 'unix:/none', (ctx) => ctx.connect({ path: '/none' })],
      ['net', '127.0.0.1:1', (ctx) => ctx.fetch('http://127.0.0.1:1/')],
      ['net', '127.0.0.1:443', (ctx) => ctx.fetch('https://127.0.0.1/')],
      ['net', '[::1]:80', (ctx) => ctx.fetch('http://[::1]/')],
      ['net', 'unix:/none', (ctx) => ctx.fetch('http://127.0.0.1:1/', { socket: '/none' })],
    ];

    it.each(calls)('%s: %s', async (kind, wanted, call) => {
      await expect(call(context({}))).rejects.toMatchObject(denied(kind, wanted));
      await expect(call(context(EVERYTHING, { asked: {} }))).rejects.toMatchObject(denied(kind, wanted));
      const others = { ...EVERYTHING, [kind]: [] };
      await expect(call(context(others))).rejects.toMatchObject(denied(kind, wanted));
    });

    it.each(calls)('%s: %s is done with both', async (kind, wanted, call) => {
      const both = { [kind]: [wanted] };
      const outcome = await call(context(both, { asked: both })).then(
        () => 'done',
        (error: Error) => error.name,
      );
      expect(outcome).not.toBe('PermissionDenied');
    });

    it('gives what stands in both lists, and no more', async () => {
      const ctx = context({ run: ['true', 'false'] }, { asked: { run: ['false', 'id'] } });
      expect(await ctx.run('false')).toMatchObject({ exit_code: 1 });
      await expect(ctx.run('true')).rejects.toMatchObject(denied('run', 'true'));
      await expect(ctx.run('id')).rejects.toMatchObject(denied('run', 'id'));
    });
  });

  describe('run', () => {
    it('gives what was printed, and how it ended', async () => {
      const ctx = context(EVERYTHING);
      expect(await ctx.run('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
        exit_code: 3,
        stdout: 'out\n',
        stderr: 'err\n',
      });
      expect(await ctx.run('sh', ['-c', 'kill -KILL $$'])).toMatchObject({ exit_code: null });
    });

    it('takes a folder, variables and a limit', async () => {
      const ctx = context(EVERYTHING);
      const options = { cwd: dir, env: { MINE: 'x', LC_ALL: 'de_DE' }, max_output: 1000 };
      const { stdout } = await ctx.run('sh', ['-c', 'pwd; echo $MINE $LC_ALL'], options);
      expect(stdout).toBe(`${dir}\nx C\n`);
      const short = await ctx.run('echo', ['1234567890'], { max_output: 5 });
      expect(short.stdout).toBe('12345');
    });

    it('looks nothing up by a shell', async () => {
      expect(await context(EVERYTHING).run('echo', ['$HOME; id'])).toMatchObject({ stdout: '$HOME; id\n' });
    });

    it.each(['PATH', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES', 'NODE_OPTIONS', 'BASH_ENV'])(
      'does not let %s turn a program that was granted into another one',
      async (name) => {
        writeFileSync(join(dir, 'id'), '#!/bin/sh\necho another', { mode: 0o755 });
        const env = { [name]: dir };
        await expect(context({ run: ['id'] }).run('id', [], { env })).rejects.toMatchObject(
          denied('run', `* (to set ${name})`),
        );
        const few = context({ run: ['*'] }, { asked: { run: ['id'] } });
        await expect(few.run('id', [], { env })).rejects.toMatchObject({ kind: 'run' });
        const harmless = { env: { MY_PATH: dir, PATHS: dir } };
        expect(await context({ run: ['id'] }).run('id', ['-u'], harmless)).toMatchObject({ exit_code: 0 });
      },
    );

    it('rejects with the code of the system, and says which of two is missing', async () => {
      const ctx = context(EVERYTHING);
      await expect(ctx.run('no-such-program')).rejects.toMatchObject({
        code: 'ENOENT',
        message: 'Cannot run no-such-program: ENOENT',
      });
      await expect(ctx.run('true', [], { cwd: '/no/such' })).rejects.toMatchObject({
        code: 'ENOENT',
        message: 'Cannot run true: ENOENT (there is no folder /no/such)',
      });
      await expect(ctx.run('true', ['a\0'])).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    });

    it('ends at its time, with all that was started', async () => {
      const script = `sleep 1000 & echo $! > ${join(dir, 'pid')}; wait`;
      await expect(context(EVERYTHING).run('sh', ['-c', script], { timeout: 300 })).rejects.toMatchObject({
        code: 'ETIMEDOUT',
      });
    });

    it('ends when it is called off, and does not begin after that', async () => {
      const ctx = context(EVERYTHING);
      const running = expect(
        ctx.run('sh', ['-c', `echo > ${join(dir, 'begun')}; sleep 1000`]),
      ).rejects.toMatchObject({
        code: 'ABORT_ERR',
      });
      await until(() => readdirSync(dir).includes('begun'));
      controller.abort();
      await running;
      await expect(ctx.run('touch', [join(dir, 'never')])).rejects.toMatchObject({ name: 'AbortError' });
      expect(readdirSync(dir)).toEqual(['begun']);
    });
  });

  describe('readFile', () => {
    it('reads what is granted', async () => {
      const ctx = reader();
      expect(await ctx.readFile(join(dir, 'in', 'file'))).toBe('inside');
      expect(await ctx.readFile(join(dir, 'out', '..', 'in', 'file'))).toBe('inside');
    });

    it('reads what has no size of its own', async () => {
      expect(await context({ read: ['/proc'] }).readFile('/proc/self/stat')).toContain('(');
    });

    it.each<[string, () => string]>([
      ['beside it', () => join(dir, 'out', 'file')],
      ['by going up', () => join(dir, 'in', '..', 'out', 'file')],
      [
        'by a link to a file',
        () => {
          symlinkSync(join(dir, 'out', 'file'), join(dir, 'in', 'link'));
          return join(dir, 'in', 'link');
        },
      ],
      [
        'by a relative link',
        () => {
          symlinkSync('../out/file', join(dir, 'in', 'link'));
          return join(dir, 'in', 'link');
        },
      ],
      [
        'by a link to a folder',
        () => {
          symlinkSync(join(dir, 'out'), join(dir, 'in', 'link'));
          return join(dir, 'in', 'link', 'file');
        },
      ],
      [
        'by a link to a link',
        () => {
          symlinkSync(join(dir, 'in', 'second'), join(dir, 'in', 'first'));
          symlinkSync(join(dir, 'out', 'file'), join(dir, 'in', 'second'));
          return join(dir, 'in', 'first');
        },
      ],
    ])('reads and looks at nothing %s', async (_, arrange) => {
      const ctx = reader();
      const path = arrange();
      const refused = denied('read', join(dir, 'out', 'file'));
      await expect(ctx.readFile(path)).rejects.toMatchObject(refused);
      await expect(ctx.stat(path)).rejects.toMatchObject(refused);
    });

    it.each<[string, () => string]>([
      ['beside it', () => join(dir, 'out', 'none')],
      [
        'by a link',
        () => {
          symlinkSync(join(dir, 'out', 'none'), join(dir, 'in', 'link'));
          return join(dir, 'in', 'link');
        },
      ],
      [
        'in a folder that a link leads to',
        () => {
          symlinkSync('../out', join(dir, 'in', 'link'));
          return join(dir, 'in', 'link', 'none');
        },
      ],
    ])('does not tell by its answer that something is missing %s', async (_, arrange) => {
      const ctx = reader();
      const path = arrange();
      const refused = denied('read', join(dir, 'out', 'none'));
      await expect(ctx.readFile(path)).rejects.toMatchObject(refused);
      await expect(ctx.stat(path)).rejects.toMatchObject(refused);
    });

    it('follows links that stay inside', async () => {
      const ctx = reader();
      symlinkSync('file', join(dir, 'in', 'link'));
      expect(await ctx.readFile(join(dir, 'in', 'link'))).toBe('inside');
    });

    it('reads nothing that a link leads to which was put there while it looked', async () => {
      mkdirSync(join(dir, 'in'));
      writeFileSync(join(dir, 'in', 'file'), 'inside');
      writeFileSync(join(dir, 'secret'), 'outside');
      const { promises } = host.files;
      const swapping = {
        ...host.files,
        promises: {
          ...promises,
          open: (async (path, ...rest) => {
            rmSync(join(dir, 'in', 'file'));
            symlinkSync(join(dir, 'secret'), join(dir, 'in', 'file'));
            return await promises.open(path, ...rest);
          }) as typeof promises.open,
        },
      };
      const ctx = context({ read: [join(dir, 'in')] }, { on: { ...host, files: swapping } });
      await expect(ctx.readFile(join(dir, 'in', 'file'))).rejects.toMatchObject(
        denied('read', join(dir, 'secret')),
      );
    });

    it('rejects for what is not there, no file, too large, or a circle', async () => {
      const ctx = reader();
      const path = (name: string): string => join(dir, 'in', name);
      await expect(ctx.readFile(path('none'))).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(ctx.readFile(path('file/none'))).rejects.toMatchObject({
        code: expect.stringMatching(/ENO/),
      });
      await expect(ctx.readFile(join(dir, 'in'))).rejects.toThrow('it must be a regular file');
      symlinkSync('circle', path('circle'));
      await expect(ctx.readFile(path('circle'))).rejects.toMatchObject({ code: 'ELOOP' });
      writeFileSync(path('limit'), 'x'.repeat(1024 * 1024));
      expect(await ctx.readFile(path('limit'))).toHaveLength(1024 * 1024);
      writeFileSync(path('large'), 'x'.repeat(1024 * 1024 + 1));
      await expect(ctx.readFile(path('large'))).rejects.toMatchObject({ code: 'EFBIG' });
      await expect(context({ read: ['/dev'] }).readFile('/dev/zero')).rejects.toThrow('a regular file');
    });

    it('does not wait for the writer of a FIFO', async () => {
      const path = join(dir, 'fifo');
      execFileSync('mkfifo', [path]);
      await expect(context({ read: [dir] }).readFile(path)).rejects.toThrow('it must be a regular file');
    });

    it('leaves no descriptor open', async () => {
      const ctx = reader();
      execFileSync('mkfifo', [join(dir, 'in', 'fifo')]);
      const before = readdirSync('/proc/self/fd').length;
      for (let count = 0; count < 10; count += 1) {
        await ctx.readFile(join(dir, 'in', 'file'));
        await ctx.readFile(join(dir, 'in', 'fifo')).catch(() => {});
        await ctx.readFile(join(dir, 'in')).catch(() => {});
      }
      expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    });

    it('does not begin once it is called off', async () => {
      controller.abort();
      await expect(reader().readFile(join(dir, 'in', 'file'))).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  describe('stat', () => {
    it('tells what is there', async () => {
      const ctx = context({ read: [dir] });
      writeFileSync(join(dir, 'file'), 'four');
      utimesSync(join(dir, 'file'), 1000, 1000.5);
      symlinkSync('file', join(dir, 'link'));
      execFileSync('mkfifo', [join(dir, 'fifo')]);
      await listen(createServer(), join(dir, 'sock'));
      const { dev, ino } = statSync(join(dir, 'file'), { bigint: true });
      const file = { id: `${dev}:${ino}`, kind: 'file', size: 4, modified_at: 1_000_500 };
      expect(await ctx.stat(join(dir, 'file'))).toEqual(file);
      expect(await ctx.stat(join(dir, 'link'))).toEqual(file);
      expect(await ctx.stat(dir)).toMatchObject({ kind: 'folder' });
      expect(await ctx.stat(join(dir, 'fifo'))).toMatchObject({ kind: 'other' });
      expect(await ctx.stat(join(dir, 'sock'))).toMatchObject({ kind: 'socket' });
    });

    it('is null where nothing is', async () => {
      const ctx = context({ read: [dir] });
      writeFileSync(join(dir, 'file'), '');
      symlinkSync('none', join(dir, 'link'));
      expect(await ctx.stat(join(dir, 'none'))).toBeNull();
      expect(await ctx.stat(join(dir, 'none', 'deep', 'er'))).toBeNull();
      expect(await ctx.stat(join(dir, 'file', 'below'))).toBeNull();
      expect(await ctx.stat(join(dir, 'link'))).toBeNull();
    });
  });

  describe('connect and fetch', () => {
    it('reach what is granted, by port and by socket', async () => {
      const port = await listen(createServer((socket) => socket.end('hello')));
      const path = join(dir, 'a.sock');
      await listen(
        createServer((socket) => socket.end('hello')),
        path,
      );
      const ctx = context({ net: [`127.0.0.1:${port}`, `unix:${path}`] });
      for (const target of [{ host: '127.0.0.1', port }, { path }]) {
        const connection = await ctx.connect(target);
        expect(String(await connection.read())).toBe('hello');
        await connection.close();
      }
      await expect(ctx.connect({ host: 'localhost', port })).rejects.toMatchObject(
        denied('net', `localhost:${port}`),
      );
    });

    it('ask only what is granted, whatever the URL looks like', async () => {
      const port = await listen(createHttpServer((request, response) => response.end(request.headers.host)));
      const ctx = context({ net: [`127.0.0.1:${port}`] });
      expect(await ctx.fetch(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 200 });
      // Other spellings of the same address.
      expect(await ctx.fetch(`http://127.1:${port}/`)).toMatchObject({ status: 200 });
      expect(await ctx.fetch(`http://0x7f000001:${port}/`)).toMatchObject({ status: 200 });
      for (const url of [`http://127.0.0.1@127.0.0.2:${port}/`, `http://127.0.0.2:${port}/#127.0.0.1`]) {
        await expect(ctx.fetch(url)).rejects.toMatchObject(denied('net', `127.0.0.2:${port}`));
      }
      const headers = { host: '127.0.0.2' };
      expect(await ctx.fetch(`http://127.0.0.1:${port}/`, { headers })).toMatchObject({ body: '127.0.0.2' });
    });

    it.each(['file:///etc/passwd', 'data:text/plain,a', 'ws://a/', 'ftp://a/'])(
      'fetch does not take %s',
      async (url) => {
        await expect(context(EVERYTHING).fetch(url)).rejects.toThrow('its protocol must be http: or https:');
      },
    );

    it('fetch ends at its time by the clock of the host, and lets the timer go', async () => {
      const clock = new FakeClock();
      const server = createHttpServer();
      const asked = once(server, 'request');
      const port = await listen(server);
      const ctx = context(EVERYTHING, { on: { ...host, clock } });
      const answer = expect(ctx.fetch(`http://127.0.0.1:${port}/`, { timeout: 5000 })).rejects.toMatchObject({
        code: 'ETIMEDOUT',
        message: 'no answer within 5 s',
      });
      await asked;
      clock.advance(5000);
      await answer;
      expect(clock.pending).toBe(0);
    });

    it('fetch takes ten seconds where it is not told, and leaves no timer behind', async () => {
      const clock = new FakeClock();
      const port = await listen(createHttpServer((_, response) => response.end('x'.repeat(100))));
      const ctx = context(EVERYTHING, { on: { ...host, clock } });
      expect(await ctx.fetch(`http://127.0.0.1:${port}/`, { max_body: 10 })).toMatchObject({
        body: 'x'.repeat(10),
      });
      expect(clock.pending).toBe(0);
    });

    it('do not begin once they are called off', async () => {
      controller.abort();
      const ctx = context(EVERYTHING);
      await expect(ctx.connect({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ name: 'AbortError' });
      await expect(ctx.fetch('http://127.0.0.1:1/')).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  it('tells the wall time of the host', () => {
    const clock = new FakeClock();
    clock.advance(5);
    expect(context({}, { on: { ...host, clock } }).now()).toBe(clock.wall());
  });
});

describe('unlessAborted', () => {
  it('gives what the work gives', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(signal, async () => 5)).toBe(5);
    await expect(unlessAborted(signal, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(
      unlessAborted(signal, () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    await until(() => getEventListeners(signal, 'abort').length === 0);
  });

  it('waits no longer than the signal lets it', async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(controller.signal, () => new Promise<never>(() => {}));
    controller.abort(new Error('late'));
    await expect(waiting).rejects.toThrow('late');
    let begun = false;
    const never = unlessAborted(controller.signal, async () => {
      begun = true;
    });
    await expect(never).rejects.toThrow('late');
    expect(begun).toBe(false);
  });
});
