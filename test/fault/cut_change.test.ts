/**
 * A service file that was changed, and an upkeep that dies while it takes it over, at every instant: the next one finds
 * the same file, and still knows that what runs was started from another.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { ServiceView } from '../../core/supervisor/control.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { inProcess, writeServices } from '../support/in_process.ts';
import { Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { atEachPoint, nextUpkeep } from './each_point.ts';

function services(edition: string): object {
  const env = { EDITION: edition };
  return {
    web: { actions: { main: { process: true, run: ['sleep', '1000'], env, stop: { timeout: '1s' } } } },
  };
}

/** Fault points until a service is up. To adopt one takes fewer, and to begin to restart it no more than these. */
let started = 0;
beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'upkeep-cut-'));
  try {
    writeServices(dir, services('old'));
    let points = 0;
    const supervisor = await inProcess(dir, 'state', () => {
      points += 1;
    });
    await until(() => supervisor.service('web').state === 'up');
    started = points;
    await supervisor.shutdown('core');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

/** What a process was started from; undefined where it has ended. */
function editionOf(pid: number | null): string | undefined {
  try {
    const env = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    return env.find((text) => text.startsWith('EDITION='))?.slice('EDITION='.length);
  } catch {
    return undefined;
  }
}

/** Waits until what runs is what the changed file says, and nothing else. Throws where upkeep dies. */
async function untilNew(
  sandbox: Sandbox,
  look: () => ServiceView | Promise<ServiceView> = () => sandbox.service('web'),
): Promise<void> {
  await until(async () => {
    const [action] = (await look()).actions;
    const isNew = action?.phase === 'running' && editionOf(action.pid) === 'new';
    return isNew && sandbox.marked().length === 1;
  }, 20);
}

/** Lets `work` be cut short by the death of upkeep, and looks what the next one makes of the changed file. */
async function check(sandbox: Sandbox, work: () => Promise<void>): Promise<void> {
  let next: Supervisor | null = null;
  try {
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'running');
    const { run_id } = await sandbox.service('web');
    await sandbox.kill();
    await work().catch(() => 'it has died');
    await sandbox.kill();
    sandbox.write(services('new'));
    next = await nextUpkeep(sandbox);
    const look = next.service.bind(next, 'web');
    await untilNew(sandbox, look);
    expect(look().run_id).toBe(run_id);
  } finally {
    await next?.shutdown('core');
    await sandbox.remove();
  }
}

it('changed while upkeep was away, and upkeep dies as it comes back', { timeout: 600_000 }, async () => {
  await atEachPoint({ begin: 1, end: started }, async (point) => {
    const sandbox = new Sandbox(services('old'));
    await check(sandbox, async () => {
      sandbox.write(services('new'));
      await sandbox.up({ UPKEEP_FAULT: `kill@${point}` });
      await untilNew(sandbox);
    });
  });
});

it('changed under a running upkeep, which dies as it reads it again', { timeout: 600_000 }, async () => {
  await atEachPoint({ begin: Math.floor(started / 2), end: started }, async (point) => {
    const sandbox = new Sandbox(services('old'));
    await check(sandbox, async () => {
      await sandbox.up({ UPKEEP_FAULT: `kill@${point}` });
      await sandbox.untilAction('web', ({ phase }) => phase === 'running');
      sandbox.write(services('new'));
      sandbox.daemon?.kill('SIGHUP');
      await untilNew(sandbox);
    });
  });
});
