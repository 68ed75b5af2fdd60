/**
 * The cases that users of other supervisors were hurt by, each with real processes under the real program. The
 * numbers are those of the project's list of cases.
 */
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { escapeeOf } from '../support/escapee.ts';
import { alive, freePort, pidOf, run, Sandbox, signalMain } from '../support/sandbox.ts';
import { Strangers } from '../support/strangers.ts';
import { one, SERVICE, testService } from '../support/test_service.ts';
import { until } from '../support/until.ts';

const NODE = process.execPath;

let sandbox: Sandbox;
const strangers = new Strangers();

afterEach(async () => {
  strangers.end();
  await sandbox.remove();
});

const running = (action: { phase: string }): boolean => action.phase === 'running';

describe('case 1: a PID file that names a live stranger', () => {
  it('leaves the stranger alone, starts, and says so', async () => {
    const port = await freePort();
    sandbox = new Sandbox({});
    const pid_file = sandbox.path('web.pid');
    sandbox.write(one(testService({ TCP_PORT: port }, { singleton: true, tcp_ports: [port], pid_file })));
    const pid = await strangers.start('setInterval(() => {}, 1000)');
    writeFileSync(pid_file, `${pid}\n`);

    await sandbox.up();
    await sandbox.untilAction('web', running);

    expect(alive(pid)).toBe(true);
    const codes = (await sandbox.events('web')).map((event) => event.code);
    expect(codes).toContain('PIDFILE_REUSED');
    expect(readFileSync(pid_file, 'utf8')).toBe(`${(await sandbox.action('web')).pid}\n`);
  });
});

describe('case 2: a grandchild of the last incarnation still holds the port', () => {
  it.each(['marked', 'wiped'])('reclaims it (%s), in the same job, with restart_count + 1', async (mode) => {
    const port = await freePort();
    sandbox = new Sandbox({});
    const record = sandbox.path('record');
    // The first incarnation leaves the port to a child of another session; the next ones hold it themselves.
    const code = `if [ -e ${record} ]; then exec env TCP_PORT=${port} ${NODE} ${SERVICE}; fi; exec env RECORD=${record} ESCAPEE=${mode} ESCAPEE_PORT=${port} ${NODE} ${SERVICE}`;
    sandbox.write(one(testService({}, { run: code, tcp_ports: [`127.0.0.1:${port}`] })));
    await sandbox.up();
    await sandbox.untilAction('web', running);
    const before = await sandbox.action('web');
    const escapee = await escapeeOf(record);
    // The tree is looked at once a second, so that sessions seen in it are known.
    await new Promise((resolve) => setTimeout(resolve, 1_500));

    signalMain(before, 'SIGKILL');
    await sandbox.untilAction('web', (action) => running(action) && action.restart_count > 0);

    const after = await sandbox.action('web');
    expect(alive(escapee)).toBe(false);
    expect(after.job_id).toBe(before.job_id);
    expect(after.restart_count).toBe(1);
  });
});

describe('case 3: a foreign holder without permission to stop it', () => {
  it('is left alone and named, and the service comes up by itself when it leaves', async () => {
    const port = await freePort();
    const pid = await strangers.listen(port);
    sandbox = new Sandbox(one(testService({ TCP_PORT: port }, { tcp_ports: [port] })));
    await sandbox.up();
    await sandbox.untilAction(
      'web',
      (action) => action.phase === 'retrying' && action.reason?.code === 'PORT_HELD',
    );

    const waiting = await sandbox.action('web');
    expect(waiting).toMatchObject({ phase: 'retrying', restart_count: 0, attempt: 0 });
    expect(JSON.stringify(waiting.reason?.evidence)).toContain(`"pid":${pid}`);
    expect((await sandbox.why('web')).actions[0]).toMatchObject({ code: 'PORT_HELD', confidence: 'certain' });
    expect(alive(pid)).toBe(true);

    process.kill(pid, 'SIGKILL');
    await sandbox.untilAction('web', running);
    expect(await sandbox.action('web')).toMatchObject({ restart_count: 0 });
  });

  it('is stopped where kill_other grants it', async () => {
    const port = await freePort();
    const pid = await strangers.listen(port);
    sandbox = new Sandbox(one(testService({ TCP_PORT: port }, { tcp_ports: [port], kill_others: true })));
    await sandbox.up();
    await sandbox.untilAction('web', running);
    expect(alive(pid)).toBe(false);
  });
});

describe('case 4: sockets', () => {
  it('unlinks a stale one, at the first start and after every crash', async () => {
    sandbox = new Sandbox({});
    const socket = sandbox.path('web.sock');
    await strangers.start(`require('net').createServer().listen(${JSON.stringify(socket)})`);
    strangers.end();
    await until(() => existsSync(socket));
    sandbox.write(one(testService({ UNIX_SOCKET: socket }, { sockets: [socket] })));
    await sandbox.up();
    await sandbox.untilAction('web', running);
    signalMain(await sandbox.action('web'), 'SIGKILL');
    await sandbox.untilAction('web', (action) => running(action) && action.restart_count === 1);
  });

  it('never unlinks a live one', async () => {
    sandbox = new Sandbox({});
    const socket = sandbox.path('web.sock');
    const server = createServer().listen(socket);
    await until(() => existsSync(socket));
    const { ino } = statSync(socket);
    sandbox.write(one(testService({ UNIX_SOCKET: socket }, { sockets: [socket] })));
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.reason?.code === 'SOCKET_HELD');
    expect(statSync(socket).ino).toBe(ino);
    await new Promise((resolve) => server.close(resolve));
    await sandbox.untilAction('web', running);
  });

  it.each(['a regular file', 'a symlink'])('never touches %s at that path', async (kind) => {
    sandbox = new Sandbox({});
    const socket = sandbox.path('web.sock');
    writeFileSync(sandbox.path('precious'), 'precious');
    if (kind === 'a symlink') symlinkSync(sandbox.path('precious'), socket);
    else writeFileSync(socket, 'precious');
    sandbox.write(
      one(testService({ UNIX_SOCKET: socket }, { sockets: [socket], singleton: true, kill_other: true })),
    );
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.reason?.code === 'SOCKET_NOT_A_SOCKET');
    expect(readFileSync(socket, 'utf8')).toBe('precious');
  });
});

describe('case 5: shown up while nothing listens', () => {
  it('is NOT_READY at the deadline and tried again, and never running meanwhile', async () => {
    const port = await freePort();
    sandbox = new Sandbox(one(testService({}, { tcp_ports: [port], ready: { timeout: '500ms' } })));
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.restart_count >= 1);
    const events = await sandbox.events('web');
    expect(events.map((event) => event.code)).toContain('NOT_READY');
    expect(events.some((event) => event.to === 'running')).toBe(false);
  });

  it('does not count a port that a stranger takes meanwhile', async () => {
    const port = await freePort();
    sandbox = new Sandbox(one(testService({}, { tcp_ports: [port], ready: { timeout: '2s' } })));
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.phase === 'starting');
    await strangers.listen(port);
    await sandbox.untilAction('web', (action) => action.reason?.code === 'PORT_HELD');
    expect((await sandbox.events('web')).some((event) => event.to === 'running')).toBe(false);
  });
});

describe('case 6: upkeep is killed', () => {
  it('hurts no service, runs nothing twice, and goes on with the same jobs and logs', async () => {
    sandbox = new Sandbox({});
    const record = sandbox.path('record');
    sandbox.write(one(testService({ RECORD: record, LINES: 20 })));
    await sandbox.up();
    await sandbox.untilAction('web', running);
    const before = await sandbox.action('web');
    await until(() => existsSync(`${record}.lines`));

    await sandbox.kill();
    const size = readFileSync(`${record}.lines`).length;
    await until(() => readFileSync(`${record}.lines`).length > size + 200);
    expect(alive(pidOf(before))).toBe(true);

    await sandbox.up();
    const after = await sandbox.action('web');
    expect(after).toMatchObject({
      pid: before.pid,
      job_id: before.job_id,
      restart_count: 0,
      phase: 'running',
    });
    expect(after.reason?.code).toBe('ADOPTED');
    expect(readFileSync(record, 'utf8').trim().split('\n')).toHaveLength(1);

    signalMain(before, 'SIGKILL');
    await sandbox.untilAction('web', (action) => running(action) && action.restart_count === 1);
    const written = readFileSync(`${record}.lines`, 'utf8');
    const lines = written.split('\n').filter((line) => line.startsWith('line 0'));
    const log = await sandbox.log('web');
    for (const line of lines) expect(log).toContain(`${line}\n`);
  });
});

describe('case 7: the program is missing and appears later', () => {
  it('says COMMAND_NOT_FOUND and comes up by itself', async () => {
    sandbox = new Sandbox({});
    const program = sandbox.path('program');
    sandbox.write(one(testService({}, { run: [program], restart: { delay: '50ms', max_delay: '200ms' } })));
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.attempt >= 2);
    expect(await sandbox.action('web')).toMatchObject({
      restart_count: 0,
      reason: { code: 'COMMAND_NOT_FOUND' },
    });
    writeFileSync(`${program}.new`, '#!/bin/sh\nexec sleep 1000\n');
    chmodSync(`${program}.new`, 0o755);
    await run('mv', [`${program}.new`, program]);
    await sandbox.untilAction('web', running);
  });
});

describe('case 8: healthy past the window', () => {
  it('resets attempt, never restart_count', async () => {
    sandbox = new Sandbox({});
    const flag = sandbox.path('flag');
    sandbox.write(
      one(
        testService(
          {},
          {
            run: `[ -e ${flag} ] && exec sleep 1000; exit 1`,
            restart: { delay: '30ms', factor: 1, stable_after: '300ms' },
          },
        ),
      ),
    );
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.attempt >= 3);
    writeFileSync(flag, '');
    await sandbox.untilAction('web', (action) => running(action) && action.attempt === 0);
    expect((await sandbox.action('web')).restart_count).toBeGreaterThanOrEqual(3);
  });
});

describe('case 9: ten restarts at once', () => {
  it('leave one instance', async () => {
    sandbox = new Sandbox({});
    const record = sandbox.path('record');
    sandbox.write(one(testService({ RECORD: record })));
    await sandbox.up();
    await sandbox.untilAction('web', running);
    await Promise.all(
      Array.from({ length: 10 }, () => sandbox.client.call('service.restart', { name: 'web' })),
    );
    await sandbox.untilAction('web', (action) => running(action) && action.restart_count > 0);
    const { job_id, restart_count } = await sandbox.action('web');
    expect(sandbox.marked().map(({ incarnation }) => incarnation)).toEqual([restart_count]);
    await until(
      () => existsSync(record) && readFileSync(record, 'utf8').includes(`${job_id}/${restart_count} `),
    );
    const starts = readFileSync(record, 'utf8').trim().split('\n');
    expect(new Set(starts.map((line) => line.split(' ')[0])).size).toBe(starts.length);
  });
});

describe('case 10: a tree that ignores SIGTERM', () => {
  it.each(['marked', 'wiped'])('is gone within the deadline, group and escapees (%s)', async (mode) => {
    sandbox = new Sandbox({});
    const record = sandbox.path('record');
    sandbox.write(
      one(testService({ RECORD: record, IGNORE_TERM: 1, ESCAPEE: mode }, { stop: { timeout: '500ms' } })),
    );
    await sandbox.up();
    await sandbox.untilAction('web', running);
    const escapee = await escapeeOf(record);
    const main = pidOf(await sandbox.action('web'));

    const stopped = await sandbox.cli('stop', 'web');
    expect(stopped.code).toBe(0);
    expect(alive(main)).toBe(false);
    expect(alive(escapee)).toBe(false);
    expect((await sandbox.events('web')).map((event) => event.code)).toContain('STOP_TIMEOUT');
  });
});

describe('case 14: a service that floods its log', () => {
  it('does not fill the disk', async () => {
    const logs = { rotate: [{ type: 'size', max: '1MiB' }], keep: 5, max_total: '8MiB', compress: 'none' };
    sandbox = new Sandbox({});
    const written = sandbox.path('written');
    // 2 MB every 10 ms: 200 MB a second.
    const flood = `
      const fs = require('fs');
      const line = Buffer.alloc(2e6, 'a line of a flood of a log\\n');
      let bytes = 0;
      setInterval(() => { bytes += fs.writeSync(1, line); fs.writeFileSync(${JSON.stringify(written)}, String(bytes)); }, 10);`;
    sandbox.write(one(testService({}, { run: [NODE, '-e', flood], logs })));
    await sandbox.up();
    await sandbox.untilAction('web', running);
    const folder = join(sandbox.state, 'logs', 'web', 'main');
    const onDisk = (): number => {
      const [job = ''] = readdirSync(folder);
      return readdirSync(join(folder, job)).reduce(
        (sum, name) =>
          sum + (statSync(join(folder, job, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512,
        0,
      );
    };
    let highest = 0;
    await until(() => {
      highest = Math.max(highest, onDisk());
      return existsSync(written) && Number(readFileSync(written, 'utf8')) > 1e9;
    });
    expect(highest).toBeLessThan(1e9 / 4);
    signalMain(await sandbox.action('web'), 'SIGSTOP');
    await until(() => onDisk() <= 9 * 1024 * 1024);
    expect(await sandbox.action('web')).toMatchObject({ phase: 'running', restart_count: 0 });
  });
});

describe('case 15: the handler is dead while the process lives', () => {
  it('is CLAIM_LOST, and mended', async () => {
    const port = await freePort();
    sandbox = new Sandbox(one(testService({ TCP_PORT: port, CLOSE_ON: 'USR2' }, { tcp_ports: [port] })));
    await sandbox.up();
    await sandbox.untilAction('web', running);
    signalMain(await sandbox.action('web'), 'SIGUSR2');
    await sandbox.untilAction('web', (action) => running(action) && action.restart_count === 1);
    expect((await sandbox.events('web')).map((event) => event.code)).toContain('CLAIM_LOST');
  });
});

describe('case 16: stop or restart while it waits in backoff', () => {
  const failing = one(testService({}, { run: ['/bin/false'], restart: { delay: '1h', max_delay: '1h' } }));

  it('stops at once', async () => {
    sandbox = new Sandbox(failing);
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.phase === 'retrying');
    expect((await sandbox.cli('stop', 'web')).code).toBe(0);
    expect(await sandbox.service('web')).toMatchObject({ wanted: 'down', state: 'down' });
  });

  it('tries at once', async () => {
    sandbox = new Sandbox(failing);
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.phase === 'retrying');
    const before = await sandbox.action('web');
    await sandbox.cli('restart', 'web', '--no-wait');
    await sandbox.untilAction(
      'web',
      (action) => action.phase === 'retrying' && action.restart_count > before.restart_count,
    );
  });
});

describe('case 17: a service fails before it is ready', () => {
  it('does not hold up the shutdown', async () => {
    const port = await freePort();
    sandbox = new Sandbox({
      web: {
        actions: {
          first: testService({}, { run: ['/bin/false'], restart: { delay: '1h', max_delay: '1h' } }),
          second: testService({}, { after: ['first'] }),
          third: testService({}, { tcp_ports: [port], ready: { timeout: '1h' } }),
        },
      },
    });
    await sandbox.up();
    await until(
      async () => (await sandbox.service('web')).actions.some((action) => action.phase === 'starting'),
      20,
    );
    await sandbox.down();
    expect(sandbox.daemon?.exitCode).toBe(0);
    expect(sandbox.marked()).toEqual([]);
  });
});
