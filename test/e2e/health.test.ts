/**
 * Health checks on real services under the real program: the stock monitoring plugins on nginx and redis, and what
 * becomes of a service that answers no more.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const NAGIOS = '/usr/lib/nagios/plugins';
const EAGER = { interval: '200ms', timeout: '5s', failures: 2 };

let sandbox: Sandbox;
let dir: string;
let port: number;

beforeEach(async () => {
  sandbox = new Sandbox({});
  dir = sandbox.path('work');
  mkdirSync(dir);
  port = await freePort();
});
afterEach(() => sandbox.remove());

function nginx(): readonly string[] {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/${name};`,
  );
  mkdirSync(`${dir}/html`);
  writeFileSync(`${dir}/html/index.html`, 'welcome');
  writeFileSync(
    `${dir}/nginx.conf`,
    `daemon off; pid ${dir}/nginx.pid; error_log stderr; worker_processes 1; user root;
    events { worker_connections 64; }
    http { access_log off; ${temp.join(' ')}
      server { listen 127.0.0.1:${port}; root ${dir}/html; } }`,
  );
  return ['nginx', '-p', dir, '-c', `${dir}/nginx.conf`];
}

const redis = (): readonly string[] => [
  'redis-server',
  ...['--port', String(port), '--bind', '127.0.0.1', '--daemonize', 'no'],
  ...['--save', '', '--appendonly', 'no', '--dir', dir],
];

async function up(run: readonly string[], health: readonly object[], extra: object = {}): Promise<void> {
  const main = {
    process: true,
    run,
    tcp_ports: [`127.0.0.1:${port}`],
    stop: { timeout: '3s' },
    restart: { delay: '50ms', factor: 1, stable_after: '1h' },
    health,
    ...extra,
  };
  sandbox.write({ it: { actions: { main } } });
  await sandbox.up();
}

const nagios = (...run: string[]): object => ({
  type: 'exec',
  run: [`${NAGIOS}/${run[0]}`, ...run.slice(1)],
});

describe.skipIf(!existsSync(NAGIOS))('the stock monitoring plugins (monitoring-plugins-basic)', () => {
  it('check_http, check_procs and check_load tell how nginx is, with their figures', async () => {
    await up(nginx(), [
      { ...nagios('check_http', '-H', '127.0.0.1', '-p', String(port), '-s', 'welcome'), ...EAGER },
      { ...nagios('check_procs', '-c', '1:100', '-C', 'nginx'), ...EAGER },
      { ...nagios('check_load', '-w', '900,900,900', '-c', '999,999,999'), ...EAGER },
    ]);
    await sandbox.untilAction('it', ({ health }) => health === 'healthy');
    const { checks } = await sandbox.action('it');
    expect(checks.map(({ status }) => status)).toEqual(['pass', 'pass', 'pass']);
    expect(checks[0]?.message).toContain('HTTP OK: HTTP/1.1 200 OK');
    expect(checks[0]?.data).toMatchObject({
      perfdata: expect.arrayContaining([expect.objectContaining({ label: 'time', unit: 's' })]),
    });

    // The page is gone: nginx lives, holds its port, and is ill all the same.
    const before = await sandbox.action('it');
    renameSync(`${dir}/html/index.html`, `${dir}/html/away.html`);
    await sandbox.untilAction('it', ({ restart_count }) => restart_count > before.restart_count);
    renameSync(`${dir}/html/away.html`, `${dir}/html/index.html`);
    await sandbox.untilAction('it', ({ health }) => health === 'healthy');
    const [unhealthy] = (await sandbox.events('it')).filter(({ code }) => code === 'UNHEALTHY');
    expect(unhealthy?.message).toMatch(/^exec: HTTP .*403 Forbidden/);
    expect((await sandbox.action('it')).job_id).toBe(before.job_id);
  });

  it('check_tcp talks to redis', async () => {
    await up(redis(), [
      {
        ...nagios(
          'check_tcp',
          '-H',
          '127.0.0.1',
          '-p',
          String(port),
          '-E',
          '-s',
          'PING\\r\\n',
          '-e',
          '+PONG',
        ),
        ...EAGER,
      },
    ]);
    await sandbox.untilAction('it', ({ health }) => health === 'healthy');
    expect((await sandbox.action('it')).checks[0]?.message).toMatch(/^TCP OK/);
  });

  it('one that is not there restarts nothing', async () => {
    await up(redis(), [{ ...nagios('check_nothing'), ...EAGER }]);
    await until(async () => (await sandbox.events('it')).some(({ code }) => code === 'CHECK_UNAVAILABLE'));
    expect(await sandbox.action('it')).toMatchObject({
      phase: 'running',
      health: 'unknown',
      restart_count: 0,
      checks: [{ status: 'unknown' }],
    });
  });
});

describe('a service that answers no more though it lives', () => {
  const ping = (): object => ({ type: 'tcp', host: '127.0.0.1', port, send: 'PING\r\n', expect: '+PONG' });

  it('is restarted each time, in the same run and job, and why tells the cause (cases 13 and 15)', async () => {
    await up(redis(), [{ ...ping(), interval: '100ms', timeout: '300ms', failures: 2 }], {
      stop: { timeout: '300ms' },
    });
    await sandbox.untilAction('it', ({ health }) => health === 'healthy');
    const before = await sandbox.action('it');
    for (const round of [1, 2]) {
      // It goes on holding its port, and the kernel goes on accepting for it.
      signalMain(await sandbox.action('it'), 'SIGSTOP');
      await sandbox.untilAction('it', ({ restart_count }) => restart_count === round);
      const why = await sandbox.why('it');
      expect(why.actions[0]).toMatchObject({ code: 'UNHEALTHY', evidence: { check: 'tcp', fails: 2 } });
      await sandbox.untilAction('it', ({ health }) => health === 'healthy');
    }
    const after = await sandbox.service('it');
    expect(after.actions[0]?.job_id).toBe(before.job_id);
    expect((await sandbox.action('it')).attempt).toBe(2);
    expect((await sandbox.cli('status', 'it')).stdout).toMatch(/main +tcp +liveness +healthy/);
  });

  it('is not shown as up while its handler is dead (case 15)', async () => {
    await up(redis(), [{ ...ping(), ...EAGER, timeout: '300ms', on_failure: 'report' }]);
    await until(async () => (await sandbox.service('it')).state === 'up');
    signalMain(await sandbox.action('it'), 'SIGSTOP');
    await until(async () => (await sandbox.service('it')).state === 'degraded');
    expect((await sandbox.cli('status')).stdout).toMatch(/it\/main +running, unhealthy/);
    signalMain(await sandbox.action('it'), 'SIGCONT');
    await until(async () => (await sandbox.service('it')).state === 'up');
    expect((await sandbox.action('it')).restart_count).toBe(0);
  });
});

it('readiness by http: not up before the page is there', async () => {
  const run = nginx();
  renameSync(`${dir}/html/index.html`, `${dir}/html/away.html`);
  await up(run, [{ type: 'http', url: `http://127.0.0.1:${port}/`, role: 'readiness', ...EAGER }]);
  await until(async () => (await sandbox.action('it')).checks[0]?.status === 'fail');
  expect((await sandbox.service('it')).state).toBe('starting');
  renameSync(`${dir}/html/away.html`, `${dir}/html/index.html`);
  await until(async () => (await sandbox.service('it')).state === 'up');
});

it('checks go on after upkeep itself was killed', async () => {
  await up(redis(), [{ type: 'tcp', host: '127.0.0.1', port, interval: '100ms', timeout: '1s' }]);
  await sandbox.untilAction('it', ({ health }) => health === 'healthy');
  const before = await sandbox.action('it');
  await sandbox.kill();
  await sandbox.up();
  await sandbox.untilAction('it', ({ health }) => health === 'healthy');
  expect(await sandbox.action('it')).toMatchObject({ pid: before.pid, restart_count: 0 });
});
