/**
 * A running upkeep: answers the faces from what the fleet, the store and the logs know.
 */
import type { AccessControl } from '../access/access_control.ts';
import type { ActionFacts } from '../heal/facts.ts';
import type { HealControl } from '../heal/heal_control.ts';
import type { CheckState } from '../health/health_watch.ts';
import { presentReason } from '../health/illness.ts';
import type { Health } from '../health/verdict.ts';
import type { Host } from '../host/host.ts';
import { atRest, identityOf, type Job } from '../job/job.ts';
import { serviceState } from '../job/service_state.ts';
import type { Logs } from '../log/mod.ts';
import type { PluginHost } from '../plugin/remote/plugin_host.ts';
import type { PluginRecord } from '../plugin/remote/plugin_record.ts';
import { isPluginService } from '../plugin/remote/plugin_service.ts';
import type { Identity } from '../process/identity.ts';
import type { Reaper } from '../process/reaper.ts';
import type { Claim } from '../reclaim/claim.ts';
import { classify, type ProbeHost, type ReclaimWorld } from '../reclaim/mod.ts';
import type { SpecIssue } from '../spec/mod.ts';
import type { Actor, EventRecord, RunRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import {
  type ActionView,
  type Control,
  checkView,
  type DaemonHealth,
  type EventQuery,
  type HolderView,
  type JobView,
  jobView,
  type LogQuery,
  NotFound,
  type ServiceState,
  type ServiceView,
  type Why,
} from './control.ts';
import { explainJob } from './explain.ts';
import type { Fleet } from './fleet.ts';
import type { JobLoop } from './job_loop.ts';
import type { JobWatch } from './job_watch.ts';
import type { LogControl } from './log_control.ts';
import { LogLines } from './log_lines.ts';
import type { StandingNotes } from './notes.ts';
import { type JobRuntime, type Origin, type ServiceRuntime, wantedOf } from './runtime.ts';
import { type SendableSignal, signalJob } from './signal_job.ts';
import type { SpecControl } from './spec_control.ts';
import { explainService } from './why.ts';

/** The parts that a supervisor answers from. */
export interface SupervisorParts {
  readonly host: Host;
  readonly store: Store;
  readonly loop: JobLoop;
  readonly fleet: Fleet;
  readonly logs: Logs;
  readonly reaper: Reaper;
  readonly world: ReclaimWorld;
  readonly watch: JobWatch;
  readonly probes: ProbeHost;
  readonly events: EventFeed;
  readonly plugins: PluginHost;
  readonly access: AccessControl;
  readonly heal: HealControl;
  look(runtime: JobRuntime): Promise<ActionFacts>;
  readonly standing: StandingNotes;
  readonly about: Omit<DaemonHealth, 'status' | 'store'>;
  readonly spec: SpecControl;
  /** Reads the service file again and applies it; null where that was done. */
  reload(origin: Origin): Promise<SpecIssue[] | null>;
  /** Resolves once what earlier incarnations left behind is searched for and ended. */
  finish(): Promise<void>;
  /** Waits a short while for the last events to be told. */
  farewell(): Promise<void>;
  /** Lets everything go: timers, descriptors, the store, the lock. */
  close(): void;
}

/** Hands events on to whoever listens. */
export class EventFeed {
  readonly #listeners = new Set<(event: EventRecord) => void>();

  /** Tells every listener; a listener that throws is its own problem only. */
  publish(events: readonly EventRecord[]): void {
    for (const listener of this.#listeners) {
      for (const event of events) listener(event);
    }
  }

  /** Calls back on each event from now on; returns what ends it. */
  subscribe(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A running upkeep. */
export class Supervisor implements Control {
  readonly stopped: Promise<void>;
  readonly heal: HealControl;
  readonly spec: SpecControl;
  readonly lines: LogControl;
  readonly #parts: SupervisorParts;
  /** Told whenever a job has changed. */
  readonly #watchers = new Set<() => void>();
  #hasStopped: () => void = () => {};
  #shuttingDown = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.heal = parts.heal;
    this.spec = parts.spec;
    this.lines = new LogLines({
      clock: parts.host.clock,
      logs: parts.logs,
      jobs: (query) => this.jobs(query),
      job: (id) => this.job(id),
      logOf: (id) => this.#logOf(id),
    });
    this.stopped = new Promise((resolve) => {
      this.#hasStopped = resolve;
    });
  }

  get access(): AccessControl {
    return this.#parts.access;
  }

  health(): DaemonHealth {
    const store = this.#parts.store.degraded;
    return { ...this.#parts.about, status: store === null ? 'ok' : 'degraded', store };
  }

  services(): ServiceView[] {
    const services = [...this.#parts.fleet.services.values()];
    return services
      .filter(({ row }) => !isPluginService(row.name))
      .map((service) => this.#serviceView(service));
  }

  service(name: string): ServiceView {
    return this.#serviceView(this.#parts.fleet.service(name));
  }

  jobs(query: { service?: string; run_id?: string }): JobView[] {
    // The loop has the newest state of the jobs of the present runs; the store knows the earlier ones.
    const live = this.#parts.loop.jobs;
    return this.#parts.store
      .jobs(query)
      .filter(({ service }) => query.service !== undefined || !isPluginService(service))
      .map((job) => jobView(live.get(job.id)?.job ?? job));
  }

  job(id: string): JobView {
    return jobView(this.#job(id));
  }

  runs(query: { service?: string }): RunRow[] {
    return this.#parts.store
      .runs(query)
      .filter(({ service }) => query.service !== undefined || !isPluginService(service));
  }

  /** Every plugin: those that run in this process, and those in processes of their own. */
  plugins(): PluginRecord[] {
    const { plugins, probes } = this.#parts;
    const asked = new Map(probes.stats().map((stats) => [stats.name, stats]));
    return plugins.records().map((record) => {
      const stats =
        record.kind === 'probe' && record.service === null ? asked.get(record.name ?? '') : undefined;
      if (stats === undefined) return record;
      const { calls, faults, last_error, last_duration } = stats;
      return { ...record, calls, faults, last_error, last_call_ms: last_duration };
    });
  }

  start(name: string, actor: Actor): ServiceView {
    this.#parts.fleet.start(name, { actor, cause: null });
    return this.service(name);
  }

  stop(name: string, actor: Actor): ServiceView {
    this.#parts.fleet.stop(name, { actor, cause: null });
    return this.service(name);
  }

  restart(name: string, actor: Actor): ServiceView {
    this.#parts.fleet.restart(name, { actor, cause: null });
    return this.service(name);
  }

  signal(jobId: string, signal: SendableSignal, actor: Actor): Identity {
    this.#job(jobId);
    const { host, loop } = this.#parts;
    return signalJob(host, loop, loop.jobs.get(jobId), signal, actor);
  }

  settled(name: string, timeout: number): Promise<boolean> {
    return this.until(() => {
      const service = this.#parts.fleet.services.get(name);
      return service === undefined || isSettled(service);
    }, timeout);
  }

  async why(name: string): Promise<Why> {
    const { fleet, standing } = this.#parts;
    const service = fleet.service(name);
    const actions = await Promise.all(service.jobs.map((runtime) => explainJob(runtime, this.#parts)));
    return explainService(name, wantedOf(service), this.#stateOf(service), actions, standing.notes(name));
  }

  async holders(claim: Claim): Promise<{ holders: HolderView[]; complete: boolean }> {
    const { access, world } = this.#parts;
    const seen = await world.probes.lookUp([claim], { suspects: [], exhaustive: true });
    const holders = seen.holders.map((holder): HolderView => {
      const known = holder.process === null ? null : classify(holder.process, null, world);
      // Without a job to reclaim for nothing is "own": what is ours is managed.
      const holderClass =
        known === null ? 'unknown' : known.class === 'own_earlier' ? 'managed' : known.class;
      const name = known?.job?.name ?? null;
      const command = access.redact(holder.command);
      return {
        ...holder,
        command,
        class: holderClass,
        service: name?.service ?? null,
        action: name?.action ?? null,
      };
    });
    return { holders, complete: seen.complete };
  }

  events(query: EventQuery): EventRecord[] {
    return this.#parts.store.events(query);
  }

  onEvent(callback: (event: EventRecord) => void): () => void {
    return this.#parts.events.subscribe(callback);
  }

  log(jobId: string, query: LogQuery): AsyncIterable<Uint8Array> {
    return this.#parts.logs.read(this.#logOf(jobId), query);
  }

  followLog(jobId: string, query: LogQuery, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#parts.logs.follow(this.#logOf(jobId), query, signal);
  }

  /** Reads the service file again. Returns what is wrong with it; then nothing has changed. */
  reload(actor: Actor): Promise<SpecIssue[] | null> {
    return this.#parts.reload({ actor, cause: null });
  }

  async shutdown(actor: Actor): Promise<void> {
    const { fleet, loop } = this.#parts;
    if (this.#shuttingDown) return this.stopped;
    this.#shuttingDown = true;
    fleet.halt({ actor, cause: null });
    await this.until(() => [...loop.jobs.values()].every(({ job }) => atRest(job)), Number.POSITIVE_INFINITY);
    await this.#parts.finish();
    await this.#parts.farewell();
    this.#parts.close();
    this.#hasStopped();
  }

  waitingFor(): string[] {
    const { loop, reaper } = this.#parts;
    return [...loop.jobs.values()].flatMap(({ job, spec }) => {
      if (atRest(job)) return [];
      const pids = [
        ...(job.phase === 'stopping' && !job.main_alive ? [] : [identityOf(job)?.pid]),
        ...reaper.survivors(job.id, job.restart_count).map((stat) => stat.pid),
      ].filter((pid) => pid !== undefined);
      const of = pids.length === 0 ? '' : ` (pid ${[...new Set(pids)].join(', ')})`;
      const limit = job.phase === 'stopping' ? `, SIGKILL after ${spec.stop.timeout / 1000} s` : '';
      return [`${job.service}/${job.action} is ${job.phase}${of}${limit}`];
    });
  }

  /** A job has changed: whoever waits looks again. */
  jobChanged(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves with true as soon as `done` is, which is asked whenever a job or its health has changed; with false after `timeout` ms. */
  until(done: () => boolean, timeout: number): Promise<boolean> {
    if (done()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (outcome: boolean): void => {
        this.#watchers.delete(look);
        cancel();
        resolve(outcome);
      };
      const look = (): void => {
        if (done()) finish(true);
      };
      const cancel = Number.isFinite(timeout)
        ? this.#parts.host.clock.timer(timeout, () => finish(false))
        : () => {};
      this.#watchers.add(look);
    });
  }

  #job(id: string): Job {
    const job = this.#parts.loop.jobs.get(id)?.job ?? this.#parts.store.jobs({ id })[0];
    if (job === undefined) throw new NotFound(`no job '${id}'`);
    return job;
  }

  #logOf(id: string): JobRuntime['log'] {
    const live = this.#parts.loop.jobs.get(id);
    if (live !== undefined) return live.log;
    const { service, action } = this.#job(id);
    return this.#parts.logs.past({ service, action, job_id: id });
  }

  #serviceView(service: ServiceRuntime): ServiceView {
    const { watch } = this.#parts;
    return {
      name: service.row.name,
      wanted: wantedOf(service),
      state: this.#stateOf(service),
      run_id: service.row.run_id,
      actions: service.jobs.map(({ job }) => actionView(job, watch.checks(job.id), watch.health(job.id))),
    };
  }

  #stateOf(service: ServiceRuntime): ServiceState {
    const { watch } = this.#parts;
    return serviceState(
      wantedOf(service),
      service.jobs.map(({ job, spec }) => ({
        job,
        process: spec.process,
        unhealthy: watch.health(job.id) === 'unhealthy',
      })),
    );
  }
}

function actionView(job: Job, checks: readonly CheckState[], health: Health): ActionView {
  return {
    action: job.action,
    job_id: job.id,
    phase: job.phase,
    health,
    checks: checks.map(checkView),
    pid: identityOf(job)?.pid ?? null,
    started_at: job.started_at,
    restart_count: job.restart_count,
    attempt: job.attempt,
    next_attempt_at: job.phase === 'retrying' ? job.next_attempt_at : null,
    reason: presentReason(job, checks),
  };
}

/** Where it is wanted, or where it goes no further by itself. */
function isSettled(service: ServiceRuntime): boolean {
  if (wantedOf(service) === 'down') return service.jobs.every(({ job }) => atRest(job));
  return service.jobs.every(({ job, spec }) => {
    if (job.phase === 'running') return spec.process;
    if (job.phase === 'pending') return job.reason.code === 'DEPENDENCY_FAILED';
    return job.phase === 'succeeded' || job.phase === 'failed';
  });
}
