/**
 * A hundred services, three quarters of them crashing at random for a minute, in this very process, so that the event
 * loop's delay can be watched while they do.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, expect, it } from 'vitest';
import { nodeHost } from '../../core/host/node_host.ts';
import { startSupervisor } from '../../core/supervisor/start.ts';
import type { Supervisor } from '../../core/supervisor/supervisor.ts';
import { builtInPlugins } from '../../plugins/mod.ts';
import { until } from '../support/until.ts';

const SERVICES = 100;
const DURATION = 60_000;

let dir: string;
let supervisor: Supervisor | null = null;

afterEach(async () => {
  await supervisor?.shutdown('core');
  rmSync(dir, { recursive: true, force: true });
});

it('keeps its books while 75 of 100 services crash for a minute', async () => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-hundred-'));
  const record = join(dir, 'record');
  const services: Record<string, object> = {};
  for (let index = 0; index < SERVICES; index += 1) {
    const crashing = index % 4 !== 0;
    // A shell that notes its start and sleeps: light enough for a hundred of them on a small machine. awk draws the
    // time, as sh has no chance of its own.
    const nap = crashing ? `$(awk -v seed=$$ 'BEGIN { srand(seed); print 0.5 + 5 * rand() }')` : '100000';
    services[`s${index}`] = {
      actions: {
        main: {
          process: true,
          run: `echo "$UPKEEP_SERVICE $UPKEEP_JOB $$" >> ${record}; sleep ${nap}; exit 1`,
          restart: { delay: '20ms', factor: 1, stable_after: '200ms' },
          stop: { timeout: '2s' },
        },
      },
    };
  }
  const spec_file = join(dir, 'upkeep.json');
  writeFileSync(spec_file, JSON.stringify({ services }));
  supervisor = await startSupervisor({
    host: nodeHost(),
    state_dir: join(dir, 'state'),
    spec_file,
    plugins: builtInPlugins,
    recovery: 'as_specified',
    env: process.env,
    pid: process.pid,
    version: 'test',
  });
  const up = supervisor;
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, DURATION));
  delay.disable();

  let total = 0;
  for (const { name } of up.services()) {
    await until(() => {
      const [action] = up.service(name).actions;
      if (action === undefined || action.phase !== 'running') return false;
      const lines = readFileSync(record, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
      const starts = lines.filter(([service]) => service === name);
      if (starts.length !== action.restart_count + 1) return false;
      // No duplicate: every incarnation has recorded itself once, and all of one job.
      const marks = starts.map(([, mark]) => mark);
      expect(new Set(marks).size).toBe(marks.length);
      expect(new Set(marks.map((mark) => mark?.split('/')[1])).size).toBe(1);
      const events = up.events({ service: name, after: 0, limit: 10_000 });
      const spawned = new Set(
        events.filter(({ to }) => to === 'running').map(({ incarnation }) => incarnation),
      );
      expect(spawned.size).toBe(action.restart_count + 1);
      total += action.restart_count;
      return true;
    });
  }
  console.log(
    `${total} restarts of ${SERVICES} services; event loop delay p50 ${(delay.percentile(50) / 1e6).toFixed(1)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(1)} ms`,
  );
  expect(total).toBeGreaterThan(SERVICES);
}, 180_000);
