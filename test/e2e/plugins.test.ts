/** Plugins in processes of their own under the real program. */
import { existsSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { NODES, PLUGINS } from '../support/plugins.ts';
import { pidOf, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const [own] = NODES;
const needs = own?.needs ?? null;
const test = needs === null ? it : it.skip;

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

test(`a hung plugin of an upkeep that died is ended, and started anew${needs === null ? '' : ` (needs ${needs})`}`, async () => {
  const services = { calm: { actions: { main: { process: true, run: ['sleep', '1000'] } } } };
  sandbox = new Sandbox(services);
  sandbox.write(services, [{ path: `${PLUGINS}/health_queue.ts` }]);
  await sandbox.up();
  await sandbox.untilAction('calm', ({ phase }) => phase === 'running');
  const calm = await sandbox.action('calm');
  const before = await sandbox.action('plugin:health_queue');
  const pid = pidOf(before);
  // It does not see that its channel has ended.
  process.kill(pid, 'SIGSTOP');
  await sandbox.kill();
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  await sandbox.up();
  await until(() => !existsSync(`/proc/${pid}`));
  await sandbox.untilAction(
    'plugin:health_queue',
    ({ phase, restart_count }) => phase === 'running' && restart_count === before.restart_count + 1,
  );
  expect((await sandbox.action('plugin:health_queue')).job_id).toBe(before.job_id);
  expect(pidOf(await sandbox.action('calm'))).toBe(calm.pid);
  const status = await sandbox.json<{ items: { name: string }[] } | { name: string }[]>('status');
  expect(JSON.stringify(status)).not.toContain('plugin:');
  await sandbox.down();
  expect(sandbox.marked().map((process) => process.pid)).toEqual([]);
});
