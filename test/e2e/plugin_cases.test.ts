/**
 * Cases that users of other supervisors were hurt by, this time with what plugins of somebody else tell: the numbers are
 * those of the project's list of cases. And the commands for plugins, as a user gives them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { NODES, PLUGINS } from '../support/plugins.ts';
import { freePort, run, Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const SERVICE = fileURLToPath(new URL('../fixtures/service.mjs', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));
const NODE = process.execPath;
const needs = NODES[0]?.needs ?? null;

let sandbox: Sandbox;
const strangers: ChildProcess[] = [];

afterEach(async () => {
  for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  await sandbox.remove();
});

async function strangerAt(port: number): Promise<number> {
  const code = `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'))`;
  const child = spawn(NODE, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  strangers.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child.pid ?? 0;
}

const service = (action: object): object => ({ actions: { main: { process: true, ...action } } });

describe.skipIf(needs !== null)('through plugins of somebody else', () => {
  it('case 3: a foreign holder is named, and the service comes up by itself when it leaves', async () => {
    const port = await freePort();
    const pid = await strangerAt(port);
    sandbox = new Sandbox({});
    const web = service({
      run: [NODE, SERVICE],
      env: { TCP_PORT: String(port) },
      tcp_ports: [`127.0.0.1:${port}`],
    });
    await run(NODE, [MAIN, 'plugins', 'new', 'probe', 'eyes', '--dir', sandbox.dir]);
    const plugins = [{ path: './probe_eyes.ts', allow: { run: ['ss'] } }];
    writeFileSync(sandbox.file, JSON.stringify({ plugins, probes: { order: ['eyes'] }, services: { web } }));
    await sandbox.up();
    await sandbox.untilAction('web', ({ reason }) => reason?.message.includes(`pid ${pid}`) === true);
    expect(await sandbox.action('web')).toMatchObject({ phase: 'retrying', reason: { code: 'PORT_HELD' } });
    const records = (await sandbox.client.call('plugin.list', {})).items;
    const eyes = records.find(({ name }) => name === 'eyes');
    expect(eyes).toMatchObject({ kind: 'probe', state: 'ready', missing: [], faults: 0 });
    expect(eyes?.calls).toBeGreaterThan(0);

    const [stranger] = strangers.splice(0);
    stranger?.kill('SIGKILL');
    await sandbox.untilAction('web', ({ phase }) => phase === 'running');
  });

  it('case 11: a check that hangs its process restarts nothing, and others keep their times', async () => {
    sandbox = new Sandbox({});
    const services = {
      checked: service({
        run: ['sleep', '1000'],
        health: [{ type: 'spin', interval: '200ms', timeout: '300ms', failures: 1 }],
      }),
      lively: service({
        run: ['sleep', '1000'],
        restart: { delay: '10ms', factor: 1, stable_after: '50ms' },
      }),
    };
    writeFileSync(
      sandbox.path('health_spin.ts'),
      `import { defineHealthCheck } from 'upkeep/plugin';
      import * as v from 'valibot';
      export default defineHealthCheck({
        name: 'spin', api: 1, summary: 'Spins.', options: v.strictObject({}), check() { for (;;); },
      });`,
    );
    sandbox.write(services, [{ path: './health_spin.ts' }]);
    await sandbox.up();
    await until(async () =>
      (await sandbox.events('checked')).some(({ code }) => code === 'CHECK_UNAVAILABLE'),
    );
    for (let count = 1; count <= 5; count += 1) {
      signalMain(await sandbox.action('lively'), 'SIGKILL');
      await sandbox.untilAction(
        'lively',
        ({ restart_count, phase }) => restart_count === count && phase === 'running',
      );
    }
    expect(await sandbox.action('checked')).toMatchObject({
      phase: 'running',
      restart_count: 0,
      health: 'unknown',
    });
    await until(async () => {
      const { items } = await sandbox.client.call('event.list', { after: 0, limit: 1000 });
      return items.some(({ code }) => code === 'PLUGIN_FAILED');
    });
    expect((await sandbox.action('checked')).restart_count).toBe(0);
  });

  it('case 13: health that keeps failing acts every time', async () => {
    sandbox = new Sandbox({});
    const file = sandbox.path('length');
    writeFileSync(file, '1000');
    sandbox.write(
      {
        queue: service({
          run: ['sleep', '1000'],
          restart: { delay: '10ms', factor: 1 },
          health: [{ type: 'queue', file, interval: '100ms', failures: 2 }],
        }),
      },
      [{ path: `${PLUGINS}/health_queue.ts`, allow: { read: [sandbox.dir] } }],
    );
    await sandbox.up();
    await sandbox.untilAction('queue', ({ restart_count }) => restart_count >= 3);
    const why = await sandbox.why('queue');
    expect(why.actions[0]).toMatchObject({ code: 'UNHEALTHY', evidence: { check: 'queue' } });
    expect(why.actions[0]?.evidence['said'] ?? why.actions[0]?.message).toContain('1000 waiting');
    writeFileSync(file, '1');
    await sandbox.untilAction('queue', ({ health }) => health === 'healthy');
  });

  it('case 14: a flood does not fill the disk, and what is kept is whole', async () => {
    sandbox = new Sandbox({});
    const max_total = 8 * 1024 * 1024;
    sandbox.write(
      {
        chatty: service({
          run: 'i=0; while :; do i=$((i+1)); echo "line $i xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; done',
          logs: { rotate: [{ type: 'half', size: 1024 * 1024 }], keep: 1000, max_total, compress: 'none' },
        }),
      },
      [{ path: `${PLUGINS}/rotate_half.ts` }],
    );
    await sandbox.up();
    const { job_id } = await sandbox.action('chatty');
    const folder = join(sandbox.state, 'logs/chatty/main', job_id ?? '');
    const segments = (): string[] => readdirSync(folder).filter((name) => /^\d+\.\d+\.log$/.test(name));
    await until(() => segments().length >= 4);
    const before = segments();
    // The plugin's own cuts: half of what it was told.
    for (const name of before.slice(0, 2)) {
      expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(512 * 1024);
    }
    await until(() => !segments().includes(before[0] ?? ''));
    const sizeOf = (name: string): number =>
      (statSync(join(folder, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    const onDisk = (): number => readdirSync(folder).reduce((sum, name) => sum + sizeOf(name), 0);
    signalMain(await sandbox.action('chatty'), 'SIGSTOP');
    // While upkeep still cuts what came last it gives up the oldest, also behind the back of who reads just then.
    await until(() => onDisk() <= max_total && sizeOf('current.log') <= 1024 * 1024);
    const lines = (await sandbox.log('chatty')).split('\n');
    const numbers = lines.flatMap((line) => {
      const [, digits] = /^line (\d+) x+$/.exec(line) ?? [];
      return digits === undefined ? [] : [Number(digits)];
    });
    const [first = 0] = numbers;
    expect(numbers).toEqual(numbers.map((_, index) => first + index));
  });
});

describe.skipIf(needs !== null)('the commands for plugins', () => {
  it.each([
    ['probe', ['--allow-run', 'ss']],
    ['health', ['--allow-read', '/', '--options', '{"file":"/proc/sys/kernel/pid_max"}']],
    ['rotate', []],
    ['notify', ['--allow-net', '127.0.0.1', '--options', '{"url":"http://127.0.0.1:9/"}']],
  ])('new writes a %s plugin that passes its check', async (kind, grants) => {
    sandbox = new Sandbox({});
    const file = sandbox.path(`${kind}_mine.ts`);
    expect((await run(NODE, [MAIN, 'plugins', 'new', kind, 'mine', '--dir', sandbox.dir])).code).toBe(0);
    const checked = await run(NODE, [MAIN, 'plugins', 'check', file, ...grants]);
    expect(checked.stdout).toContain(', 0 failed');
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(sandbox.path(`${kind}_mine.test.mjs`), 'utf8')).toContain(`${kind}_mine.ts`);
    // It does not write over what is there.
    expect((await run(NODE, [MAIN, 'plugins', 'new', kind, 'mine', '--dir', sandbox.dir])).code).toBe(1);
  });

  it('check prints what fails: here, what was not granted', async () => {
    sandbox = new Sandbox({});
    await run(NODE, [MAIN, 'plugins', 'new', 'probe', 'mine', '--dir', sandbox.dir]);
    const checked = await run(NODE, [MAIN, 'plugins', 'check', sandbox.path('probe_mine.ts'), '--json']);
    const answer = JSON.parse(checked.stdout);
    expect(checked.code).toBe(1);
    expect(answer).toMatchObject({ kind: 'probe', name: 'mine' });
    const failed = answer.outcomes.filter(({ failure }: { failure: string | null }) => failure !== null);
    expect(failed.map(({ name }: { name: string }) => name)).toContain('is granted what it asks for');
  });

  it('new refuses what is no kind and no name', async () => {
    sandbox = new Sandbox({});
    const dir = ['--dir', sandbox.dir];
    const kind = await run(NODE, [MAIN, 'plugins', 'new', 'prob', 'mine', ...dir]);
    expect([kind.code, kind.stderr]).toEqual([2, expect.stringContaining('current value is prob')]);
    const name = await run(NODE, [MAIN, 'plugins', 'new', 'probe', '../x', ...dir]);
    expect([name.code, name.stderr]).toEqual([2, expect.stringContaining('current value is ../x')]);
  });

  it('check refuses a service file whose plugin cannot be loaded, and up does not', async () => {
    sandbox = new Sandbox({});
    sandbox.write({ calm: service({ run: ['sleep', '1000'] }) }, [{ path: './none.ts' }]);
    const checked = await run(NODE, [MAIN, 'check', sandbox.file]);
    expect(checked.code).toBe(2);
    expect(checked.stderr).toMatch(/plugins\[0\]\.path: there is no .*none\.ts/);
    await sandbox.up();
    await sandbox.untilAction('calm', ({ phase }) => phase === 'running');
    const list = await sandbox.cli('plugins');
    expect(list.stdout).toMatch(/\? +\? +\.\/none\.ts +failed/);
  });
});
