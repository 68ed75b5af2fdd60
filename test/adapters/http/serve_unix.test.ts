import * as fs from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { serveUnix, type UnixServer } from '../../../adapters/http/serve_unix.ts';
import { CannotServe } from '../../../adapters/http/serving.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { FakeControl } from '../../core/operation/fake_control.ts';
import { smallHost } from './small_host.ts';

let dir: string;
let path: string;
let control: FakeControl;
let server: UnixServer | null;

beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-serve-'));
  path = join(dir, 'state', 'upkeep.sock');
  control = new FakeControl();
  server = null;
});

afterEach(async () => {
  await server?.close(0);
  fs.rmSync(dir, { recursive: true, force: true });
});

async function serve(host = smallHost): Promise<UnixServer> {
  const streams = new OpenStreams();
  const app = createApp(control, { clock: host.clock, streams, report: () => {} });
  server = await serveUnix(app, path, { host, streams });
  return server;
}

function get(target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath: path, path: target, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end();
  });
}

describe('the socket', () => {
  test('is its owner’s alone from the instant it is there', async () => {
    const modes: number[] = [];
    const files = {
      ...fs,
      chmodSync: (target: fs.PathLike, mode: fs.Mode) => {
        modes.push(fs.lstatSync(target).mode & 0o777);
        fs.chmodSync(target, mode);
      },
    };
    const mask = process.umask(0);
    try {
      await serve({ ...smallHost, files });
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(mask);
    }
    expect(modes.map((mode) => mode & 0o077)).toEqual([0]);
    expect(fs.lstatSync(path).mode & 0o777).toBe(0o600);
    expect(fs.statSync(join(dir, 'state')).mode & 0o777).toBe(0o700);
    expect(await get('/healthz')).toBe(200);
  });

  test('that a dead daemon left is replaced', async () => {
    fs.mkdirSync(join(dir, 'state'), { mode: 0o700 });
    leaveStaleSocket(path);
    await serve();
    expect(await get('/healthz')).toBe(200);
  });

  test('that somebody serves is not taken away', async () => {
    fs.mkdirSync(join(dir, 'state'), { mode: 0o700 });
    const other = createServer().listen(path);
    await new Promise((resolve) => other.once('listening', resolve));
    await expect(serve()).rejects.toThrow(/in use/);
    expect(await smallHost.net.connectUnix(path)).toBe('connected');
    await new Promise((resolve) => other.close(resolve));
  });

  test.each([
    ['a file', () => fs.writeFileSync(path, 'precious')],
    ['a folder', () => fs.mkdirSync(path)],
    ['a link to nowhere', () => fs.symlinkSync(join(dir, 'victim'), path)],
    [
      'a link to a stale socket',
      () => {
        leaveStaleSocket(join(dir, 'victim'));
        fs.symlinkSync(join(dir, 'victim'), path);
      },
    ],
  ])('%s in its place is left alone', async (_, plant) => {
    fs.mkdirSync(join(dir, 'state'), { mode: 0o700 });
    plant();
    const before = [fs.lstatSync(path).ino, fs.existsSync(join(dir, 'victim'))];
    await expect(serve()).rejects.toThrow(CannotServe);
    expect([fs.lstatSync(path).ino, fs.existsSync(join(dir, 'victim'))]).toEqual(before);
  });

  test('a socket that is exchanged while it is looked at stays', async () => {
    fs.mkdirSync(join(dir, 'state'), { mode: 0o700 });
    leaveStaleSocket(path);
    const connectUnix = async (target: string) => {
      const outcome = await smallHost.net.connectUnix(target);
      fs.unlinkSync(target);
      leaveStaleSocket(target);
      return outcome;
    };
    await expect(serve({ ...smallHost, net: { ...smallHost.net, connectUnix } })).rejects.toThrow(/changed/);
    expect(fs.existsSync(path)).toBe(true);
  });

  test('is not put where others may write', async () => {
    fs.mkdirSync(join(dir, 'state'));
    fs.chmodSync(join(dir, 'state'), 0o777);
    await expect(serve()).rejects.toThrow(/chmod 700/);
    expect(fs.existsSync(path)).toBe(false);
  });
});

describe('closing', () => {
  test('ends streams and idle connections, and the socket is gone', async () => {
    const running = await serve();
    const stream = request({ socketPath: path, path: '/v1/events/stream', agent: false }).end();
    const response = await new Promise<NodeJS.ReadableStream>((resolve) => stream.on('response', resolve));
    const ended = new Promise((resolve) => response.on('end', resolve));
    response.resume();
    const idle = connect(path);
    const hungUp = new Promise((resolve) => idle.on('close', resolve));
    idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => idle.once('data', resolve));

    await running.close(60_000);
    server = null;
    await Promise.all([ended, hungUp]);
    expect(fs.existsSync(path)).toBe(false);
    expect(control.listeners.size).toBe(0);
  });

  test('a request that does not end is cut off in the end', async () => {
    control.settled = () => new Promise(() => {});
    const running = await serve();
    const stuck = request({ socketPath: path, path: '/v1/services/web/start', method: 'POST', agent: false });
    stuck.setHeader('content-type', 'application/json');
    const cut = new Promise((resolve) => stuck.on('error', resolve));
    stuck.end('{"wait":true}');
    await expect.poll(() => control.calls.length).toBeGreaterThan(0);
    await running.close(10);
    server = null;
    expect(await cut).toMatchObject({ code: 'ECONNRESET' });
  });
});

/** A socket that is bound to by nobody any more: its server is closed while it goes by another name. */
function leaveStaleSocket(at: string): void {
  const other = createServer().listen(`${at}.x`);
  fs.renameSync(`${at}.x`, at);
  other.close();
}
