/**
 * The fleet: what a command means to the services, their runs and their jobs.
 *
 * A run lasts from a start to the stop that follows; its jobs keep their ids for as long. What is wanted of a service
 * changes here and nowhere else, in one transaction with its run and with what it means to each job: upkeep may die
 * at any instant, and no job is ever told otherwise than its service.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../host/host.ts';
import type { JobEvent } from '../job/event.ts';
import { atRest } from '../job/job.ts';
import { reason } from '../job/reason.ts';
import type { ServiceFile, ServiceSpec } from '../spec/mod.ts';
import type { ServiceRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { NotFound } from './control.ts';
import { gates } from './gates.ts';
import type { CommandRows, JobLoop, Told } from './job_loop.ts';
import type { Roster } from './roster.ts';
import { isInRun, type JobRuntime, type Origin, type ServiceRuntime, wantedOf } from './runtime.ts';

const WANT_UP: JobEvent = { type: 'want', wanted: 'up' };
const WANT_DOWN: JobEvent = { type: 'want', wanted: 'down' };
const RESTART: JobEvent = { type: 'restart', reason: reason('REQUESTED', 'restart requested') };
const SPEC_CHANGED: JobEvent = {
  type: 'restart',
  reason: reason('SPEC_CHANGED', 'the service file says otherwise than what was started'),
};

/** What the jobs of a service are told, and the rows that change with it. */
interface Order {
  readonly told: readonly Told[];
  readonly rows: CommandRows;
}

/** Carries out what is asked of services. */
export class Fleet {
  readonly #roster: Roster;
  readonly #store: Store;
  readonly #loop: JobLoop;
  readonly #clock: Clock;

  constructor(roster: Roster, store: Store, loop: JobLoop, clock: Clock) {
    this.#roster = roster;
    this.#store = store;
    this.#loop = loop;
    this.#clock = clock;
  }

  /** The services that there are, by name. */
  get services(): ReadonlyMap<string, ServiceRuntime> {
    return this.#roster.services;
  }

  /** @throws {@link NotFound} */
  service(name: string): ServiceRuntime {
    return this.#roster.service(name);
  }

  /** Wants a service up: in the run it is in, or in a new one. @throws {@link NotFound} */
  start(name: string, origin: Origin): void {
    const { told, rows } = this.#startOrder(this.#staying(name));
    this.#loop.dispatchAll(told, origin, rows);
    this.clearGates(name);
  }

  /**
   * Wants a service down: in order, each action when nothing that runs depends on it any more.
   *
   * @throws {@link NotFound}
   */
  stop(name: string, origin: Origin): void {
    const service = this.service(name);
    this.#loop.dispatchAll(tellAll(service, WANT_DOWN), origin, this.#want(service, 'down'));
    this.clearGates(name);
    this.settle(name);
  }

  /** A fresh incarnation of each process; a start where the service is down. @throws {@link NotFound} */
  restart(name: string, origin: Origin): void {
    const service = this.#staying(name);
    if (service.row.wanted === 'down') {
      this.start(name, origin);
      return;
    }
    this.#loop.dispatchAll(tellAll(service, RESTART), origin, {});
    this.clearGates(name);
  }

  /**
   * Tells single jobs of a service to try now, or to start afresh. What is wanted of the service stays as it is: of one
   * that is wanted down nothing is told.
   *
   * @throws {@link NotFound}
   */
  mend(name: string, told: readonly Told[], origin: Origin): void {
    const service = this.#staying(name);
    if (service.row.wanted === 'down') return;
    this.#loop.dispatchAll(told, origin, {});
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

  /**
   * Forgets jobs at rest whose action has left the file, and ends the run of a service that is down and at rest. One
   * that has left the file is forgotten with all that was of it.
   */
  settle(name: string): void {
    const service = this.services.get(name);
    if (service === undefined) return;
    const gone = service.jobs.filter((runtime) => hasLeft(service, runtime) && atRest(runtime.job));
    for (const { job } of gone) this.#roster.forget(service, job);
    if (gone.length > 0) this.#keepSpec(service);
    if (wantedOf(service) === 'up' || !service.jobs.every(({ job }) => atRest(job))) return;
    if (service.leaving) {
      for (const { job } of service.jobs) this.#roster.forget(service, job);
      this.#roster.services.delete(name);
      this.#store.commit({ deleted_services: [name] });
    } else if (service.run !== null && service.run.finished_at === null) {
      service.run = { ...service.run, finished_at: this.#clock.wall() };
      this.#store.commit({ runs: [service.run] });
    }
  }

  /**
   * Takes over a checked service file: what is new (wanted up), what has changed, and what is gone. Only records
   * change; {@link enact} does what follows.
   */
  adopt(file: ServiceFile): void {
    for (const [name, service] of this.services) service.leaving = file.services[name] === undefined;
    const changed: ServiceRow[] = [];
    for (const spec of Object.values(file.services)) {
      const known = this.services.get(spec.name);
      const row = known === undefined ? this.#roster.add(spec).row : this.#update(known, spec);
      if (row !== null) changed.push(row);
    }
    if (changed.length > 0) this.#store.commit({ services: changed });
  }

  /**
   * Makes it so: starts what is new, stops what is gone, restarts what was started from another spec. Whatever a death
   * of upkeep has cut short is taken up again here, as only what is wanted and what is so count.
   */
  enact(origin: Origin): void {
    const orders = [...this.services.values()].map((service) => this.#reconcile(service));
    const told = orders.flatMap((order) => order.told);
    const services = orders.flatMap(({ rows }) => rows.services ?? []);
    const runs = orders.flatMap(({ rows }) => rows.runs ?? []);
    // One transaction for all of them, and another for what they begin with.
    if (told.length + services.length + runs.length > 0)
      this.#loop.dispatchAll(told, origin, { services, runs });
    this.#loop.together(() => {
      for (const name of [...this.services.keys()]) {
        this.clearGates(name);
        this.settle(name);
      }
    });
  }

  /** A process has started: if the service file was changed while it was on its way, it is started again. */
  started(runtime: JobRuntime): void {
    const service = this.services.get(runtime.job.service);
    if (service === undefined || !isOutdated(service, runtime)) return;
    this.#loop.dispatch(runtime.job.id, SPEC_CHANGED);
  }

  /** What each job of a service is to be told: what is wanted of it, where it does not know or is not as the file says. */
  #reconcile(service: ServiceRuntime): Order {
    const wanted = wantedOf(service);
    if (wanted === 'up' && !isInRun(service)) return this.#startOrder(service);
    const added = wanted === 'up' ? this.#addJobs(service) : [];
    const told = service.jobs.flatMap((runtime): Told[] => {
      const { id: job_id } = runtime.job;
      const aim = hasLeft(service, runtime) ? 'down' : wanted;
      const knows = runtime.job.wanted === aim && !added.includes(runtime);
      return [
        ...(knows ? [] : [{ job_id, event: aim === 'up' ? WANT_UP : WANT_DOWN }]),
        ...(isOutdated(service, runtime) ? [{ job_id, event: SPEC_CHANGED }] : []),
      ];
    });
    return { told, rows: {} };
  }

  #startOrder(service: ServiceRuntime): Order {
    const wanted = this.#want(service, 'up');
    const rows = isInRun(service) ? wanted : this.#newRun(service);
    return { told: tellAll(service, WANT_UP), rows };
  }

  /** Notes what is wanted. Returns what that changes of the service's rows. */
  #want(service: ServiceRuntime, wanted: 'up' | 'down'): CommandRows {
    if (service.row.wanted === wanted) return {};
    service.row = { ...service.row, wanted, updated_at: this.#clock.wall() };
    return { services: [service.row] };
  }

  /** A run with a job for each action. Its jobs are committed with what they are told first. */
  #newRun(service: ServiceRuntime): CommandRows {
    const run = this.#roster.beginRun(service);
    this.#addJobs(service);
    return { services: [service.row], runs: [run] };
  }

  /** Jobs for actions that have none. */
  #addJobs(service: ServiceRuntime): JobRuntime[] {
    const known = new Set(service.jobs.map(({ job }) => job.action));
    const added = Object.values(service.spec.actions).filter((action) => !known.has(action.name));
    return added.map((action) => this.#roster.addJob(service, action));
  }

  /** Returns the row of a service whose spec is not the one that is stored, else null. */
  #update(service: ServiceRuntime, spec: ServiceSpec): ServiceRow | null {
    service.spec = spec;
    const changed = this.#takeSpec(service);
    for (const runtime of service.jobs) {
      const action = spec.actions[runtime.job.action];
      if (action !== undefined && !isDeepStrictEqual(runtime.spec, action)) {
        this.#roster.respecify(runtime, action);
      }
    }
    return changed ? service.row : null;
  }

  #keepSpec(service: ServiceRuntime): void {
    if (this.#takeSpec(service)) this.#store.commit({ services: [service.row] });
  }

  /**
   * Puts the spec of a service into its row; false where it is there already. With it goes every action that has left
   * the file and still has a job: should upkeep die, the next one knows how that job is to be stopped.
   */
  #takeSpec(service: ServiceRuntime): boolean {
    const leaving = service.jobs.filter((runtime) => hasLeft(service, runtime));
    const actions = { ...service.spec.actions };
    for (const { job, spec } of leaving) actions[job.action] = spec;
    const spec: ServiceSpec = { ...service.spec, actions };
    if (isDeepStrictEqual(service.row.spec, spec)) return false;
    service.row = { ...service.row, spec, updated_at: this.#clock.wall() };
    return true;
  }

  /** A service that is not on its way out. @throws {@link NotFound} */
  #staying(name: string): ServiceRuntime {
    const service = this.service(name);
    if (service.leaving)
      throw new NotFound(`service '${name}' has left the service file and is being stopped`);
    return service;
  }
}

function tellAll({ jobs }: ServiceRuntime, event: JobEvent): Told[] {
  return jobs.map(({ job }): Told => ({ job_id: job.id, event }));
}

/** The action has left the file: its job is stopped, then forgotten. */
function hasLeft({ spec }: ServiceRuntime, { job }: JobRuntime): boolean {
  return spec.actions[job.action] === undefined;
}

/**
 * It was started from another spec than the file's. That is told from what was noted with the spawn, not from what the
 * file said before: upkeep may die between taking the file over and restarting what it changes. What has succeeded is
 * done, and what is stopped stays so.
 */
function isOutdated(service: ServiceRuntime, runtime: JobRuntime): boolean {
  const { phase, spec_digest } = runtime.job;
  if (wantedOf(service) === 'down' || hasLeft(service, runtime)) return false;
  if (phase === 'succeeded' || phase === 'stopped') return false;
  return spec_digest !== null && spec_digest !== runtime.policy.spec_digest;
}
