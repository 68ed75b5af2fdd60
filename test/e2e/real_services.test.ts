/**
 * redis, nginx and a Node server under upkeep, each with its real port, socket and PID file, through what happens to
 * services. After each of it the service is back in the same run and the same job, and upkeep can say why.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActionView } from '../../core/supervisor/control.ts';
import { freePort, pidOf, Sandbox, signalMain } from '../support/sandbox.ts';
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

const isThere = (program: string): boolean => spawnSync('which', [program]).status === 0;
const missing = (name: string): boolean =>
  !existsSync('/proc/self') || !isThere('nc') || !(name === 'node server' || isThere(name));

/** Leaves a socket at `path` that nobody listens on. */
async function leaveSocket(path: string): Promise<void> {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
}

/** A pid that was somebody's a moment ago. */
function deadPid(): number {
  return spawnSync('true').pid;
}

/** The pids of a process's children. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

/** Where a service was before something happened to it. */
interface Before extends ActionView {
  readonly run_id: string | null;
}

describe.each(Object.entries(programs))('%s under upkeep (needs it, nc and /proc)', (name, program) => {
  const test = it.skipIf(missing(name));
  let sandbox: Sandbox;
  let place: Place;
  let stranger: ChildProcess | null = null;

  beforeEach(async () => {
    stranger = null;
    sandbox = new Sandbox({});
    const dir = sandbox.path('work');
    mkdirSync(dir);
    place = { dir, port: await freePort(), socket: `${dir}/it.sock`, pid_file: `${dir}/it.pid` };
  });
  afterEach(async () => {
    await endStranger();
    await sandbox.remove();
  });

  /** Ends it with all that it has started: it has a group of its own, which is its own until its exit is told. */
  async function endStranger(): Promise<void> {
    if (stranger === null || stranger.exitCode !== null || stranger.signalCode !== null) return;
    const ended = new Promise((resolve) => stranger?.once('exit', resolve));
    process.kill(-pidOf({ pid: stranger.pid ?? null }), 'SIGKILL');
    await ended;
  }

  async function up(extra: object = {}, argv = program(place)): Promise<Before> {
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
    return { ...(await isServing()), run_id: (await sandbox.service('it')).run_id };
  }

  async function isServing(): Promise<ActionView> {
    expect(await answers({ port: place.port })).toBe(true);
    expect(await answers({ path: place.socket })).toBe(true);
    const action = await sandbox.action('it');
    expect(Number(readFileSync(place.pid_file, 'utf8'))).toBe(action.pid);
    return action;
  }

  /** It is up again, where it was, and says why. */
  async function backAgain(before: Before, because: { code: string; message: RegExp }): Promise<void> {
    await sandbox.untilAction(
      'it',
      (action) => action.phase === 'running' && action.restart_count > before.restart_count,
    );
    const after = await isServing();
    expect(after.job_id).toBe(before.job_id);
    expect(after.restart_count).toBe(before.restart_count + 1);
    expect(await sandbox.service('it')).toMatchObject({ state: 'up', run_id: before.run_id });
    const [why] = (await sandbox.why('it')).actions;
    expect(why).toMatchObject({ code: because.code, message: expect.stringMatching(because.message) });
  }

  /** The messages of the events with a code, oldest first. */
  async function told(code: string): Promise<string[]> {
    const events = await sandbox.events('it');
    return events.flatMap((event) => (event.code === code ? [event.message] : []));
  }

  test('is back after SIGKILL', async () => {
    const before = await up();
    signalMain(before, 'SIGKILL');
    await backAgain(before, { code: 'SIGNALED', message: /killed by SIGKILL/ });
  });

  test('is back by `upkeep restart` when it hangs (SIGSTOP): SIGKILL after the deadline', async () => {
    const before = await up();
    signalMain(before, 'SIGSTOP');
    expect((await sandbox.cli('restart', 'it')).code).toBe(0);
    await backAgain(before, { code: 'REQUESTED', message: /restart requested/ });
    expect(await told('STOP_TIMEOUT')).toEqual(['did not stop within 1 s; sent SIGKILL']);
  });

  test('waits for a stranger that took its port, names it, and is back once it leaves', async () => {
    const before = await up({ restart: { delay: '2s', factor: 1, jitter: 0, stable_after: '1h' } });
    // It tries all the time, so that the port is its own as soon as it is free.
    stranger = spawn('sh', ['-c', `until nc -l 127.0.0.1 ${place.port}; do sleep 0.01; done`], {
      stdio: 'ignore',
      detached: true,
    });
    signalMain(before, 'SIGKILL');
    await sandbox.untilAction('it', (action) => action.reason?.code === 'PORT_HELD');
    const [nc] = childrenOf(pidOf({ pid: stranger.pid ?? null }));
    const [why] = (await sandbox.why('it')).actions;
    expect(why).toMatchObject({
      code: 'PORT_HELD',
      message: expect.stringMatching(`nc -l 127.0.0.1 ${place.port}.* because: killed by SIGKILL$`),
      evidence: { holder: { pid: nc } },
    });
    expect(await sandbox.service('it')).toMatchObject({ state: 'retrying', run_id: before.run_id });

    await endStranger();
    // It is why it was started, whatever kept it waiting.
    await backAgain(before, {
      code: 'SIGNALED',
      message: new RegExp(`killed by SIGKILL; first it had to wait: .*nc -l 127.0.0.1 ${place.port}`),
    });
    expect((await sandbox.why('it')).actions[0]?.evidence).toMatchObject({
      exit_signal: 'SIGKILL',
      waited_for: { code: 'PORT_HELD', evidence: { holder: { pid: nc } } },
    });
    // To wait for a holder is no failed try; both are in the timeline.
    expect((await sandbox.action('it')).attempt).toBe(1);
    const codes = (await sandbox.events('it')).map((event) => event.code);
    expect(codes.indexOf('SIGNALED')).toBeGreaterThan(0);
    expect(codes.indexOf('PORT_HELD')).toBeGreaterThan(codes.indexOf('SIGNALED'));
  });

  test('is not kept by a stale socket and a dead PID file, at the first start and after a crash', async () => {
    await leaveSocket(place.socket);
    const dead = deadPid();
    writeFileSync(place.pid_file, `${dead}\n`);
    const before = await up({ restart: { delay: '1s', factor: 1, jitter: 0, stable_after: '1h' } });
    const staleSocket = `removed the stale socket ${place.socket}`;
    const stalePidFile = `removed the stale PID file ${place.pid_file}, which named pid ${dead}, which is gone`;
    expect((await told('RECLAIMED')).sort()).toEqual([stalePidFile, staleSocket]);
    expect(before.restart_count).toBe(0);

    signalMain(before, 'SIGKILL');
    await sandbox.untilAction('it', (action) => action.phase === 'retrying');
    expect(lstatSync(place.socket).isSocket()).toBe(true);
    expect(await answers({ path: place.socket })).toBe(false);
    await backAgain(before, { code: 'SIGNALED', message: /killed by SIGKILL/ });
    expect((await told('RECLAIMED')).filter((message) => message === staleSocket)).toHaveLength(2);
    const [why] = (await sandbox.why('it')).actions;
    expect(why?.events.map((event) => event.message)).toContain(staleSocket);
  });

  test('has no children of other sessions and empty environments left after a crash', async () => {
    const children = `${place.dir}/children`;
    const script = `setsid env -i sh -c 'echo $$ >> ${children}; exec sleep 1000' & exec "$@"`;
    const before = await up({}, ['sh', '-c', script, 'sh', ...program(place)]);
    await until(() => existsSync(children));
    const [child] = readFileSync(children, 'utf8').trim().split('\n');
    expect(readFileSync(`/proc/${child}/environ`, 'utf8')).not.toContain('UPKEEP_JOB');
    signalMain(before, 'SIGKILL');
    await until(() => !existsSync(`/proc/${child}`));
    await backAgain(before, { code: 'SIGNALED', message: /killed by SIGKILL/ });
  });
});
