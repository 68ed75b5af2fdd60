/**
 * The fleet: every service with its run and its jobs, and what a command means to them.
 *
 * A run lasts from a start to the stop that follows; its jobs keep their ids for as long. `wanted` changes here and
 * nowhere else, and is committed before any job hears of it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../host/host.ts';
import { atRest, type Job, type JobBase } from '../job/job.ts';
import { reason } from '../job/reason.ts';
import { exitReason } from '../process/exit.ts';
import type { Identity } from '../process/identity.ts';
import { type ActionSpec, jobPolicy, type ServiceFile, type ServiceSpec } from '../spec/mod.ts';
import type { Batch } from '../store/batch.ts';
import type { RunRow, ServiceRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { NotFound } from './control.ts';
import { gates } from './gates.ts';
import { newId } from './ids.ts';
import type { JobLoop } from './job_loop.ts';
import type { JobRuntime, Origin, ServiceRuntime } from './runtime.ts';

/** How `recovery` is to be read: as the service file says, or `restart` everywhere. */
export type RecoveryMode = 'as_specified' | 'restart';

const DONE = { exit_code: 0, exit_signal: null } as const;

/** A job that only its living process still tells of. */
export interface LostJob {
  readonly id: string;
  readonly run_id: string;
  readonly service: string;
  readonly action: string;
  readonly incarnation: number;
  readonly identity: Identity;
}

/** The services, their runs and jobs. */
export class Fleet {
  readonly services = new Map<string, ServiceRuntime>();
  readonly #store: Store;
  readonly #loop: JobLoop;
  readonly #clock: Clock;
  readonly #recovery: RecoveryMode;
  /** Told of each job that is history from now on. */
  readonly #forgotten: (job: Job) => void;

  constructor(
    store: Store,
    loop: JobLoop,
    clock: Clock,
    recovery: RecoveryMode,
    forgotten: (job: Job) => void,
  ) {
    this.#forgotten = forgotten;
    this.#store = store;
    this.#loop = loop;
    this.#clock = clock;
    this.#recovery = recovery;
  }

  /** @throws {@link NotFound} */
  service(name: string): ServiceRuntime {
    const service = this.services.get(name);
    if (service === undefined) throw new NotFound(`no service '${name}'`);
    return service;
  }

  /** Wants a service up: in the run it is in, or in a new one. */
  start(name: string, origin: Origin): void {
    const service = this.service(name);
    this.#setWanted(service, 'up');
    if (service.run === null || service.run.finished_at !== null) this.#beginRun(service);
    for (const { job } of service.jobs) this.#loop.dispatch(job.id, { type: 'want', wanted: 'up' }, origin);
    this.clearGates(name);
  }

  /** Wants a service down: in order, each action when nothing that runs depends on it any more. */
  stop(name: string, origin: Origin): void {
    const service = this.service(name);
    this.#setWanted(service, 'down');
    for (const { job } of service.jobs) this.#loop.dispatch(job.id, { type: 'want', wanted: 'down' }, origin);
    this.clearGates(name);
    this.settle(name);
  }

  /** A fresh incarnation of each process; a start where the service is down. */
  restart(name: string, origin: Origin): void {
    const service = this.service(name);
    if (service.row.wanted === 'down') {
      this.start(name, origin);
      return;
    }
    const why = reason('REQUESTED', 'restart requested');
    for (const { job } of service.jobs) this.#loop.dispatch(job.id, { type: 'restart', reason: why }, origin);
    this.clearGates(name);
  }

  /** upkeep goes down: everything is stopped in order, nothing changes what is wanted. */
  halt(origin: Origin): void {
    this.#loop.halting = true;
    for (const id of [...this.#loop.jobs.keys()]) this.#loop.dispatch(id, { type: 'halt' }, origin);
    for (const name of this.services.keys()) this.clearGates(name);
  }

  /** Lets jobs go on that nothing stands in the way of any more, and tells the others what they wait for. */
  clearGates(name: string): void {
    const service = this.services.get(name);
    if (service === undefined) return;
    const jobs = service.jobs.map((runtime) => runtime.job);
    for (const gate of gates(service.spec, jobs, this.#loop.halting || service.leaving)) {
      if (gate.verdict === 'cleared') this.#loop.dispatch(gate.job.id, { type: 'cleared' });
      else if (gate.reason.message !== gate.job.reason.message) {
        this.#loop.dispatch(gate.job.id, { type: 'waiting', reason: gate.reason });
      }
    }
  }

  /** Forgets jobs at rest whose action has left the file, and ends the run of a service that is down and at rest. */
  settle(name: string): void {
    const service = this.services.get(name);
    if (service === undefined) return;
    for (const { job } of service.jobs) {
      if (service.spec.actions[job.action] === undefined && atRest(job)) this.#forget(service, job);
    }
    if (service.row.wanted === 'up' || !service.jobs.every(({ job }) => atRest(job))) return;
    if (service.run !== null && service.run.finished_at === null) {
      service.run = { ...service.run, finished_at: this.#clock.wall() };
      this.#store.commit({ runs: [service.run] });
    }
    if (!service.leaving) return;
    for (const { job } of service.jobs) this.#forget(service, job);
    this.services.delete(name);
    this.#store.commit({ deleted_services: [name] });
  }

  /** Takes up what the store holds. Nothing is started: recovery decides that. */
  load(services: readonly ServiceRow[], runs: readonly RunRow[], jobs: readonly Job[]): void {
    const ofRun = new Map<string, Job[]>();
    for (const job of jobs) ofRun.set(job.run_id, [...(ofRun.get(job.run_id) ?? []), job]);
    for (const row of services) {
      const run = runs.find((candidate) => candidate.id === row.run_id) ?? null;
      // Only what was checked is ever stored.
      const spec = row.spec as ServiceSpec;
      const service: ServiceRuntime = { row, spec, run, jobs: [], leaving: false };
      this.services.set(row.name, service);
      for (const job of ofRun.get(row.run_id ?? '') ?? []) {
        const action = spec.actions[job.action];
        if (action !== undefined) this.#enlist(service, job, action);
      }
    }
  }

  /**
   * Takes over a checked service file: what is new (wanted up), what has changed, and what is gone. Only records
   * change; {@link enact} does what follows. Returns the jobs whose action has changed.
   */
  adopt(file: ServiceFile): JobRuntime[] {
    for (const [name, service] of this.services) service.leaving = file.services[name] === undefined;
    return Object.values(file.services).flatMap((spec) => {
      const known = this.services.get(spec.name);
      if (known !== undefined) return this.#update(known, spec);
      const row: ServiceRow = {
        name: spec.name,
        spec,
        wanted: 'up',
        run_id: null,
        updated_at: this.#clock.wall(),
      };
      this.services.set(spec.name, { row, spec, run: null, jobs: [], leaving: false });
      this.#store.commit({ services: [row] });
      return [];
    });
  }

  /** Starts what is new, stops what is gone, restarts what has changed. */
  enact(changed: readonly JobRuntime[], origin: Origin): void {
    for (const [name, service] of [...this.services]) {
      if (service.leaving) {
        this.stop(name, origin);
        continue;
      }
      for (const { job } of service.jobs) {
        if (service.spec.actions[job.action] !== undefined) continue;
        this.#loop.dispatch(job.id, { type: 'want', wanted: 'down' }, origin);
      }
      if (service.row.wanted === 'up' && service.run === null) this.start(name, origin);
      else if (service.row.wanted === 'up') this.#startNewActions(service, origin);
    }
    const why = reason('SPEC_CHANGED', 'the service file says otherwise than what was started');
    for (const { job } of changed) {
      // What has succeeded is done, and what is stopped stays so.
      if (job.phase === 'succeeded' || job.phase === 'stopped') continue;
      this.#loop.dispatch(job.id, { type: 'restart', reason: why }, origin);
    }
    for (const name of [...this.services.keys()]) {
      this.clearGates(name);
      this.settle(name);
    }
  }

  /** Takes up a job that the store has lost. False where the service file does not know it either. */
  rebuild(lost: LostJob): boolean {
    const service = this.services.get(lost.service);
    const action = service?.spec.actions[lost.action];
    if (service === undefined || action === undefined) return false;
    if (service.jobs.some(({ job }) => job.action === lost.action)) return false;
    const now = this.#clock.wall();
    const run = this.#runOf(service, lost.run_id, now);
    const fresh: Job = {
      ...freshJob(lost.id, run.id, lost.service, lost.action, now),
      phase: 'pending',
    };
    this.catchUp(this.#enlist(service, fresh, action), lost);
    return true;
  }

  /** Takes up a oneshot that the store has lost and that its status file says is done: it must not run again. */
  rebuildDone({ service: name, action, id }: Pick<LostJob, 'service' | 'action' | 'id'>): void {
    const service = this.services.get(name);
    const spec = service?.spec.actions[action];
    if (service === undefined || spec === undefined || spec.process) return;
    if (service.jobs.some(({ job }) => job.action === action)) return;
    const now = this.#clock.wall();
    const run = this.#runOf(service, newId('r', now), now);
    const done = { started_at: now, finished_at: now, exit_code: 0, reason: exitReason(DONE) };
    const job: Job = { ...freshJob(id, run.id, name, action, now), ...done, phase: 'succeeded' };
    this.#enlist(service, job, spec);
    this.#store.commit({ jobs: [job] });
  }

  /** A job whose living process is ahead of the store, which missed a spawn: the process is right. */
  catchUp(runtime: JobRuntime, { incarnation, identity }: Pick<LostJob, 'incarnation' | 'identity'>): void {
    const now = this.#clock.wall();
    const alive = { phase: 'running', identity, stable: false, deadline: null } as const;
    const known = { restart_count: incarnation, started_at: now, ready_at: now, last_identity: identity };
    runtime.job = { ...runtime.job, ...known, ...alive };
    this.#store.commit({ jobs: [runtime.job] });
  }

  /** Every record of the present runs: what a lost store is made anew from. */
  everything(): Required<Pick<Batch, 'services' | 'runs' | 'jobs'>> {
    const services = [...this.services.values()];
    return {
      services: services.map(({ row }) => row),
      runs: services.flatMap(({ run }) => (run === null ? [] : [run])),
      jobs: services.flatMap(({ jobs }) => jobs.map(({ job }) => job)),
    };
  }

  /** The run that a service is in; where the store has lost it, one with this id. */
  #runOf(service: ServiceRuntime, id: string, now: number): RunRow {
    if (service.run !== null) return service.run;
    service.run = { id, service: service.row.name, started_at: now, finished_at: null };
    service.row = { ...service.row, run_id: id };
    this.#store.commit({ services: [service.row], runs: [service.run] });
    return service.run;
  }

  #startNewActions(service: ServiceRuntime, origin: Origin): void {
    const known = new Set(service.jobs.map(({ job }) => job.action));
    const added = Object.values(service.spec.actions).filter((action) => !known.has(action.name));
    const jobs = added.map((action) => this.#newJob(service, action));
    if (jobs.length === 0) return;
    this.#store.commit({ jobs });
    for (const job of jobs) this.#loop.dispatch(job.id, { type: 'want', wanted: 'up' }, origin);
  }

  #update(service: ServiceRuntime, spec: ServiceSpec): JobRuntime[] {
    if (isDeepStrictEqual(service.spec, spec)) return [];
    service.spec = spec;
    service.row = { ...service.row, spec, updated_at: this.#clock.wall() };
    this.#store.commit({ services: [service.row] });
    return service.jobs.filter((runtime) => {
      const action = spec.actions[runtime.job.action];
      if (action === undefined || isDeepStrictEqual(runtime.spec, action)) return false;
      runtime.spec = action;
      runtime.policy = this.#policy(action);
      runtime.log = { ...runtime.log, policy: action.logs };
      return true;
    });
  }

  #setWanted(service: ServiceRuntime, wanted: 'up' | 'down'): void {
    if (service.row.wanted === wanted) return;
    service.row = { ...service.row, wanted, updated_at: this.#clock.wall() };
    this.#store.commit({ services: [service.row] });
  }

  #beginRun(service: ServiceRuntime): void {
    const now = this.#clock.wall();
    for (const { job } of service.jobs) this.#forget(service, job);
    service.run = { id: newId('r', now), service: service.row.name, started_at: now, finished_at: null };
    service.row = { ...service.row, run_id: service.run.id };
    const jobs = Object.values(service.spec.actions).map((action) => this.#newJob(service, action));
    this.#store.commit({ services: [service.row], runs: [service.run], jobs });
  }

  #newJob(service: ServiceRuntime, action: ActionSpec): Job {
    const now = this.#clock.wall();
    const base = freshJob(newId('j', now), service.row.run_id ?? '', service.row.name, action.name, now);
    const job: Job = { ...base, phase: 'pending' };
    this.#enlist(service, job, action);
    return job;
  }

  #enlist(service: ServiceRuntime, job: Job, spec: ActionSpec): JobRuntime {
    const log = { service: job.service, action: job.action, job_id: job.id, policy: spec.logs };
    const runtime: JobRuntime = {
      job,
      spec,
      policy: this.#policy(spec),
      log,
      sessions: new Set(),
      unreleased: [],
      signalled: false,
      abort: null,
      last_event: null,
    };
    service.jobs.push(runtime);
    const order = Object.keys(service.spec.actions);
    service.jobs.sort((a, b) => order.indexOf(a.job.action) - order.indexOf(b.job.action));
    this.#loop.jobs.set(job.id, runtime);
    return runtime;
  }

  #forget(service: ServiceRuntime, job: Job): void {
    service.jobs = service.jobs.filter((runtime) => runtime.job.id !== job.id);
    this.#loop.jobs.delete(job.id);
    this.#forgotten(job);
  }

  #policy(action: ActionSpec): JobRuntime['policy'] {
    const policy = jobPolicy(action);
    return this.#recovery === 'restart' ? { ...policy, recovery: 'restart' } : policy;
  }
}

function freshJob(id: string, run_id: string, service: string, action: string, now: number): JobBase {
  return {
    id,
    run_id,
    service,
    action,
    wanted: 'up',
    epoch: 0,
    restart_count: 0,
    attempt: 0,
    reason: reason('REQUESTED', 'start requested'),
    created_at: now,
    started_at: null,
    ready_at: null,
    finished_at: null,
    exit_code: null,
    exit_signal: null,
    last_identity: null,
  };
}
