/**
 * upkeep comes back: after a kill, a reboot, a lost database; to processes, oneshots and escapees.
 */
import * as fs from 'node:fs';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Database } from '../../core/store/database.ts';
import type { ActionView } from '../../core/supervisor/control.ts';
import { escapeeOf } from '../support/escapee.ts';
import { alive, pidOf, Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const SERVICE = fileURLToPath(new URL('../fixtures/service.mjs', import.meta.url));

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

const sleeper = (extra: object = {}): object => ({
  actions: { main: { process: true, run: ['sleep', '1000'], stop: { timeout: '1s' }, ...extra } },
});
const isRunning = (action: { phase: string }): boolean => action.phase === 'running';

describe('recovery by restart', () => {
  it.each([
    ['recovery: restart', { recovery: 'restart' }, []],
    ['a singleton, which restarts by default', { singleton: true }, []],
    ['up --recovery restart', {}, ['--recovery', 'restart']],
  ] as const)('%s: the same job and run, a fresh incarnation', async (_name, extra, args) => {
    sandbox = new Sandbox({ web: sleeper(extra) });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    const before = await sandbox.action('web');
    const { run_id } = await sandbox.service('web');
    await sandbox.kill();
    await sandbox.up({}, ...args);
    await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 1);
    const after = await sandbox.action('web');
    expect(after.job_id).toBe(before.job_id);
    expect((await sandbox.service('web')).run_id).toBe(run_id);
    expect(sandbox.marked().map(({ pid }) => pid)).toEqual([after.pid]);
  });
});

describe('a process that died while upkeep was away', () => {
  it('is started again, and its end is told as not known', async () => {
    sandbox = new Sandbox({ web: sleeper() });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    const before = await sandbox.action('web');
    await sandbox.kill();
    signalMain(before, 'SIGKILL');
    await sandbox.up();
    await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 1);
    expect((await sandbox.events('web')).map(({ code }) => code)).toContain('EXIT_UNKNOWN');
  });

  it('has no children of other sessions and empty environments left', async () => {
    sandbox = new Sandbox({});
    const record = sandbox.path('record');
    sandbox.write({
      web: sleeper({
        run: [process.execPath, SERVICE],
        env: { RECORD: record, ESCAPEE: 'wiped' },
      }),
    });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    const escapee = await escapeeOf(record);
    const { pid } = await sandbox.action('web');
    await sandbox.kill();
    signalMain({ pid }, 'SIGKILL');
    await sandbox.up();
    await until(() => !alive(escapee));
    await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 1);
  });
});

/**
 * An incarnation that has left a child behind, with a session of its own and no environment; the next one that runs; and
 * an upkeep that has died before it searched for such.
 */
async function leaveOneBehind(
  extra: object,
): Promise<{ first: ActionView; second: ActionView; escapee: number }> {
  sandbox = new Sandbox({});
  const record = sandbox.path('record');
  // Only the first incarnation leaves one behind.
  const run = `[ -e ${record} ] && exec sleep 1000; exec env ESCAPEE=wiped RECORD=${record} ${process.execPath} ${SERVICE}`;
  const web = (timeout: string): object =>
    sleeper({ run, restart: { stable_after: '10ms' }, stop: { timeout }, ...extra });
  // Where its search comes before its death all the same, SIGTERM is all that it gets to send.
  sandbox.write({ web: web('1h') });
  await sandbox.up();
  const escapee = await escapeeOf(record);
  const first = await sandbox.action('web');
  signalMain(first, 'SIGKILL');
  await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 1);
  const second = await sandbox.action('web');
  await sandbox.kill();
  expect(alive(escapee)).toBe(true);
  sandbox.write({ web: web('1s') });
  return { first, second, escapee };
}

describe('an adopted process', () => {
  it.each([
    ['a log of its own', {}],
    ['the log that both write to', { logs: { rotate: [{ type: 'size', max: '10MiB' }] } }],
  ])(
    'has no children of an earlier incarnation beside it, though upkeep died before it searched for them: %s',
    async (_name, extra) => {
      const { first, escapee } = await leaveOneBehind(extra);
      await sandbox.up();
      const adopted = await sandbox.action('web');
      await until(() => !alive(escapee));
      expect(await sandbox.action('web')).toMatchObject({
        job_id: first.job_id,
        pid: adopted.pid,
        restart_count: 1,
      });
      expect(alive(pidOf(adopted))).toBe(true);
    },
  );

  it.each([
    ['a log of its own', {}],
    ['the log that both write to', { logs: { rotate: [{ type: 'size', max: '10MiB' }] } }],
  ])(
    'takes with it what an earlier incarnation has left behind when it is stopped at once: %s',
    async (_name, extra) => {
      const { escapee } = await leaveOneBehind(extra);
      await sandbox.up();
      const { settled } = await sandbox.client.call('service.stop', { name: 'web', wait: true });
      expect(settled).toBe(true);
      expect(alive(escapee)).toBe(false);
    },
  );

  it('that is gone as well when upkeep comes back hides nothing that an earlier one has left behind', async () => {
    const { escapee, second } = await leaveOneBehind({});
    signalMain(second, 'SIGKILL');
    await sandbox.up();
    await until(() => !alive(escapee));
    await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 2);
  });

  it('is watched: its end is noticed and answered in the same job', async () => {
    sandbox = new Sandbox({ web: sleeper() });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    await sandbox.kill();
    await sandbox.up();
    const adopted = await sandbox.action('web');
    expect(adopted.reason?.code).toBe('ADOPTED');
    const killed_at = Date.now();
    signalMain(adopted, 'SIGKILL');
    await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 1);
    const noticed = (await sandbox.events('web')).find(({ code }) => code === 'EXIT_UNKNOWN');
    // The interval is proved where the clock stands still; here only that nothing else had to happen first.
    expect((noticed?.time ?? 0) - killed_at).toBeGreaterThanOrEqual(0);
    expect((noticed?.time ?? 0) - killed_at).toBeLessThan(30_000);
  });
});

describe('a pause before the next try', () => {
  it('is not cut short by a kill of upkeep', async () => {
    const restart = { delay: '1h', max_delay: '1h', jitter: 0 };
    sandbox = new Sandbox({ web: { actions: { main: { process: true, run: ['false'], restart } } } });
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');
    const before = await sandbox.action('web');
    for (const _time of [1, 2]) {
      await sandbox.kill();
      await sandbox.up();
      expect(await sandbox.action('web')).toEqual(before);
    }
    // A start does not wait for it.
    await sandbox.client.call('service.start', { name: 'web' });
    await sandbox.untilAction('web', ({ restart_count }) => restart_count === 1);
  });
});

describe('a reboot', () => {
  it('is known by the boot id: what ran is started again in the same run and job, and a pause is over', async () => {
    const restart = { delay: '1h', max_delay: '1h', jitter: 0 };
    sandbox = new Sandbox({
      web: sleeper(),
      failing: { actions: { main: { process: true, run: ['false'], restart } } },
    });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    await sandbox.untilAction('failing', ({ phase }) => phase === 'retrying');
    const before = await sandbox.service('web');
    await sandbox.kill();
    // What a start of the machine leaves behind: no process, and identities of another boot in the records.
    signalMain({ pid: before.actions[0]?.pid ?? null }, 'SIGKILL');
    await until(() => sandbox.marked().length === 0);
    const database = Database.open(join(sandbox.state, 'upkeep.db'), { files: fs, busy_timeout: 5_000 });
    const earlier = 'an-earlier-boot';
    database.run(
      `UPDATE jobs SET last_boot_id = ?, phase_state = CASE
         WHEN json_extract(phase_state, '$.identity') IS NULL THEN phase_state
         ELSE json_set(phase_state, '$.identity.boot_id', ?) END`,
      [earlier, earlier],
    );
    database.close();
    await sandbox.up();
    await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 1);
    await sandbox.untilAction('failing', ({ restart_count }) => restart_count === 1);
    const after = await sandbox.service('web');
    expect(after.run_id).toBe(before.run_id);
    expect(after.actions[0]?.job_id).toBe(before.actions[0]?.job_id);
    const codes = (await sandbox.events('web')).map(({ code }) => code);
    expect(codes).toContain('REBOOTED');
    // Nobody has seen it end, and that is no failure.
    expect(codes).not.toContain('EXIT_UNKNOWN');
  });
});

describe('wanted and the run', () => {
  it('outlive down and up, and a kill', async () => {
    sandbox = new Sandbox({ web: sleeper(), off: sleeper() });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    await sandbox.cli('stop', 'off');
    const before = await sandbox.service('web');
    expect((await sandbox.cli('down')).code).toBe(0);
    expect(sandbox.marked()).toEqual([]);
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    const after = await sandbox.service('web');
    expect(after.run_id).toBe(before.run_id);
    expect(after.actions[0]).toMatchObject({ job_id: before.actions[0]?.job_id, restart_count: 1 });
    expect(await sandbox.service('off')).toMatchObject({ wanted: 'down', state: 'down' });
    await sandbox.kill();
    await sandbox.up();
    expect(await sandbox.service('off')).toMatchObject({ wanted: 'down', state: 'down' });
  });
});

describe('a oneshot that ends while upkeep is away', () => {
  it.each([
    [0, 'succeeded'],
    [7, 'failed'],
  ])('with code %i has %s, by its status file, and is not run again', async (code, phase) => {
    sandbox = new Sandbox({});
    const record = sandbox.path('record');
    const go = sandbox.path('go');
    const run = `echo run >> ${record}; while ! [ -e ${go} ]; do sleep 0.05; done; exit ${code}`;
    sandbox.write({ job: { actions: { main: { run, restart: { max_attempts: 1 } } } } });
    await sandbox.up();
    await until(() => existsSync(record));
    await sandbox.untilAction('job', isRunning);
    await sandbox.kill();
    writeFileSync(go, '');
    await until(() => sandbox.marked().length === 0);
    await sandbox.up();
    await sandbox.untilAction('job', (action) => action.phase === phase);
    expect(readFileSync(record, 'utf8')).toBe('run\n');
    const events = await sandbox.events('job');
    expect(events.at(-1)?.evidence['exit_code'] ?? JSON.stringify(events.at(-1))).toEqual(
      code === 0 ? 0 : expect.stringContaining('code 7'),
    );
  });
});

describe('the lock', () => {
  it('damaged while upkeep is away: it is mended, and services go on', async () => {
    sandbox = new Sandbox({ web: sleeper() });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    const before = await sandbox.action('web');
    await sandbox.kill();
    writeFileSync(join(sandbox.state, 'lock.db'), 'this is no lock'.repeat(1000));
    await sandbox.up();
    expect(await sandbox.action('web')).toMatchObject({ pid: before.pid, job_id: before.job_id });
    expect(readFileSync(join(sandbox.state, 'lock.db.corrupt-1'), 'utf8')).toMatch(/^this is no lock/);
  });
});

describe('the database', () => {
  it('lost while upkeep is away: jobs are taken up from their living processes', async () => {
    sandbox = new Sandbox({ web: sleeper() });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    signalMain(await sandbox.action('web'), 'SIGKILL');
    await sandbox.untilAction('web', (action) => isRunning(action) && action.restart_count === 1);
    const before = await sandbox.action('web');
    const { run_id } = await sandbox.service('web');
    await sandbox.kill();
    for (const name of readdirSync(sandbox.state)) {
      if (name.startsWith('upkeep.db')) rmSync(join(sandbox.state, name));
    }
    await sandbox.up();
    expect(await sandbox.action('web')).toMatchObject({
      pid: before.pid,
      job_id: before.job_id,
      restart_count: 1,
      phase: 'running',
    });
    expect((await sandbox.service('web')).run_id).toBe(run_id);
  });

  it('damaged while upkeep is away: it is set aside, and services go on', async () => {
    sandbox = new Sandbox({ web: sleeper() });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    const before = await sandbox.action('web');
    await sandbox.kill();
    rmSync(join(sandbox.state, 'upkeep.db-wal'), { force: true });
    writeFileSync(join(sandbox.state, 'upkeep.db'), 'this is no database'.repeat(1000));
    await sandbox.up();
    expect(await sandbox.action('web')).toMatchObject({ pid: before.pid, job_id: before.job_id });
    expect(readdirSync(sandbox.state).some((name) => name.startsWith('upkeep.db.corrupt-'))).toBe(true);
    const { items } = await sandbox.client.call('event.list', { limit: 100 });
    expect(items.map(({ code }) => code)).toContain('STORE_DEGRADED');
  });

  it('deleted under a running upkeep: services go on, and it is made anew', async () => {
    sandbox = new Sandbox({ web: sleeper({ restart: { stable_after: '50ms' } }) });
    await sandbox.up();
    await sandbox.untilAction('web', isRunning);
    for (const name of readdirSync(sandbox.state)) {
      if (name.startsWith('upkeep.db')) rmSync(join(sandbox.state, name));
    }
    // It is noticed with one of the next commits.
    await until(async () => {
      const before = await sandbox.action('web');
      signalMain(before, 'SIGKILL');
      await sandbox.untilAction(
        'web',
        (action) => isRunning(action) && action.restart_count === before.restart_count + 1,
      );
      return existsSync(join(sandbox.state, 'upkeep.db'));
    }, 300);
    await until(async () => (await sandbox.client.call('health.get', {})).status === 'ok');
    const before = await sandbox.action('web');
    await sandbox.kill();
    await sandbox.up();
    expect((await sandbox.action('web')).job_id).toBe(before.job_id);
  });
});
