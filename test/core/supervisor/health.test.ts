/** Health checks under the whole core, with real processes and checks that the test answers for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../../core/host/node_host.ts';
import { defineHealthCheck, type HealthResult } from '../../../core/plugin/definition.ts';
import { startSupervisor } from '../../../core/supervisor/start.ts';
import type { Supervisor } from '../../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../../plugins/mod.ts';
import { signalMain } from '../../support/sandbox.ts';
import { until } from '../../support/until.ts';

let dir: string;
let supervisor: Supervisor;
let answer: () => HealthResult | Promise<HealthResult>;

const PASS: HealthResult = { status: 'pass', message: 'fine' };
const FAIL: HealthResult = { status: 'fail', message: 'no pulse' };

const pulse = defineHealthCheck({
  name: 'pulse',
  api: 1,
  summary: 'As the test says.',
  options: v.strictObject({}),
  check: () => answer(),
});

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-health-'));
  answer = () => PASS;
});
afterEach(async () => {
  await supervisor.shutdown('core');
  rmSync(dir, { recursive: true, force: true });
});

async function start(check: object, extra: object = {}): Promise<void> {
  const health = [{ type: 'pulse', interval: '20ms', timeout: '1s', failures: 2, ...check }];
  const main = { process: true, run: ['sleep', '1000'], stop: { timeout: '1s' }, health, ...extra };
  writeFileSync(join(dir, 'upkeep.json'), JSON.stringify({ services: { web: { actions: { main } } } }));
  supervisor = await startSupervisor({
    host: nodeHost(),
    state_dir: join(dir, 'state'),
    spec_file: join(dir, 'upkeep.json'),
    plugins: { ...builtInPlugins, health_checks: [pulse] },
    recovery: 'as_specified',
    env: process.env,
    pid: process.pid,
    version: 'test',
  });
}

function action() {
  const [only] = supervisor.service('web').actions;
  if (only === undefined) throw new Error('it has no action');
  return only;
}

const codes = (): string[] => supervisor.events({ service: 'web' }).map((event) => event.code);

describe('a liveness check that fails', () => {
  it('restarts every time its threshold is reached anew, with growing pauses (case 13)', async () => {
    answer = () => FAIL;
    await start({}, { restart: { delay: '10ms', factor: 2, stable_after: '1h' } });
    const { job_id } = action();
    await until(() => action().restart_count >= 4);
    const { attempt, restart_count, reason } = action();
    expect(attempt).toBeGreaterThanOrEqual(restart_count);
    expect(reason?.code).toBe('UNHEALTHY');
    expect(action().job_id).toBe(job_id);
    const events = supervisor.events({ service: 'web' }).filter(({ code }) => code === 'UNHEALTHY');
    expect(events[0]).toMatchObject({
      from: 'running',
      to: 'stopping',
      message: 'pulse: no pulse (2 failed looks in a row)',
      evidence: { check: 'pulse', fails: 2, said: 'no pulse' },
    });
  });

  it('counts as a failed try though the process had been up for long', async () => {
    await start({}, { restart: { delay: '1h', stable_after: '30ms', jitter: 0 } });
    await until(() => action().health === 'healthy');
    answer = () => FAIL;
    await until(() => action().phase === 'retrying');
    expect(action()).toMatchObject({ attempt: 1, reason: { code: 'UNHEALTHY' } });
  });

  it('never overrides a stop', async () => {
    await start({});
    await until(() => action().health === 'healthy');
    answer = () => FAIL;
    supervisor.stop('web', 'cli');
    await until(() => supervisor.service('web').state === 'down');
    await until(() => action().phase === 'stopped');
    expect(supervisor.service('web')).toMatchObject({ wanted: 'down', state: 'down' });
  });

  it('only reports where it is told to, and says when it is over', async () => {
    await start({ on_failure: 'report' });
    answer = () => FAIL;
    await until(() => supervisor.service('web').state === 'degraded');
    expect(action()).toMatchObject({
      phase: 'running',
      health: 'unhealthy',
      restart_count: 0,
      reason: { code: 'UNHEALTHY' },
      checks: [{ type: 'pulse', status: 'fail', message: 'no pulse', health: 'unhealthy' }],
    });
    const why = await supervisor.why('web');
    expect(why.summary).toContain('web is degraded: main is running, but not well: pulse: no pulse');
    answer = () => PASS;
    await until(() => supervisor.service('web').state === 'up');
    await until(() => codes().includes('HEALTHY'));
    expect(codes().filter((code) => code === 'UNHEALTHY')).toHaveLength(1);
    expect((await supervisor.why('web')).actions[0]?.code).toBe('REQUESTED');
  });

  it('stops it for good where it is told to, until somebody starts it', async () => {
    answer = () => FAIL;
    await start({ on_failure: 'stop' });
    await until(() => supervisor.service('web').state === 'failed');
    expect(supervisor.service('web').wanted).toBe('up');
    expect(action()).toMatchObject({ phase: 'failed', pid: null, reason: { code: 'UNHEALTHY' } });
    answer = () => PASS;
    supervisor.start('web', 'cli');
    await until(() => action().health === 'healthy');
    expect(supervisor.service('web').state).toBe('up');
  });
});

describe('a check that cannot look', () => {
  it('restarts nothing, and says so once when it begins and once when it is over', async () => {
    let asked = 0;
    answer = () => {
      asked += 1;
      throw new Error('no such program: pulse');
    };
    await start({});
    await until(() => asked > 10);
    expect(action()).toMatchObject({ phase: 'running', restart_count: 0, health: 'unknown' });
    answer = () => PASS;
    await until(() => action().health === 'healthy');
    const told = (): string[] =>
      supervisor
        .events({ service: 'web' })
        .filter(({ code }) => code === 'CHECK_UNAVAILABLE')
        .map(({ message }) => message);
    await until(() => told().length > 1);
    expect(told()).toEqual(['pulse: could not look: no such program: pulse', 'pulse: can look again']);
  });
});

describe('checks that a start waits for', () => {
  it.each(['startup', 'readiness'])('%s: not ready before it has passed', async (role) => {
    answer = () => FAIL;
    let asked = 0;
    const failing = answer;
    answer = () => {
      asked += 1;
      return failing();
    };
    await start({ role });
    await until(() => asked > 3);
    expect(action().phase).toBe('starting');
    expect(supervisor.service('web').state).toBe('starting');
    answer = () => PASS;
    await until(() => action().phase === 'running');
    expect(supervisor.service('web').state).toBe('up');
  });

  it('say what they wait for when the time is over, and the next try comes', async () => {
    answer = () => FAIL;
    await start(
      { role: 'startup' },
      { ready: { timeout: '300ms' }, restart: { delay: '1h', stable_after: '1h' } },
    );
    await until(() => action().phase === 'retrying');
    expect(action().reason).toMatchObject({
      code: 'NOT_READY',
      message: 'not ready in time: pulse (no pulse)',
    });
  });

  it('readiness is shown from then on and restarts nothing', async () => {
    await start({ role: 'readiness' });
    await until(() => supervisor.service('web').state === 'up');
    answer = () => FAIL;
    await until(() => supervisor.service('web').state === 'degraded');
    expect(action()).toMatchObject({ phase: 'running', restart_count: 0, health: 'unhealthy' });
  });
});

it('a new incarnation begins with a clean record', async () => {
  await start({ on_failure: 'report' }, { restart: { delay: '10ms' } });
  answer = () => FAIL;
  await until(() => action().health === 'unhealthy');
  answer = () => PASS;
  signalMain(action(), 'SIGKILL');
  await until(() => action().restart_count === 1 && action().health === 'healthy');
  expect(supervisor.service('web').state).toBe('up');
});
