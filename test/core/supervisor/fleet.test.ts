/**
 * What commands and the service file mean to services, on the real host.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultPoint } from '../../../core/host/fault.ts';
import { Database } from '../../../core/store/database.ts';
import { readLive } from '../../../core/store/queries.ts';
import { NotFound } from '../../../core/supervisor/control.ts';
import type { Supervisor } from '../../../core/supervisor/supervisor.ts';
import { inProcess, writeServices } from '../../support/in_process.ts';
import { until } from '../../support/until.ts';

let dir: string;
let supervisor: Supervisor | null = null;

beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-fleet-'));
});
afterEach(async () => {
  await supervisor?.shutdown('core');
  supervisor = null;
  fs.rmSync(dir, { recursive: true, force: true });
});

async function start(services: object, at?: FaultPoint): Promise<Supervisor> {
  writeServices(dir, services);
  supervisor = await inProcess(dir, 'state', at);
  return supervisor;
}

const action = (name: string) => {
  const only = supervisor?.service(name).actions[0];
  if (only === undefined) throw new Error(`${name} has no action`);
  return only;
};
const names = (): string[] => supervisor?.services().map(({ name }) => name) ?? [];

const sleeper = (extra: object = {}): object => ({
  process: true,
  run: ['sleep', '1000'],
  stop: { timeout: '1s' },
  ...extra,
});
/** Ends a moment after it was asked to. */
const SLOW = sleeper({ run: 'trap "sleep 0.3; exit 0" TERM; while :; do sleep 0.05; done' });

describe('a command', () => {
  it('is never written down for a service and not for its jobs, nor for some of them only', async () => {
    const odd: string[] = [];
    let reader: Database | null = null;
    const look = (call: string): void => {
      if (call !== 'store.commit:done') return;
      reader ??= Database.open(join(dir, 'state', 'upkeep.db'), { files: fs, busy_timeout: 5_000 });
      const { services, runs, jobs } = readLive(reader);
      for (const { name, wanted, run_id } of services) {
        const run = runs.find(({ id }) => id === run_id);
        if (run === undefined) continue;
        const wants = jobs.filter((job) => job.run_id === run_id).map((job) => job.wanted);
        const whole = wants.length === 3 && wants.every((want) => want === wanted);
        if (!whole || (run.finished_at !== null && wanted === 'up')) odd.push(`${name} ${wanted}: ${wants}`);
      }
    };
    const actions = { a: sleeper(), b: sleeper({ after: ['a'] }), c: sleeper({ after: ['b'] }) };
    const upkeep = await start({ web: { actions } }, look);
    await until(() => upkeep.service('web').state === 'up');
    upkeep.stop('web', 'core');
    await until(() => upkeep.service('web').state === 'down');
    upkeep.start('web', 'core');
    await until(() => upkeep.service('web').state === 'up');
    upkeep.restart('web', 'core');
    await until(() => upkeep.service('web').actions.every(({ restart_count }) => restart_count === 1));
    await until(() => upkeep.service('web').state === 'up');
    upkeep.stop('web', 'core');
    await until(() => upkeep.service('web').state === 'down');
    expect(odd).toEqual([]);
  });
});

describe('a service that leaves the file', () => {
  it('is shown as wanted down, takes no start, and goes', async () => {
    const upkeep = await start({ web: { actions: { main: SLOW } } });
    await until(() => upkeep.service('web').state === 'up');
    writeServices(dir, {});
    expect(await upkeep.reload('core')).toBeNull();
    expect(upkeep.service('web')).toMatchObject({ wanted: 'down', state: 'stopping' });
    expect(() => upkeep.start('web', 'core')).toThrow(NotFound);
    expect(() => upkeep.restart('web', 'core')).toThrow(NotFound);
    await until(() => names().length === 0);
  });

  it('comes up again where it is back before it is gone: nobody has stopped it', async () => {
    const upkeep = await start({ web: { actions: { main: SLOW } } });
    await until(() => upkeep.service('web').state === 'up');
    const { run_id } = upkeep.service('web');
    writeServices(dir, {});
    await upkeep.reload('core');
    writeServices(dir, { web: { actions: { main: SLOW } } });
    await upkeep.reload('core');
    await until(() => action('web').restart_count === 1 && action('web').phase === 'running');
    expect(upkeep.service('web')).toMatchObject({ wanted: 'up', state: 'up', run_id });
  });

  it('stays down where it was stopped before', async () => {
    const upkeep = await start({ web: { actions: { main: SLOW } } });
    await until(() => upkeep.service('web').state === 'up');
    upkeep.stop('web', 'core');
    writeServices(dir, {});
    await upkeep.reload('core');
    writeServices(dir, { web: { actions: { main: SLOW } } });
    await upkeep.reload('core');
    await until(() => upkeep.service('web').state === 'down');
    expect(upkeep.service('web').wanted).toBe('down');
  });
});

describe('an action that leaves the file', () => {
  it('comes up again where it is back before it has stopped', async () => {
    const both = { web: { actions: { main: sleeper(), side: SLOW } } };
    const upkeep = await start(both);
    await until(() => upkeep.service('web').state === 'up');
    writeServices(dir, { web: { actions: { main: sleeper() } } });
    await upkeep.reload('core');
    writeServices(dir, both);
    await upkeep.reload('core');
    await until(() => upkeep.service('web').state === 'up');
    const [main, side] = upkeep.service('web').actions;
    expect(main).toMatchObject({ action: 'main', restart_count: 0 });
    expect(side).toMatchObject({ action: 'side', restart_count: 1 });
  });

  it('has its spec kept until it has stopped, and no longer', async () => {
    const upkeep = await start({ web: { actions: { main: sleeper(), side: SLOW } } });
    await until(() => upkeep.service('web').state === 'up');
    const reader = Database.open(join(dir, 'state', 'upkeep.db'), { files: fs, busy_timeout: 5_000 });
    const kept = (): string[] => {
      const [row] = readLive(reader).services.map(({ spec }) => spec as { actions: object });
      return Object.keys(row?.actions ?? {});
    };
    writeServices(dir, { web: { actions: { main: sleeper() } } });
    await upkeep.reload('core');
    expect(kept()).toEqual(['main', 'side']);
    await until(() => upkeep.service('web').actions.length === 1);
    expect(kept()).toEqual(['main']);
  });
});

describe('a changed service file', () => {
  it('does not start again what is wanted down and still runs', async () => {
    const upkeep = await start({ web: { actions: { main: SLOW } } });
    await until(() => upkeep.service('web').state === 'up');
    upkeep.stop('web', 'core');
    writeServices(dir, { web: { actions: { main: { ...SLOW, env: { A: '1' } } } } });
    await upkeep.reload('core');
    await until(() => upkeep.service('web').state === 'down');
    expect(action('web').restart_count).toBe(0);
  });

  it('holds without a restart where it changes nothing of what runs', async () => {
    const upkeep = await start({ web: { actions: { main: sleeper({ run: ['sleep', '1000'] }) } } });
    await until(() => upkeep.service('web').state === 'up');
    const before = action('web');
    writeServices(dir, {
      web: { actions: { main: sleeper({ stop: { signal: 'SIGINT', timeout: '2s' } }) } },
    });
    await upkeep.reload('core');
    expect(action('web')).toEqual(before);
    upkeep.stop('web', 'core');
    await until(() => upkeep.service('web').state === 'down');
    expect(upkeep.jobs({ service: 'web' })).toMatchObject([{ exit_signal: 'SIGINT', restart_count: 0 }]);
  });
});

describe('changed settings of a log', () => {
  const writer = (max: string): object => ({
    main: sleeper({
      run: 'yes 0123456789012345678901234567890 | head -c 400000; exec sleep 1000',
      logs: { rotate: [{ type: 'size', max }], compress: 'none' },
    }),
  });
  const segments = (): string[] => {
    const folder = join(dir, 'state', 'logs', 'web', 'main', action('web').job_id ?? '');
    return fs.readdirSync(folder).filter((name) => /^\d.*\.log$/.test(name));
  };

  it('hold for a log in use, without a restart', async () => {
    const upkeep = await start({ web: { actions: writer('10MiB') } });
    await until(() => upkeep.service('web').state === 'up');
    const before = action('web');
    writeServices(dir, { web: { actions: writer('64KiB') } });
    await upkeep.reload('core');
    await until(() => segments().length >= 4);
    expect(action('web')).toEqual(before);
  });

  it('hold when upkeep comes up again', async () => {
    const upkeep = await start({ web: { actions: writer('10MiB') } });
    await until(() => upkeep.service('web').state === 'up');
    await upkeep.shutdown('core');
    await start({ web: { actions: writer('64KiB') } });
    await until(() => segments().length >= 4);
  });
});
