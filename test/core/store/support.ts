/**
 * What the store's tests share: a folder, a store in it, and one of each record.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { onTestFinished } from 'vitest';
import type { Job, JobBase, PhaseState } from '../../../core/job/job.ts';
import { type Reason, reason } from '../../../core/job/reason.ts';
import type { Identity } from '../../../core/process/identity.ts';
import type { StoreOptions } from '../../../core/store/options.ts';
import type { NewEvent, RunRow, ServiceRow } from '../../../core/store/records.ts';
import { Store } from '../../../core/store/store.ts';
import { FakeClock } from '../../support/fake_clock.ts';

/** A folder that is gone after the test. */
export function tempDir(): string {
  const dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-store-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A store whose clock stands still, and what it has told. */
export interface TestStore {
  readonly store: Store;
  readonly clock: FakeClock;
  /** Each call of `onDegraded`. */
  readonly told: (Reason | null)[];
}

/** Opens a store, which is closed after the test. */
export function openStore(path: string, options: Partial<StoreOptions> = {}): TestStore {
  const clock = new FakeClock();
  const told: (Reason | null)[] = [];
  const onDegraded = (why: Reason | null): void => void told.push(why);
  const store = Store.open({ path, host: { files: fs, clock }, onDegraded, ...options });
  onTestFinished(() => store.close());
  return { store, clock, told };
}

/** Collects garbage, and gives what it collected the turn of the event loop in which it is finalised. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i += 1) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export const IDENTITY: Identity = { boot_id: '7c0e6f1a-boot', pid: 4711, start_time: 123_456 };

export const BASE: JobBase = {
  id: 'job-1',
  run_id: 'run-1',
  service: 'shop',
  action: 'web',
  wanted: 'up',
  epoch: 7,
  restart_count: 3,
  attempt: 2,
  reason: reason('EXITED', 'exited with code 3', { exit_code: 3, nested: { list: [1, null, 'é'] } }),
  created_at: 1_700_000_000_000,
  started_at: 1_700_000_000_100,
  ready_at: 1_700_000_000_200,
  finished_at: 1_700_000_000_300,
  exit_code: 3,
  exit_signal: null,
  spec_digest: '0123456789abcdef',
  last_identity: IDENTITY,
};

/** A job in every phase, and in each variant of it. */
export const PHASE_STATES: readonly PhaseState[] = [
  { phase: 'pending' },
  { phase: 'preparing', step: 'reclaim', deadline: 12.5 },
  { phase: 'preparing', step: 'spawn', incarnation: 4 },
  { phase: 'starting', identity: IDENTITY, deadline: 12.5 },
  { phase: 'running', identity: IDENTITY, stable: false, deadline: 12.5 },
  { phase: 'running', identity: IDENTITY, stable: true, deadline: null },
  {
    phase: 'stopping',
    identity: IDENTITY,
    main_alive: true,
    cause: 'fault',
    was_stable: false,
    escalation: 'kill',
    deadline: 12.5,
  },
  { phase: 'retrying', deadline: 12.5, next_attempt_at: 1_700_000_000_400.25, in_order: true },
  { phase: 'stopped' },
  { phase: 'succeeded' },
  { phase: 'failed' },
];

/** What reading a stored job gives: the same, with its deadline due at once. */
export function asStored(job: Job): Job {
  return 'deadline' in job && job.deadline !== null ? { ...job, deadline: 0 } : job;
}

export function aJob(changes: Partial<JobBase> = {}, state: PhaseState = { phase: 'pending' }): Job {
  return { ...BASE, ...changes, ...state };
}

export function aService(name: string, changes: Partial<ServiceRow> = {}): ServiceRow {
  const spec = { name, actions: { web: { run: 'node server.js', process: true } } };
  return { name, spec, wanted: 'up', run_id: `run-of-${name}`, updated_at: 1_700_000_000_000, ...changes };
}

export function aRun(service: string, changes: Partial<RunRow> = {}): RunRow {
  return { id: `run-of-${service}`, service, started_at: 1_700_000_000_000, finished_at: null, ...changes };
}

export function anEvent(changes: Partial<NewEvent> = {}): NewEvent {
  return {
    time: 1_700_000_000_000,
    service: 'shop',
    action: 'web',
    job_id: 'job-1',
    incarnation: 3,
    from: 'running',
    to: 'preparing',
    code: 'EXITED',
    message: 'exited with code 3',
    evidence: { exit_code: 3 },
    actor: 'core',
    cause: null,
    ...changes,
  };
}

/** A service with its run and job, to be committed. */
export function aWorld(name: string): { services: ServiceRow[]; runs: RunRow[]; jobs: Job[] } {
  return {
    services: [aService(name)],
    runs: [aRun(name)],
    jobs: [aJob({ id: `job-of-${name}`, run_id: `run-of-${name}`, service: name })],
  };
}

/** Other files beside the database, such as one that was set aside. */
export function beside(path: string): string[] {
  const dir = join(path, '..');
  return fs.readdirSync(dir).filter((name) => join(dir, name) !== path);
}
