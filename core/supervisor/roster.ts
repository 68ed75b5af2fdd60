/**
 * The roster: every service with its run and its jobs, as they are in memory. What becomes of them is decided by the
 * fleet; nothing here is committed.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../host/host.ts';
import type { Job, JobBase } from '../job/job.ts';
import { reason } from '../job/reason.ts';
import type { LogJob } from '../log/mod.ts';
import { type ActionSpec, jobPolicy, type ServiceSpec } from '../spec/mod.ts';
import type { Batch } from '../store/batch.ts';
import type { RunRow, ServiceRow } from '../store/records.ts';
import { NotFound } from './control.ts';
import { newId } from './ids.ts';
import type { JobLoop } from './job_loop.ts';
import type { JobRuntime, ServiceRuntime } from './runtime.ts';

/** How `recovery` is to be read: as the service file says, or `restart` everywhere. */
export type RecoveryMode = 'as_specified' | 'restart';

/** What a roster is connected to. */
export interface RosterPorts {
  readonly loop: JobLoop;
  readonly clock: Clock;
  readonly recovery: RecoveryMode;
  /** Told of each job that is history from now on. */
  forgotten(job: Job): void;
  /** Told where the settings of a job's log have changed. */
  logChanged(log: LogJob): void;
}

/** The services, their runs and jobs. */
export class Roster {
  readonly services = new Map<string, ServiceRuntime>();
  readonly #ports: RosterPorts;

  constructor(ports: RosterPorts) {
    this.#ports = ports;
  }

  /** @throws {@link NotFound} */
  service(name: string): ServiceRuntime {
    const service = this.services.get(name);
    if (service === undefined) throw new NotFound(`no service '${name}'`);
    return service;
  }

  /** Takes up what the store holds. Nothing is started: recovery decides that. */
  load(services: readonly ServiceRow[], runs: readonly RunRow[], jobs: readonly Job[]): void {
    const ofRun = new Map<string, Job[]>();
    for (const job of jobs) ofRun.set(job.run_id, [...(ofRun.get(job.run_id) ?? []), job]);
    for (const row of services) {
      const run = runs.find((candidate) => candidate.id === row.run_id) ?? null;
      // Only what was checked is ever stored.
      const service: ServiceRuntime = { row, spec: row.spec as ServiceSpec, run, jobs: [], leaving: false };
      this.services.set(row.name, service);
      for (const job of ofRun.get(row.run_id ?? '') ?? []) {
        const action = service.spec.actions[job.action];
        // What is wanted of the service is the truth: a job may say otherwise where its action was leaving the file.
        if (action === undefined) continue;
        const runtime = this.enlist(service, { ...job, wanted: row.wanted }, action);
        // An older upkeep did not note what it started from, and knew no other than this.
        const from = job.spec_digest ?? (job.started_at === null ? null : runtime.policy.spec_digest);
        runtime.job = { ...runtime.job, spec_digest: from };
      }
    }
  }

  /** A service that the file names for the first time: wanted up, and nothing of it is there yet. */
  add(spec: ServiceSpec): ServiceRuntime {
    const updated_at = this.#ports.clock.wall();
    const row: ServiceRow = { name: spec.name, spec, wanted: 'up', run_id: null, updated_at };
    const service: ServiceRuntime = { row, spec, run: null, jobs: [], leaving: false };
    this.services.set(spec.name, service);
    return service;
  }

  /** A new run of a service, with a job for each action. What was of the run before is forgotten. */
  beginRun(service: ServiceRuntime, id = newId('r', this.#ports.clock.wall())): RunRow {
    for (const { job } of service.jobs) this.forget(service, job);
    const run: RunRow = {
      id,
      service: service.row.name,
      started_at: this.#ports.clock.wall(),
      finished_at: null,
    };
    service.run = run;
    service.row = { ...service.row, run_id: id };
    return run;
  }

  /** A new job of an action, in the run that the service is in. */
  addJob(service: ServiceRuntime, action: ActionSpec): JobRuntime {
    const id = newId('j', this.#ports.clock.wall());
    return this.enlist(service, { ...this.freshJob(service, id, action.name), phase: 'pending' }, action);
  }

  /** What every job of the service's run begins as, whatever its phase. */
  freshJob(service: ServiceRuntime, id: string, action: string): JobBase {
    return {
      id,
      run_id: service.row.run_id ?? '',
      service: service.row.name,
      action,
      wanted: 'up',
      epoch: 0,
      restart_count: 0,
      attempt: 0,
      reason: reason('REQUESTED', 'start requested'),
      created_at: this.#ports.clock.wall(),
      started_at: null,
      ready_at: null,
      finished_at: null,
      exit_code: null,
      exit_signal: null,
      spec_digest: null,
      last_identity: null,
    };
  }

  /** Takes a job up into its service, in the order of the actions. */
  enlist(service: ServiceRuntime, job: Job, spec: ActionSpec): JobRuntime {
    const log = { service: job.service, action: job.action, job_id: job.id, policy: spec.logs };
    const runtime: JobRuntime = {
      job,
      spec,
      policy: this.#policy(spec),
      log,
      sessions: new Set(),
      unreleased: [],
      signalled: false,
      spawned_at: null,
      group_gone: false,
      abort: null,
      last_event: null,
    };
    service.jobs.push(runtime);
    const order = Object.keys(service.spec.actions);
    service.jobs.sort((a, b) => order.indexOf(a.job.action) - order.indexOf(b.job.action));
    this.#ports.loop.jobs.set(job.id, runtime);
    return runtime;
  }

  /** What the service file says of a job's action from now on. */
  respecify(runtime: JobRuntime, action: ActionSpec): void {
    runtime.spec = action;
    runtime.policy = this.#policy(action);
    if (isDeepStrictEqual(runtime.log.policy, action.logs)) return;
    runtime.log = { ...runtime.log, policy: action.logs };
    this.#ports.logChanged(runtime.log);
  }

  /** A job is history. */
  forget(service: ServiceRuntime, job: Job): void {
    service.jobs = service.jobs.filter((runtime) => runtime.job.id !== job.id);
    this.#ports.loop.jobs.delete(job.id);
    this.#ports.forgotten(job);
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

  #policy(action: ActionSpec): JobRuntime['policy'] {
    const policy = jobPolicy(action);
    return this.#ports.recovery === 'restart' ? { ...policy, recovery: 'restart' } : policy;
  }
}
