/**
 * A control without a supervisor behind it: everything is in plain fields that a test may set, and what was asked
 * of it is written down.
 */
import type { AccessControl } from '../../../core/access/access_control.ts';
import { AuditLog } from '../../../core/access/audit_log.ts';
import { Tokens } from '../../../core/access/tokens.ts';
import type { HealControl, HealPlan, HealResult } from '../../../core/heal/heal_control.ts';
import { Agenda } from '../../../core/host/agenda.ts';
import type { PluginRecord } from '../../../core/plugin/remote/plugin_record.ts';
import type { Identity } from '../../../core/process/identity.ts';
import type { Claim } from '../../../core/reclaim/claim.ts';
import type { Actor, EventRecord, RunRow } from '../../../core/store/records.ts';
import {
  type Control,
  type DaemonHealth,
  type EventQuery,
  type HolderView,
  type JobView,
  type LogQuery,
  NotFound,
  type ServiceView,
  type Why,
} from '../../../core/supervisor/control.ts';
import type { LogControl } from '../../../core/supervisor/log_control.ts';
import { Conflict } from '../../../core/supervisor/refusal.ts';
import type { SendableSignal } from '../../../core/supervisor/signal_job.ts';
import type { SpecChangeView, SpecControl } from '../../../core/supervisor/spec_control.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { MemoryAccessStore } from '../access/memory_store.ts';

const NOW = 1_700_000_000_000;

export function fakeService(name: string, changes: Partial<ServiceView> = {}): ServiceView {
  return {
    name,
    wanted: 'up',
    state: 'up',
    run_id: `run-${name}`,
    actions: [
      {
        action: 'main',
        job_id: `job-${name}`,
        phase: 'running',
        health: 'unknown',
        checks: [],
        pid: 4711,
        started_at: NOW,
        restart_count: 2,
        attempt: 0,
        next_attempt_at: null,
        reason: { code: 'EXITED', message: 'exited with code 3', evidence: { exit_code: 3 } },
      },
    ],
    ...changes,
  };
}

export function fakeJob(service: string, changes: Partial<JobView> = {}): JobView {
  return {
    id: `job-${service}`,
    run_id: `run-${service}`,
    service,
    action: 'main',
    wanted: 'up',
    phase: 'running',
    pid: 4711,
    identity: { boot_id: 'b', pid: 4711, start_time: 99 },
    restart_count: 2,
    attempt: 0,
    next_attempt_at: null,
    reason: { code: 'REQUESTED', message: 'started', evidence: {} },
    created_at: NOW,
    started_at: NOW,
    ready_at: NOW,
    finished_at: null,
    exit_code: null,
    exit_signal: null,
    ...changes,
  };
}

export function fakeEvent(seq: number, changes: Partial<EventRecord> = {}): EventRecord {
  return {
    seq,
    time: NOW + seq,
    service: 'web',
    action: 'main',
    job_id: 'job-web',
    incarnation: 0,
    from: 'starting',
    to: 'running',
    code: 'REQUESTED',
    message: `event ${seq}`,
    evidence: {},
    actor: 'core',
    cause: null,
    ...changes,
  };
}

/** Access whose store works and keeps nothing, and whose clock stands still. */
export function fakeAccess(changes: { read_only?: boolean; clock?: FakeClock } = {}): AccessControl {
  const clock = changes.clock ?? new FakeClock();
  const store = new MemoryAccessStore();
  return {
    read_only: changes.read_only ?? false,
    tokens: new Tokens({ store, clock, agenda: new Agenda(clock) }),
    audit: new AuditLog({ store, clock }),
    redact: (text) => text,
  };
}

export function fakePlan(service: string, changes: Partial<HealPlan> = {}): HealPlan {
  return {
    id: 'h1',
    service,
    created_at: NOW,
    expires_at: NOW + 300_000,
    summary: `${service}: start main now`,
    risk: 'low',
    facts: [{ name: 'main.state', value: 'failed' }],
    steps: [
      {
        action: 'main',
        kind: 'start',
        target: { type: 'job', job_id: `job-${service}`, identity: null },
        description: 'start main now',
        destructive: false,
        requires: null,
      },
    ],
    blocked: [],
    ...changes,
  };
}

export function fakeHealResult(service: string, changes: Partial<HealResult> = {}): HealResult {
  const main = { action: 'main', well: true, phase: 'running', health: 'unknown', pid: 4711 } as const;
  return {
    plan_id: 'h1',
    outcome: 'healed',
    plan: fakePlan(service),
    verification: {
      checked_at: NOW,
      well: true,
      message: `${service} is well: main is running`,
      actions: [{ ...main, claims: [{ claim: 'tcp:80', held_by: 'own' }], message: 'main is running' }],
    },
    events: [fakeEvent(1)],
    ...changes,
  };
}

export class FakeControl implements Control {
  list: ServiceView[] = [fakeService('web'), fakeService('api'), fakeService('worker')];
  jobRows: JobView[] = [fakeJob('web'), fakeJob('api'), fakeJob('worker')];
  runRows: RunRow[] = [
    { id: 'run-web', service: 'web', started_at: NOW, finished_at: null },
    { id: 'run-old', service: 'web', started_at: NOW - 5000, finished_at: NOW - 1000 },
    { id: 'run-api', service: 'api', started_at: NOW + 5, finished_at: null },
  ];
  history: EventRecord[] = [1, 2, 3].map((seq) => fakeEvent(seq));
  listeners = new Set<(events: readonly EventRecord[]) => void>();
  logChunks: Uint8Array[] = [Buffer.from('one\ntwo\n'), Buffer.from('three\n')];
  holderList: HolderView[] = [];
  settles = true;
  failure: Error | null = null;
  calls: unknown[][] = [];
  waiting: string[] = [];
  degraded = false;
  #access: AccessControl | null = null;
  healPlan: HealPlan = fakePlan('web');
  healResult: HealResult = fakeHealResult('web');
  /** Thrown by each attempt to apply a plan. */
  healFailure: Error | null = null;
  readonly heal: { -readonly [K in keyof HealControl]: HealControl[K] } = {
    plan: async (service) => {
      this.calls.push(['heal.plan', service]);
      return this.healPlan;
    },
    apply: async (service, request, { actor }, timeout) => {
      this.calls.push(['heal.apply', service, request, actor, timeout]);
      if (this.healFailure !== null) throw this.healFailure;
      return this.healResult;
    },
  };
  change: SpecChangeView = {
    added: ['new'],
    removed: [],
    changed: [
      {
        service: 'web',
        action: 'main',
        change: 'changed',
        fields: [{ path: 'run', before: 'a', after: 'b' }],
        restarts: true,
      },
    ],
    unchanged: ['api'],
    applied: true,
  };
  readonly spec: SpecControl = {
    checkSpec: (spec) => {
      this.calls.push(['checkSpec', spec]);
      return { valid: true, issues: [], unchecked_plugins: [] };
    },
    applySpec: async (spec, options, actor) => this.#changed('applySpec', spec, options, actor),
    putService: async (name, spec, options, actor) => this.#changed('putService', name, spec, options, actor),
    deleteService: async (name, options, actor) => {
      this.service(name);
      return this.#changed('deleteService', name, options, actor);
    },
  };
  readonly lines: LogControl = {
    read: async (job_id, query) => {
      this.calls.push(['lines.read', job_id, query]);
      this.job(job_id);
      const line = { job_id, incarnation: 0, time: NOW, offset: 0, text: 'one', truncated: false };
      return { items: [line], next_cursor: null };
    },
    search: async (query) => {
      this.calls.push(['lines.search', query]);
      const line = { job_id: 'job-web', incarnation: 0, time: NOW, offset: 0, text: 'one', truncated: false };
      return { items: [{ ...line, service: 'web', action: 'main' }], complete: true, next_cursor: null };
    },
  };
  stopped: Promise<void>;
  endStopped: () => void = () => {};

  constructor() {
    this.stopped = new Promise((resolve) => {
      this.endStopped = resolve;
    });
  }

  /** Made where it is asked for. */
  get access(): AccessControl {
    this.#access ??= fakeAccess();
    return this.#access;
  }
  set access(access: AccessControl) {
    this.#access = access;
  }

  #changed(...call: unknown[]): SpecChangeView {
    this.calls.push(call);
    return this.change;
  }

  signal(jobId: string, signal: SendableSignal, actor: Actor): Identity {
    this.calls.push(['signal', jobId, signal, actor]);
    const { identity } = this.job(jobId);
    if (identity === null) throw new Conflict('the job has no process now');
    return identity;
  }

  /** Stores an event and tells it, as the supervisor does. */
  /** Those that are told together. */
  happen(...events: EventRecord[]): void {
    this.history.push(...events);
    for (const listener of this.listeners) listener(events);
  }

  plugins(): PluginRecord[] {
    return [
      {
        name: 'procfs',
        kind: 'probe',
        source: 'built_in',
        service: null,
        api: 1,
        summary: 'Reads /proc.',
        asked: { run: [], read: [], net: [] },
        granted: { run: ['*'], read: ['*'], net: ['*'] },
        missing: [],
        not_enforced: [],
        state: 'built_in',
        pid: null,
        restart_count: 0,
        calls: 3,
        faults: 0,
        denied: 0,
        last_error: null,
        last_call_ms: 1.5,
      },
    ];
  }

  health(): DaemonHealth {
    return {
      status: this.degraded ? 'degraded' : 'ok',
      version: '0.0.0',
      pid: 1234,
      instance: 'abc',
      state_dir: '/srv/state',
      spec_file: null,
      started_at: NOW,
      read_only: this.access.read_only,
      store: null,
    };
  }
  services(): ServiceView[] {
    if (this.failure !== null) throw this.failure;
    return this.list;
  }
  service(name: string): ServiceView {
    const found = this.list.find((service) => service.name === name);
    if (found === undefined) throw new NotFound(`no service '${name}'`);
    return found;
  }
  jobs(query: { service?: string; run_id?: string }): JobView[] {
    return this.jobRows.filter((job) => query.service === undefined || job.service === query.service);
  }
  job(id: string): JobView {
    const found = this.jobRows.find((job) => job.id === id);
    if (found === undefined) throw new NotFound(`no job '${id}'`);
    return found;
  }
  runs(query: { service?: string }): RunRow[] {
    return this.runRows.filter((run) => query.service === undefined || run.service === query.service);
  }
  start(name: string, actor: Actor): ServiceView {
    this.calls.push(['start', name, actor]);
    return this.service(name);
  }
  stop(name: string, actor: Actor): ServiceView {
    this.calls.push(['stop', name, actor]);
    return this.service(name);
  }
  restart(name: string, actor: Actor): ServiceView {
    this.calls.push(['restart', name, actor]);
    return this.service(name);
  }
  async settled(name: string, timeout: number): Promise<boolean> {
    this.calls.push(['settled', name, timeout]);
    return this.settles;
  }
  async why(name: string): Promise<Why> {
    const { wanted, state } = this.service(name);
    return {
      service: name,
      wanted,
      state,
      summary: `${name} is up.`,
      next: null,
      notes: [],
      actions: [
        {
          action: 'main',
          job_id: `job-${name}`,
          phase: 'running',
          health: 'unknown',
          code: 'EXITED',
          message: 'exited with code 3',
          evidence: { exit_code: 3 },
          confidence: 'certain',
          next_step: 'nothing to do',
          next: { operation: 'service.heal', input: { name, dry_run: true } },
          notes: [
            {
              code: 'LOG_TRUNCATED',
              message: 'its log was truncated',
              evidence: {},
              time: NOW,
              seq: 2,
              next_step: 'let it append',
              next: null,
            },
          ],
          log_tail: ['last words'],
          events: [fakeEvent(3)],
        },
      ],
    };
  }
  async holders(claim: Claim): Promise<{ holders: HolderView[]; complete: boolean }> {
    this.calls.push(['holders', claim]);
    return { holders: this.holderList, complete: true };
  }
  events(query: EventQuery): EventRecord[] {
    const { after, before, limit = 100 } = query;
    const matching = this.history.filter(
      (event) =>
        (query.service === undefined || event.service === query.service) &&
        (query.job_id === undefined || event.job_id === query.job_id) &&
        event.seq > (after ?? -1) &&
        event.seq < (before ?? Number.POSITIVE_INFINITY),
    );
    return after === undefined ? matching.slice(-limit) : matching.slice(0, limit);
  }
  followEvents(follower: (events: readonly EventRecord[]) => void): () => void {
    this.listeners.add(follower);
    return () => this.listeners.delete(follower);
  }
  async *log(jobId: string, query: LogQuery): AsyncIterable<Uint8Array> {
    this.calls.push(['log', jobId, query]);
    yield* this.logChunks;
  }
  async *followLog(jobId: string, query: LogQuery, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.calls.push(['followLog', jobId, query]);
    try {
      yield* this.logChunks;
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    } finally {
      this.calls.push(['followLog ended']);
    }
  }
  async shutdown(actor: Actor): Promise<void> {
    this.calls.push(['shutdown', actor]);
    await this.stopped;
  }
  waitingFor(): string[] {
    return this.waiting;
  }
}
