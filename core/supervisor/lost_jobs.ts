/**
 * Jobs that the store knows nothing of, or too little: it was lost, or could not be written to, and only a living
 * process or a oneshot's status file still tells of them.
 */
import type { Clock } from '../host/host.ts';
import type { Job } from '../job/job.ts';
import { exitReason } from '../process/exit.ts';
import type { Identity } from '../process/identity.ts';
import type { Store } from '../store/store.ts';
import type { Roster } from './roster.ts';
import { isInRun, type JobRuntime, type ServiceRuntime } from './runtime.ts';

/** A job that only its living process still tells of. */
export interface LostJob {
  readonly id: string;
  readonly run_id: string;
  readonly service: string;
  readonly action: string;
  readonly incarnation: number;
  readonly identity: Identity;
}

const DONE = { exit_code: 0, exit_signal: null } as const;

/** Takes up again what the store has lost. */
export class LostJobs {
  readonly #roster: Roster;
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(roster: Roster, store: Store, clock: Clock) {
    this.#roster = roster;
    this.#store = store;
    this.#clock = clock;
  }

  /** Takes up a job that the store has lost, unless the service file does not know it either. */
  rebuild(lost: LostJob): void {
    const service = this.#roster.services.get(lost.service);
    const action = service?.spec.actions[lost.action];
    if (service === undefined || action === undefined || has(service, lost.action)) return;
    this.#enterRun(service, lost.run_id);
    const fresh: Job = { ...this.#roster.freshJob(service, lost.id, lost.action), phase: 'pending' };
    const runtime = this.#roster.enlist(service, fresh, action);
    // What it was started from nobody knows any more.
    runtime.job = { ...runtime.job, spec_digest: runtime.policy.spec_digest };
    this.catchUp(runtime, lost);
  }

  /** Takes up a oneshot that the store has lost and that its status file says is done: it must not run again. */
  rebuildDone({ service: name, action, id }: Pick<LostJob, 'service' | 'action' | 'id'>): void {
    const service = this.#roster.services.get(name);
    const spec = service?.spec.actions[action];
    if (service === undefined || spec === undefined || spec.process || has(service, action)) return;
    this.#enterRun(service);
    const now = this.#clock.wall();
    const done = { started_at: now, finished_at: now, exit_code: 0, reason: exitReason(DONE) };
    const job: Job = { ...this.#roster.freshJob(service, id, action), ...done, phase: 'succeeded' };
    this.#roster.enlist(service, job, spec);
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

  /**
   * Sees to it that the service is in a run: where the store has lost it, one with this id. A run of which something
   * is left is not over.
   */
  #enterRun(service: ServiceRuntime, id?: string): void {
    if (isInRun(service)) return;
    if (service.run === null) this.#roster.beginRun(service, id);
    else service.run = { ...service.run, finished_at: null };
    this.#store.commit({ services: [service.row], runs: service.run === null ? [] : [service.run] });
  }
}

function has(service: ServiceRuntime, action: string): boolean {
  return service.jobs.some(({ job }) => job.action === action);
}
