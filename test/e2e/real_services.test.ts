/**
 * redis, nginx and a Node server under upkeep, each with its real port, socket and PID file, through what happens to
 * services.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActionView } from '../../core/supervisor/control.ts';
import { freePort, Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const SERVICE = fileURLToPath(new URL('../fixtures/service.mjs', import.meta.url));

interface Place {
  readonly dir: string;
  readonly port: number;
  readonly socket: string;
  readonly pid_file: string;
}

/** What to run; `argv` must stay in the foreground. */
type Program = (place: Place) => readonly string[];

const programs: Record<string, Program> = {
  'redis-server': ({ dir, port, socket, pid_file }) => [
    'redis-server',
    ...['--port', String(port), '--bind', '127.0.0.1', '--unixsocket', socket, '--pidfile', pid_file],
    ...['--daemonize', 'no', '--save', '', '--appendonly', 'no', '--dir', dir],
  ],
  nginx: ({ dir, port, socket, pid_file }) => {
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${dir}/${name};`,
    );
    writeFileSync(
      `${dir}/nginx.conf`,
      `daemon off; pid ${pid_file}; error_log stderr; worker_processes 2; user root;
      events { worker_connections 64; }
      http { access_log off; ${temp.join(' ')}
        server { listen 127.0.0.1:${port}; listen unix:${socket}; location / { return 200 ok; } } }`,
    );
    return ['nginx', '-p', dir, '-c', `${dir}/nginx.conf`];
  },
  'node server': ({ port, socket }) => [
    'env',
    `TCP_PORT=${port}`,
    `UNIX_SOCKET=${socket}`,
    process.execPath,
    SERVICE,
  ],
};

function answers(where: { port: number } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', ...where });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

describe.each(Object.entries(programs))('%s under upkeep', (_name, program) => {
  let sandbox: Sandbox;
  let place: Place;

  beforeEach(async () => {
    sandbox = new Sandbox({});
    const dir = sandbox.path('work');
    mkdirSync(dir);
    place = { dir, port: await freePort(), socket: `${dir}/it.sock`, pid_file: `${dir}/it.pid` };
  });
  afterEach(() => sandbox.remove());

  async function up(extra: object = {}, argv = program(place)): Promise<ActionView> {
    const main = {
      process: true,
      run: argv,
      cwd: place.dir,
      tcp_ports: [`127.0.0.1:${place.port}`],
      sockets: [place.socket],
      pid_file: place.pid_file,
      restart: { delay: '1s', factor: 1, jitter: 0, stable_after: '200ms' },
      stop: { timeout: '1s' },
      ...extra,
    };
    sandbox.write({ it: { actions: { main } } });
    await sandbox.up();
    await sandbox.untilAction('it', (action) => action.phase === 'running');
    expect(await answers({ port: place.port })).toBe(true);
    expect(await answers({ path: place.socket })).toBe(true);
    const action = await sandbox.action('it');
    expect(Number(readFileSync(place.pid_file, 'utf8'))).toBe(action.pid);
    return action;
  }

  async function backAgain(before: ActionView, code: string): Promise<void> {
    await sandbox.untilAction(
      'it',
      (action) => action.phase === 'running' && action.restart_count > before.restart_count,
    );
    const after = await sandbox.action('it');
    expect(after.job_id).toBe(before.job_id);
    expect(after.restart_count).toBe(before.restart_count + 1);
    expect(await answers({ port: place.port })).toBe(true);
    expect(await answers({ path: place.socket })).toBe(true);
    const [why] = (await sandbox.why('it')).actions;
    expect(why?.code).toBe(code);
    expect((await sandbox.service('it')).state).toBe('up');
  }

  it('is back after SIGKILL, though it left its socket and PID file behind', async () => {
    const before = await up();
    signalMain(before, 'SIGKILL');
    await backAgain(before, 'SIGNALED');
  });

  it('is back by `upkeep restart` when it hangs (SIGSTOP): SIGKILL after the deadline', async () => {
    const before = await up();
    signalMain(before, 'SIGSTOP');
    expect((await sandbox.cli('restart', 'it')).code).toBe(0);
    await backAgain(before, 'REQUESTED');
    expect((await sandbox.events('it')).map((event) => event.code)).toContain('STOP_TIMEOUT');
  });

  it('waits for a stranger that took its port, names it, and is back once it leaves', async () => {
    const before = await up({ restart: { delay: '700ms', factor: 1, jitter: 0, stable_after: '1h' } });
    signalMain(before, 'SIGKILL');
    await until(async () => !(await answers({ port: place.port })), 2);
    const nc = spawn('nc', ['-l', '127.0.0.1', String(place.port)], { stdio: 'ignore' });
    try {
      await sandbox.untilAction('it', (action) => action.reason?.code === 'PORT_HELD');
      const [why] = (await sandbox.why('it')).actions;
      expect(JSON.stringify(why?.evidence)).toContain(`"pid":${nc.pid}`);
      expect(why?.message).toContain('nc -l');
    } finally {
      nc.kill('SIGKILL');
    }
    await sandbox.untilAction('it', (action) => action.phase === 'running');
    const after = await sandbox.action('it');
    expect(after).toMatchObject({ job_id: before.job_id, restart_count: before.restart_count + 1 });
    expect(after.attempt).toBe(1);
  });

  it('has no children of other sessions and empty environments left after a crash', async () => {
    const children = `${place.dir}/children`;
    const script = `setsid env -i sh -c 'echo $$ >> ${children}; exec sleep 1000' & exec "$@"`;
    const before = await up({}, ['sh', '-c', script, 'sh', ...program(place)]);
    await until(() => existsSync(children));
    const [child] = readFileSync(children, 'utf8').trim().split('\n');
    signalMain(before, 'SIGKILL');
    await until(() => !existsSync(`/proc/${child}`));
    await backAgain(before, 'SIGNALED');
  });
});
