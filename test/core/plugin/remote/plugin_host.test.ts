/** Plugins in processes of their own under a supervisor: services like any other, but upkeep's own. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpecError } from '../../../../core/supervisor/service_file.ts';
import type { Supervisor } from '../../../../core/supervisor/supervisor.ts';
import { NODES, OWN_RUNTIME, PLUGINS } from '../../../support/plugins.ts';
import { until } from '../../../support/until.ts';
import { eventsOf, PluginWorld, remote } from './host.ts';

const [own] = NODES;
const needs = own?.needs ?? null;
const test = needs === null ? it : it.skip;
const titled = (title: string): string => (needs === null ? title : `${title} (needs ${needs})`);

let world: PluginWorld;
beforeEach(() => {
  world = new PluginWorld();
});
afterEach(() => world.end());

const sleeper = (extra: object = {}): object => ({
  actions: { main: { process: true, run: ['sleep', '1000'], stop: { timeout: '1s' }, ...extra } },
});

function pidOf(supervisor: Supervisor): number {
  const { pid } = remote(supervisor);
  if (pid === null) throw new Error('it has no process');
  return pid;
}

describe('the service of a plugin', () => {
  test(titled('is shown as a plugin, with what it may and may not, and in no list of services'), async () => {
    world.write([{ path: 'probe_folder', allow: { net: ['*'] } }], { calm: sleeper() });
    const supervisor = await world.start();
    await until(() => remote(supervisor).state === 'ready');
    expect(remote(supervisor)).toMatchObject({
      name: 'folder_ss',
      kind: 'probe',
      source: `${PLUGINS}/probe_folder`,
      service: 'plugin:probe_folder',
      api: 1,
      asked: { run: ['ss', 'sh'], read: [], net: [] },
      granted: { run: [], read: [], net: ['*'] },
      missing: ['run: ss', 'run: sh'],
      not_enforced: [expect.stringMatching(/^net: /), expect.stringMatching(/^signals: /)],
      restart_count: 0,
      faults: 0,
      last_error: null,
    });
    expect(supervisor.services().map(({ name }) => name)).toEqual(['calm']);
    expect(supervisor.jobs({}).map(({ service }) => service)).toEqual(['calm']);
    expect(supervisor.service('plugin:probe_folder')).toMatchObject({ state: 'up' });
    const limits = eventsOf(supervisor, 'PLUGIN_LIMITED').map(({ message }) => message);
    expect(limits).toHaveLength(3);
    expect(limits[0]).toContain('is not granted all that it asks for (run: ss, run: sh)');
    const builtIn = supervisor.plugins().filter(({ state }) => state === 'built_in');
    expect(builtIn.map(({ name }) => name)).toContain('procfs');
  });

  test(titled('has nothing of the environment but who it is, and a limit on its memory'), async () => {
    const supervisor = await world.ready({ path: 'health_queue.ts' });
    const pid = pidOf(supervisor);
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    expect(environment.map((line) => line.split('=')[0]).sort()).toEqual([
      'UPKEEP_ACTION',
      'UPKEEP_JOB',
      'UPKEEP_RUN',
      'UPKEEP_SERVICE',
      'UPKEEP_SPAWNED',
    ]);
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max data size\s+\d+/);
  });

  test(titled('stands back behind everything else, in its session and as a session'), async () => {
    const supervisor = await world.ready({ path: 'health_queue.ts' });
    const pid = pidOf(supervisor);
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const niceness = (text: string): number => Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]);
    const own = niceness(readFileSync('/proc/self/stat', 'latin1'));
    expect(niceness(stat)).toBe(Math.min(19, own + 10));
    const group = `/proc/${pid}/autogroup`;
    // Kernels without it share processor time out by process alone.
    if (existsSync(group)) expect(readFileSync(group, 'utf8')).toMatch(/ nice 10$/m);
  });

  test(titled('comes back when it is killed, in the same job'), async () => {
    const supervisor = await world.ready({ path: 'health_queue.ts' });
    process.kill(pidOf(supervisor), 'SIGKILL');
    await until(() => remote(supervisor).restart_count === 1 && remote(supervisor).state === 'ready');
    expect(remote(supervisor)).toMatchObject({ faults: 1, last_error: 'its process ended' });
    expect((await supervisor.why('plugin:health_queue')).actions[0]).toMatchObject({ phase: 'running' });
    expect(eventsOf(supervisor, 'PLUGIN_FAILED')).toHaveLength(1);
  });

  test(titled('is quarantined where it fails again and again, until the file is read again'), async () => {
    world.write([{ path: 'hostile_start.ts' }], { calm: sleeper() });
    const supervisor = await world.start();
    await until(() => remote(supervisor).state === 'quarantined');
    await until(() => supervisor.service('plugin:hostile_start').state === 'down');
    expect(eventsOf(supervisor, 'PLUGIN_QUARANTINED')).toHaveLength(1);
    expect(remote(supervisor).faults).toBe(5);
    expect(supervisor.service('calm')).toMatchObject({ state: 'up' });
    expect(await supervisor.reload('cli')).toBeNull();
    await until(() => eventsOf(supervisor, 'PLUGIN_QUARANTINED').length === 2);
    await supervisor.shutdown('core');
    const next = await world.start();
    await until(() => eventsOf(next, 'PLUGIN_QUARANTINED').length === 3);
  });

  test(titled('is found out where it hangs and nobody asks it anything'), async () => {
    world.write([{ path: 'hostile_block.ts' }]);
    const supervisor = await world.start();
    await until(() => remote(supervisor).faults > 0);
    expect(remote(supervisor).last_error).toBe(
      "did not answer 'describe' in time, nor when it was told to stop",
    );
    await until(() => remote(supervisor).restart_count > 0);
  });

  test(titled('goes when it leaves the file, and comes when it joins it'), async () => {
    world.write([{ path: 'health_queue.ts' }], { calm: sleeper() });
    const supervisor = await world.start();
    await until(() => remote(supervisor).state === 'ready');
    const pid = pidOf(supervisor);
    const [calm] = supervisor.service('calm').actions;
    world.write([{ path: 'rotate_half.ts' }], { calm: sleeper() });
    expect(await supervisor.reload('cli')).toBeNull();
    await until(() => remote(supervisor).state === 'ready');
    expect(remote(supervisor)).toMatchObject({ name: 'half', service: 'plugin:rotate_half' });
    await until(() => !existsSync(`/proc/${pid}`));
    expect(supervisor.service('calm').actions).toEqual([calm]);
  });

  test(titled('is started again where its file has changed, and not where only a grant has'), async () => {
    const file = world.path('mine.ts');
    const source = readFileSync(`${PLUGINS}/health_queue.ts`, 'utf8');
    writeFileSync(file, source);
    const supervisor = await world.ready({ path: file });
    const pid = pidOf(supervisor);
    world.write([{ path: file, allow: { read: ['/etc'] } }]);
    expect(await supervisor.reload('cli')).toBeNull();
    expect(remote(supervisor)).toMatchObject({ pid, missing: [], state: 'ready' });
    writeFileSync(file, `${source}// changed\n`);
    expect(await supervisor.reload('cli')).toBeNull();
    await until(() => remote(supervisor).restart_count === 1 && remote(supervisor).state === 'ready');
    expect(remote(supervisor).faults).toBe(0);
  });
});

describe('a plugin that cannot be loaded', () => {
  test(titled('keeps no service from starting, and is told of'), async () => {
    const file = world.path('mine.ts');
    writeFileSync(file, 'export default 7;\n');
    world.write([{ path: file }, { path: world.path('none.ts') }], {
      calm: sleeper({ health: [{ type: 'lost' }] }),
    });
    const supervisor = await world.start();
    await until(() => supervisor.service('calm').state === 'up');
    const told = supervisor.plugins().filter(({ state }) => state !== 'built_in');
    expect(told[0]?.last_error).toContain('its default export must be made by');
    expect(told[1]).toMatchObject({
      state: 'failed',
      service: null,
      last_error: expect.stringContaining('there is no'),
    });
    expect(eventsOf(supervisor, 'PLUGIN_FAILED').length).toBeGreaterThanOrEqual(2);
    // It is mended, and the file read again.
    writeFileSync(file, readFileSync(`${PLUGINS}/health_queue.ts`, 'utf8'));
    expect(await supervisor.reload('cli')).toBeNull();
    await until(() => supervisor.plugins().some(({ name, state }) => name === 'queue' && state === 'ready'));
  });

  test(titled('does not make a wrong file right'), async () => {
    world.write([{ path: 'health_queue.ts' }], { calm: sleeper({ health: [{ type: 'queue', fil: 1 }] }) });
    await expect(world.start()).rejects.toThrow(SpecError);
  });
});

describe('what plugins are asked', () => {
  test(titled('a probe: who holds a port'), async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    world.write([{ path: 'probe_folder', allow: { run: ['ss'] } }]);
    const supervisor = await world.start(OWN_RUNTIME, []);
    await until(() => remote(supervisor).state === 'ready');
    const { holders, complete } = await supervisor.holders({ kind: 'tcp', address: null, port });
    expect(complete).toBe(true);
    expect(holders).toMatchObject([{ process: { pid: process.pid } }]);
    expect(remote(supervisor)).toMatchObject({ calls: 2, denied: 0 });
    server.close();
  });

  test(titled('a rotator: whether the log of a service is cut'), async () => {
    const line = `${'x'.repeat(99)}\n`.repeat(100);
    const file = world.path('lines');
    writeFileSync(file, line);
    world.write([{ path: 'rotate_half.ts' }], {
      chatty: sleeper({
        run: `while :; do cat ${file}; sleep 0.05; done`,
        logs: { rotate: [{ type: 'half', size: 40_000 }], compress: 'none' },
      }),
    });
    const supervisor = await world.start();
    const [action] = supervisor.service('chatty').actions;
    const folder = world.path('state', 'logs', 'chatty', 'main', action?.job_id ?? '');
    await until(() => existsSync(`${folder}/0.1.log`) || existsSync(`${folder}/0.log`));
    rmSync(file);
  });

  test(titled('a hung probe keeps no other service from its restarts'), async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    world.write([{ path: 'hostile_probe.ts' }], {
      blocked: sleeper({ tcp_ports: [`127.0.0.1:${port}`] }),
      lively: {
        actions: {
          main: { process: true, run: ['sleep', '0.01'], restart: { delay: '10ms', max_delay: '20ms' } },
        },
      },
    });
    const supervisor = await world.start(OWN_RUNTIME, []);
    const restarts = (): number => supervisor.service('lively').actions[0]?.restart_count ?? 0;
    await until(() => remote(supervisor).faults > 0);
    const before = restarts();
    await until(() => remote(supervisor).faults > 1 && restarts() > before + 20);
    expect(supervisor.service('blocked').actions[0]?.phase).not.toBe('running');
    server.close();
  });
});
