/**
 * A hostile local client, and a careless one, against the real daemon.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../adapters/client/client.ts';
import { freePort, type Ran, run, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));
const ROOT_USER = process.getuid?.() === 0;
const SERVICES = { web: { actions: { main: { process: true, run: 'exec sleep 1000' } } } };

let box: Sandbox;
let port: number;
let sockets: Socket[] = [];

/** What several tests ask, and none of them changes. */
let shared: Sandbox | null = null;

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  if (box !== shared) await box.remove();
});

async function up(...args: string[]): Promise<string> {
  box = new Sandbox(SERVICES);
  port = await freePort();
  await box.up({}, '--listen', String(port), ...args);
  // The Unix socket answers first.
  await until(() => box.output.includes('upkeep is at http'));
  return fs.readFileSync(join(box.state, 'token'), 'utf8').trim();
}

function ask(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** What comes back until the connection is closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}

/** `upkeep token …`: the options of a subcommand stand after it. */
function tokenCommand(verb: string, ...args: string[]): Promise<Ran> {
  return run(process.execPath, [MAIN, 'token', verb, '--state', box.state, ...args]);
}

/** Everything that a hostile client must not have changed. */
async function state(): Promise<unknown> {
  const { wanted, actions } = await box.service('web');
  return [wanted, actions.map(({ pid, restart_count }) => [pid, restart_count])];
}

describe('the listener', () => {
  it('has its token in a file of the owner alone, and tells a pipe where it is and not what', async () => {
    const token = await up();
    expect(fs.statSync(join(box.state, 'token')).mode & 0o777).toBe(0o600);
    expect(box.output).toContain(
      `upkeep is at http://127.0.0.1:${port}/ (its token is in ${box.state}/token)`,
    );
    expect(box.output).not.toContain(token);
    expect((await ask('/v1/services', bearer(token))).status).toBe(200);
    // The same one the next time.
    await box.down();
    await box.up({}, '--listen', String(port));
    await until(async () => (await ask('/v1/services', bearer(token)).catch(() => null))?.status === 200);
  });

  it('is the same app as the Unix socket', async () => {
    const token = await up();
    const client = createClient({ url: `http://localhost:${port}`, token });
    expect(await client.service.list()).toEqual(await box.client.service.list());
    client.close();
  });

  it('in the background prints no token into a pipe, and keeps none in its log', async () => {
    box = new Sandbox(SERVICES);
    port = await freePort();
    const ran = await box.cli('up', '-f', box.file, '-d', '--listen', `localhost:${port}`);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const token = fs.readFileSync(join(box.state, 'token'), 'utf8').trim();
    expect((await ask('/v1/services', bearer(token))).status).toBe(200);
    expect(ran.stdout).toContain(`http://127.0.0.1:${port}/`);
    expect(ran.stdout + fs.readFileSync(join(box.state, 'upkeep.log'), 'utf8')).not.toContain(token);
    expect((await box.cli('down')).code).toBe(0);
  });

  it.each(['0.0.0.0:8080', '[::]:8080', '192.168.0.1:80', '8080x', '70000'])(
    'at %s is refused, with exit code 2, before anything is started',
    async (listen) => {
      box = new Sandbox(SERVICES);
      const ran = await box.cli('up', '-f', box.file, '--listen', listen);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(
        /Cannot listen at '.*' as its (address|port) must be .*: current value is '/,
      );
      expect(fs.existsSync(box.state)).toBe(false);
    },
  );

  it('at a port that is taken keeps upkeep from starting anything', async () => {
    await up();
    const other = new Sandbox(SERVICES);
    const ran = await other.cli('up', '-f', other.file, '--listen', String(port));
    expect([ran.code, ran.stderr]).toEqual([1, `upkeep: cannot listen at 127.0.0.1:${port}: EADDRINUSE\n`]);
    expect(other.marked()).toEqual([]);
    await other.remove();
  });
});

describe('a client without a right', () => {
  let token: string;
  beforeAll(async () => {
    token = await up();
    shared = box;
  });
  afterAll(async () => {
    await shared?.remove();
    shared = null;
  });

  it('changes nothing and learns nothing, however it asks', async () => {
    const before = await state();
    const post = { method: 'POST' };
    const short = (await box.client.token.create({ name: 'short', scope: 'admin', expires_in: 1000 })).secret;
    const gone = (await box.client.token.create({ name: 'gone', scope: 'admin' })).secret;
    await box.client.token.revoke({ name: 'gone' });
    await until(async () => (await box.client.token.list()).items.some(({ state }) => state === 'expired'));
    const stop = '/v1/services/web/stop';
    for (const [headers, status, why] of [
      [{}, 401, 'a token is needed'],
      [bearer('wrong'), 401, 'not known'],
      [bearer(short), 401, 'expired'],
      [bearer(gone), 401, 'revoked'],
      [{ ...bearer(token), origin: 'http://evil.example' }, 403, 'Origin'],
      [{ ...bearer(token), origin: 'null' }, 403, 'Origin'],
      [{ cookie: `token=${token}` }, 401, 'a token is needed'],
    ] as const) {
      const response = await ask(stop, headers, post);
      expect([why, response.status]).toEqual([why, status]);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect(await response.text()).toContain(why);
    }
    // A token in the path or the query is none: it would be in histories and logs.
    expect((await ask(`${stop}?token=${token}`, {}, post)).status).toBe(401);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`]) {
      const answer = await raw(
        `POST ${stop} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      );
      expect([host, answer.slice(0, 12)]).toEqual([host, 'HTTP/1.1 403']);
    }
    expect(await state()).toEqual(before);
    const denied = (await box.client.audit.list()).items.filter(
      ({ operation }) => operation === 'service.stop',
    );
    expect(denied).toEqual([]);
  });

  it('gets nowhere by a name that is a path, with every right', async () => {
    const before = await state();
    const names = ['..', '%2e%2e', '%2e%2e%2f', '..%2f..%2fetc%2fpasswd', '%00', 'web%00', '%2f', '/', '//'];
    for (const name of [...names, '\\', '%5c', '%ff', '%']) {
      for (const at of [`/v1/services/${name}/stop`, `/v1/jobs/${name}/log`, `/v1/runs/${name}/x`]) {
        const method = at.endsWith('stop') ? 'POST' : 'GET';
        const answer = await raw(
          `${method} ${at} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        );
        expect([at, answer.slice(0, 12)]).toEqual([at, expect.stringMatching(/^HTTP\/1\.1 (400|404|405)$/)]);
        expect(answer).not.toContain('root:');
      }
    }
    expect(await state()).toEqual(before);
  });

  it('gets a plain answer for any name', async () => {
    const names = ['x'.repeat(3000), 'w\u00e9b\u202e\u{1f600}', '0', '__proto__', 'constructor', 'toString'];
    for (const path of names.map(encodeURIComponent)) {
      for (const at of [`/v1/services/${path}`, `/v1/jobs/${path}/log`, `/v1/runs/${path}`]) {
        expect([400, 404]).toContain((await ask(at, bearer(token))).status);
      }
      const response = await ask(`/v1/services/${path}/restart`, bearer(token), { method: 'POST' });
      expect([400, 404]).toContain(response.status);
    }
    expect((await ask('/healthz', bearer(token))).status).toBe(200);
  });

  it('cannot smuggle a second request in', async () => {
    const before = await state();
    const head = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}`;
    const second = `POST /v1/services/web/stop HTTP/1.1\r\n${head}\r\n\r\n`;
    for (const lengths of [
      'Content-Length: 0\r\nContent-Length: 5',
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
      'Transfer-Encoding: chunked, identity',
    ]) {
      const answer = await raw(
        `POST /v1/services/nope/start HTTP/1.1\r\n${head}\r\nContent-Type: application/json\r\n${lengths}\r\n\r\n0\r\n\r\n${second}`,
      );
      expect([lengths, answer.slice(0, 12)]).toEqual([lengths, 'HTTP/1.1 400']);
    }
    expect(await state()).toEqual(before);
  });

  it('that says nothing, or never comes to an end, is hung up on', async () => {
    const dripping = connect(port, '127.0.0.1');
    sockets.push(dripping);
    const closed = new Promise((resolve) => dripping.on('error', () => {}).once('close', resolve));
    dripping.write('GET / HTTP/1.1\r\n');
    const drip = setInterval(() => dripping.write('X-A: b\r\n'), 500);
    await Promise.all([raw(''), raw('GET /v1'), closed]);
    clearInterval(drip);
  });
});

describe('a client that is too many', () => {
  it('who guesses is told to wait, and the good token is not', async () => {
    const token = await up();
    const statuses: number[] = [];
    for (let i = 0; i < 30; i++) statuses.push((await ask('/v1/services', bearer(`wrong-${i}`))).status);
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses).toContain(429);
    expect((await ask('/v1/services', bearer(token))).status).toBe(200);
  });

  it('that opens ten thousand connections stops nobody on the Unix socket, and room comes back', async () => {
    const token = await up();
    const ended: Promise<unknown>[] = [];
    for (let i = 0; i < 10_000; i++) {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      ended.push(new Promise((resolve) => socket.once('connect', resolve).once('error', resolve)));
      if (i % 200 === 0) await ended.at(-1);
    }
    await Promise.all(ended);
    const descriptors = fs.readdirSync(`/proc/${box.daemon?.pid}/fd`).length;
    expect(descriptors).toBeLessThan(1200);
    expect((await box.client.health.get()).status).toBe('ok');
    expect((await box.client.service.restart({ name: 'web', wait: true })).settled).toBe(true);
    for (const socket of sockets) socket.destroy();
    await until(async () => (await ask('/v1/services', bearer(token)).catch(() => null))?.status === 200);
  });
});

describe('what somebody has planted', () => {
  async function refused(why: RegExp): Promise<void> {
    const ran = await box.cli('up', '-f', box.file, '--listen', String(await freePort()));
    expect(ran.stderr).toMatch(why);
    expect(ran.code).toBe(1);
    expect(box.marked()).toEqual([]);
  }

  function folder(mode = 0o700): void {
    box = new Sandbox(SERVICES);
    fs.mkdirSync(box.state);
    fs.chmodSync(box.state, mode);
  }

  it.each(['upkeep.sock', 'token'])('a link at %s is not followed', async (name) => {
    folder();
    fs.symlinkSync(box.path('victim'), join(box.state, name));
    await refused(/is no socket|must be a plain file: current value is a link/);
    expect(fs.existsSync(box.path('victim'))).toBe(false);
    expect(fs.lstatSync(join(box.state, name)).isSymbolicLink()).toBe(true);
  });

  it('a token that others may read is not used', async () => {
    folder();
    fs.writeFileSync(join(box.state, 'token'), '', { mode: 0o644 });
    await refused(/must be readable by its owner only/);
    expect(fs.statSync(join(box.state, 'token')).size).toBe(0);
  });

  it('a state folder that others may write to is not used', async () => {
    folder(0o777);
    await refused(/others may write to/);
  });

  it.skipIf(!ROOT_USER)('a state folder of another user is not used (needs root)', async () => {
    folder();
    fs.chownSync(box.state, 65_534, 65_534);
    await refused(/belong/);
  });

  it.skipIf(!ROOT_USER)('another user cannot open the socket (needs root)', async () => {
    await up();
    // The folder is made passable, so that the socket's own mode is what counts.
    fs.chmodSync(box.dir, 0o755);
    fs.chmodSync(box.state, 0o711);
    const socket = join(box.state, 'upkeep.sock');
    const script = `require('net').connect(${JSON.stringify(socket)}).on('error', (e) => console.log(e.code)).on('connect', () => { console.log('in'); process.exit() })`;
    const child = spawn(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534, cwd: '/' });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(said).toBe('EACCES\n');
  });
});

describe('read-only', () => {
  it('refuses commands on every face and says why; the owner ends it all the same', async () => {
    const token = await up('--read-only');
    const before = await state();
    const response = await ask('/v1/services/web/restart', bearer(token), { method: 'POST' });
    expect([response.status, await response.json()]).toMatchObject([
      403,
      { code: 'forbidden', detail: expect.stringContaining('--read-only') },
    ]);
    const ran = await box.cli('restart', 'web');
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('--read-only')]);
    expect((await tokenCommand('create', 'x')).code).toBe(1);
    expect((await box.cli('status')).code).toBe(0);
    expect((await ask('/v1/shutdown', bearer(token), { method: 'POST' })).status).toBe(403);
    expect(await state()).toEqual(before);
    expect((await box.cli('down')).code).toBe(0);
  });
});

describe('by the command line', () => {
  it('tokens are made, listed and taken back, and everything is in the audit', async () => {
    await up();
    const made = await tokenCommand('create', 'ci', '--scope', 'operate', '--expires', '1h');
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('once') });
    const secret = made.stdout.trim();
    expect((await ask('/v1/services/web/restart', bearer(secret), { method: 'POST' })).status).toBe(200);
    const listed = await tokenCommand('list');
    expect(listed.stdout).toMatch(/ci +operate +live .* in 59m/);
    expect(listed.stdout).toMatch(/initial +admin +live .* never/);
    expect(listed.stdout).not.toContain('upk_');
    expect((await tokenCommand('create', 'ci')).code).toBe(1);
    expect((await tokenCommand('revoke', 'ic')).code).toBe(3);
    expect((await tokenCommand('revoke', 'ci')).code).toBe(0);
    expect((await ask('/v1/services', bearer(secret))).status).toBe(401);
    const audit = (await box.cli('audit')).stdout;
    expect(audit).toMatch(/service\.restart +web +http +ci .* done/);
    expect(audit).toMatch(/token\.create +ci +cli +unix .* failed: conflict/);
    expect(audit).toMatch(/token\.revoke +ic +cli +unix .* failed: not_found/);
    // The next upkeep knows all of it.
    await box.kill();
    await box.up();
    expect((await tokenCommand('list')).stdout).toMatch(/ci +operate +revoked/);
    expect((await box.cli('audit')).stdout).toContain('service.restart');
  });

  it('a first token that was taken back is replaced at the next start', async () => {
    const token = await up();
    expect((await tokenCommand('revoke', 'initial')).code).toBe(0);
    expect((await ask('/v1/services', bearer(token))).status).toBe(401);
    await box.down();
    await box.up({}, '--listen', String(port));
    await until(async () => (await ask('/v1/services', bearer(token)).catch(() => null))?.status === 401);
    const next = fs.readFileSync(join(box.state, 'token'), 'utf8').trim();
    expect(next).not.toBe(token);
    expect((await ask('/v1/services', bearer(next))).status).toBe(200);
  });

  it.each([
    ['token'],
    ['token', 'create'],
    ['token', 'create', 'a', '--scope', 'root'],
    ['token', 'create', 'a', '--expires', 'soon'],
    ['audit', '-n', 'x'],
  ])('%s %s %s %s is wrong use', async (...argv) => {
    box = new Sandbox(SERVICES);
    expect((await run(process.execPath, [MAIN, ...argv.filter((word) => word !== undefined)])).code).toBe(2);
  });
});
