/**
 * Effects on a machine in memory, with real logs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { JobEvent } from '../../../core/job/event.ts';
import { Logs } from '../../../core/log/mod.ts';
import { AdoptedWatch } from '../../../core/process/adopted_watch.ts';
import { EscapeeFinder } from '../../../core/process/escapees.ts';
import { OomWitness } from '../../../core/process/oom.ts';
import { ProcessTable } from '../../../core/process/process_table.ts';
import { Reaper } from '../../../core/process/reaper.ts';
import { type EffectPorts, Effects } from '../../../core/supervisor/effects.ts';
import { statePaths } from '../../../core/supervisor/paths.ts';
import type { JobRuntime } from '../../../core/supervisor/runtime.ts';
import { aJob, anIdentity, aPolicy } from '../job/builders.ts';
import { FakeMachine } from '../process/fake_machine.ts';

const UPKEEP = 50;

it('watches and stops what it has adopted where no log can be had', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'upkeep-effects-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const paths = statePaths(dir);
  writeFileSync(paths.logs, 'no folder');
  const identity = anIdentity();
  const machine = new FakeMachine({ pid: identity.pid, start_time: identity.start_time });
  const { host, agenda } = machine;
  const table = new ProcessTable(host);
  const told: JobEvent[] = [];
  const noted: string[] = [];
  const effects = new Effects({
    host,
    paths,
    logs: new Logs({ host, dir: paths.logs, rotators: [], report: () => {} }),
    reaper: new Reaper(host, agenda, table, new EscapeeFinder(host, table, 'c0ffee', UPKEEP)),
    adopted: new AdoptedWatch(host, agenda),
    oom: new OomWitness(host, UPKEEP),
    dispatch: (_id, event) => void told.push(event),
    note: (_runtime, why) => void noted.push(why.code),
    leftBehind: () => {},
  } as Partial<EffectPorts> as EffectPorts);
  const runtime = {
    job: aJob({ phase: 'running', identity, stable: true, deadline: null }),
    spec: { process: true, stop: { signal: 'SIGTERM', timeout: 10_000 } },
    policy: aPolicy(),
    log: { service: 'shop', action: 'web', job_id: 'j1', policy: {} },
    sessions: new Set(),
    unreleased: [],
    signalled: false,
  } as unknown as JobRuntime;

  effects.perform(runtime, { type: 'adopt', identity, incarnation: 0 });
  effects.perform(runtime, { type: 'stop_group', identity, incarnation: 0, kill: false });
  await machine.pass(1_000);

  expect(machine.signals).toEqual(['TERM -100']);
  expect(told.map(({ type }) => type)).toEqual(['exited', 'group_gone']);
  expect(new Set(noted)).toEqual(new Set(['LOG_DEGRADED']));
});
