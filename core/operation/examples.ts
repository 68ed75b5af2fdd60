/**
 * One small story that the examples of all operations are taken from: a shop whose web server was killed and runs again.
 */
import type { HealPlan } from '../heal/heal_control.ts';
import type { PluginRecord } from '../plugin/remote/plugin_record.ts';
import type { EventRecord, RunRow } from '../store/records.ts';
import type { DaemonHealth, HolderView, JobView, ServiceView, Why } from '../supervisor/control.ts';

const STARTED = 1_764_150_000_000;
const KILLED = STARTED + 3_600_000;

const killed = {
  code: 'SIGNALED',
  message: 'killed by SIGKILL',
  evidence: { exit_signal: 'SIGKILL', incarnation: 0 },
} as const;

/** Its run. */
export const exampleRun: RunRow = {
  id: 'rmifmp0w03ajk1v9c',
  service: 'shop',
  started_at: STARTED,
  finished_at: null,
};

/** The job of its web server. */
export const exampleJob: JobView = {
  id: 'jmifmp0w05bmo0sx8',
  run_id: exampleRun.id,
  service: 'shop',
  action: 'web',
  wanted: 'up',
  phase: 'running',
  pid: 10412,
  identity: { boot_id: '4b7a5b1c-8c5d-4f0e-9d1a-2f6b3c1d7e90', pid: 10412, start_time: 812345 },
  restart_count: 1,
  attempt: 0,
  next_attempt_at: null,
  reason: killed,
  created_at: STARTED,
  started_at: KILLED + 2,
  ready_at: KILLED + 140,
  finished_at: null,
  exit_code: null,
  exit_signal: 'SIGKILL',
};

/** The shop. */
export const exampleService: ServiceView = {
  name: 'shop',
  wanted: 'up',
  state: 'up',
  run_id: exampleRun.id,
  actions: [
    {
      action: 'web',
      job_id: exampleJob.id,
      phase: 'running',
      health: 'healthy',
      checks: [
        {
          type: 'http',
          role: 'liveness',
          on_failure: 'restart',
          health: 'healthy',
          status: 'pass',
          message: '200 OK',
          data: { status: 200 },
          looked_at: KILLED + 5_140,
          duration: 3.2,
          passes: 2,
          fails: 0,
        },
      ],
      pid: exampleJob.pid,
      started_at: exampleJob.started_at,
      restart_count: 1,
      attempt: 0,
      next_attempt_at: null,
      reason: killed,
    },
  ],
};

/** Its death. */
export const exampleEvent: EventRecord = {
  seq: 41,
  time: KILLED,
  service: 'shop',
  action: 'web',
  job_id: exampleJob.id,
  incarnation: 0,
  from: 'running',
  to: 'preparing',
  ...killed,
  actor: 'core',
  cause: null,
};

/** What is said of it. */
export const exampleWhy: Why = {
  service: 'shop',
  wanted: 'up',
  state: 'up',
  summary: 'shop is up; web was killed by SIGKILL and started again.',
  next: null,
  notes: [],
  actions: [
    {
      action: 'web',
      job_id: exampleJob.id,
      phase: 'running',
      health: 'healthy',
      ...killed,
      confidence: 'certain',
      next_step: 'Nothing to do; look at the log if it happens again.',
      next: null,
      notes: [],
      log_tail: ['listening on 8080'],
      events: [exampleEvent],
    },
  ],
};

/** Who holds its port. */
export const exampleHolder: HolderView = {
  claim: { kind: 'tcp', address: null, port: 8080 },
  process: exampleJob.identity,
  address: '0.0.0.0',
  command: 'node server.js',
  fd: 18,
  inode: '3151023',
  class: 'managed',
  service: 'shop',
  action: 'web',
};

/** A plugin. */
export const examplePlugin: PluginRecord = {
  name: 'http',
  kind: 'health',
  source: 'built_in',
  service: null,
  api: 1,
  summary: 'Asks a URL and judges the answer.',
  asked: { run: [], read: [], net: ['*'] },
  granted: { run: ['*'], read: ['*'], net: ['*'] },
  missing: [],
  not_enforced: [],
  state: 'built_in',
  pid: null,
  restart_count: 0,
  calls: 0,
  faults: 0,
  denied: 0,
  last_error: null,
  last_call_ms: null,
};

/** How upkeep was at that time. */
export const exampleHealth: DaemonHealth = {
  status: 'ok',
  version: '0.1.0',
  pid: 10377,
  instance: '3f1c9a2b',
  state_dir: '/srv/shop/.upkeep',
  spec_file: '/srv/shop/upkeep.yaml',
  started_at: STARTED - 200,
  read_only: false,
  store: null,
};

/** A plan for the shop while its web server waits for its next try. */
export const exampleHealPlan: HealPlan = {
  id: 'h7Qm2bXkTq1uN0sZcVwLrA',
  service: 'shop',
  created_at: KILLED,
  expires_at: KILLED + 300_000,
  summary: 'shop: start web now instead of waiting for its next try',
  risk: 'low',
  facts: [{ name: 'web.phase', value: 'retrying' }],
  steps: [
    {
      action: 'web',
      kind: 'start',
      target: { type: 'job', job_id: exampleJob.id, identity: null },
      description: 'start web now',
      destructive: false,
      requires: null,
    },
  ],
  blocked: [],
};
