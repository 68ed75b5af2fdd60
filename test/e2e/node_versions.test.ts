/**
 * The compiled program under every other Node that it is said to run on.
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Why } from '../../core/supervisor/control.ts';
import { OTHER_NODES } from '../support/other_nodes.ts';
import { alive, pidOf, type Ran, run, Sandbox, signalMain } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'dist/adapters/cli/main.js');

let sandbox: Sandbox | null = null;
afterEach(async () => {
  await sandbox?.remove();
  sandbox = null;
});

describe.each(OTHER_NODES)('Node $major', ({ major: version, path: node, installed, need }) => {
  it.skipIf(!installed)(`checks, starts, heals, explains and stops (needs ${need})`, async () => {
    expect((await run(node, ['--version'])).stdout).toMatch(new RegExp(`^v${version}\\.`));
    const box = new Sandbox({
      web: {
        actions: {
          prepare: { run: 'echo prepared' },
          main: { process: true, run: `echo hello; exec sleep 1000`, after: ['prepare'] },
        },
      },
    });
    sandbox = box;
    const upkeep = async (command: string, ...args: string[]): Promise<Ran> => {
      const ran = await run(node, [MAIN, command, ...args]);
      expect(ran, `upkeep ${command}`).toMatchObject({ code: 0, stderr: '' });
      return ran;
    };
    const state = ['--state', box.state];
    const main = async () => (await box.service('web')).actions[1];

    await upkeep('check', box.file);
    await upkeep('up', '-d', '-f', box.file, ...state);
    const { pid } = await box.client.call('health.get', {});
    try {
      expect(realpathSync(`/proc/${pid}/exe`)).toBe(realpathSync(node));
      await until(async () => (await box.service('web')).state === 'up');
      expect((await upkeep('status', ...state)).stdout).toMatch(/web\/main\s+running\s+\d+/);

      const before = await main();
      signalMain({ pid: before?.pid ?? null }, 'SIGKILL');
      await until(async () => {
        const now = await main();
        return now?.phase === 'running' && now.restart_count === 1;
      });
      const { job_id, restart_count } = (await main()) ?? {};
      expect({ job_id, restart_count }).toEqual({ job_id: before?.job_id, restart_count: 1 });
      const why: Why = JSON.parse((await upkeep('why', 'web', '--json', ...state)).stdout);
      expect(why.actions[1]).toMatchObject({ code: 'SIGNALED', phase: 'running' });
      await until(async () => (await upkeep('logs', 'web/main', ...state)).stdout === 'hello\nhello\n');

      await upkeep('down', ...state);
      await until(() => !alive(pid));
      expect(box.marked()).toEqual([]);
    } catch (error) {
      // It is nobody's child: what went wrong must not leave it behind.
      if (alive(pid)) process.kill(pidOf({ pid }), 'SIGKILL');
      throw error;
    }
  });
});
