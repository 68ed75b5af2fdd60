/**
 * A running upkeep: answers the faces from what the fleet, the store and the logs know.
 */
import type { AccessControl } from '../access/access_control.ts';
import type { ActionFacts } from '../heal/facts.ts';
import type { HealControl } from '../heal/heal_control.ts';
import type { Host } from '../host/host.ts';
import { atRest, type Job } from '../job/job.ts';
import type { Logs } from '../log/mod.ts';
import type { PluginHost } from '../plugin/remote/plugin_host.ts';
import { type PluginRecord, withCalls } from '../plugin/remote/plugin_record.ts';
import { isPluginService } from '../plugin/remote/plugin_service.ts';
import type { Identity } from '../process/identity.ts';
import type { Reaper } from '../process/reaper.ts';
import type { Claim } from '../reclaim/claim.ts';
import type { ProbeHost, ReclaimWorld } from '../reclaim/mod.ts';
import type { SpecIssue } from '../spec/mod.ts';
import type { Actor, EventRecord, RunRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import {
  type Control,
  type DaemonHealth,
  type EventQuery,
  type HolderView,
  type JobView,
  jobView,
  type LogQuery,
  NotFound,
  type ServiceView,
  type Why,
} from './control.ts';
import type { EventFeed, Follower } from './event_feed.ts';
import { explainJob } from './explain.ts';
import type { Fleet } from './fleet.ts';
import { holderView } from './holder_view.ts';
import type { JobLoop } from './job_loop.ts';
import type { JobWaiters } from './job_waiters.ts';
import type { JobWatch } from './job_watch.ts';
import type { LogControl } from './log_control.ts';
import { LogLines } from './log_lines.ts';
import type { StandingNotes } from './notes.ts';
import { type JobRuntime, type Origin, wantedOf } from './runtime.ts';
import { isSettled, stateOf } from './service_view.ts';
import { ServiceViews } from './service_views.ts';
import { waitedFor } from './shutdown_wait.ts';
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
  readonly waiters: JobWaiters;
  readonly plugins: PluginHost;
  readonly access: AccessControl;
  readonly heal: HealControl;
  look(runtime: JobRuntime): Promise<ActionFacts>;
  readonly standing: StandingNotes;
  readonly about: Omit<DaemonHealth, 'status' | 'store' | 'read_only'>;
  readonly spec: SpecControl;
  /** Reads the service file again and applies it; null where that was done. */
  reload(origin: Origin): Promise<SpecIssue[] | null>;
  /** Resolves once what earlier incarnations left behind is searched for and ended. */
  finish(): Promise<void>;
  /** Waits a short while for the last events to be told, to whomever they are told. */
  farewell(): Promise<void>;
  /** Lets everything go: timers, descriptors, the store, the lock. */
  close(): void;
}

/** A running upkeep. */
export class Supervisor implements Control {
  readonly stopped: Promise<void>;
  readonly heal: HealControl;
  readonly spec: SpecControl;
  readonly lines: LogControl;
  readonly #parts: SupervisorParts;
  readonly #views: ServiceViews;
  #hasStopped: () => void = () => {};
  #shuttingDown = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#views = new ServiceViews(parts.watch);
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
    const { about, access, store } = this.#parts;
    const fault = store.degraded;
    return {
      ...about,
      read_only: access.read_only,
      status: fault === null ? 'ok' : 'degraded',
      store: fault,
    };
  }

  services(): readonly ServiceView[] {
    const services = [...this.#parts.fleet.services.values()];
    return this.#views.list(services.filter(({ row }) => !isPluginService(row.name)));
  }

  service(name: string): ServiceView {
    return this.#views.view(this.#parts.fleet.service(name));
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
    return withCalls(plugins.records(), probes.stats());
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
    const { fleet, waiters } = this.#parts;
    return waiters.until(() => {
      const service = fleet.services.get(name);
      return service === undefined || isSettled(service);
    }, timeout);
  }

  async why(name: string): Promise<Why> {
    const { fleet, standing, watch } = this.#parts;
    const service = fleet.service(name);
    const actions = await Promise.all(service.jobs.map((runtime) => explainJob(runtime, this.#parts)));
    return explainService(name, wantedOf(service), stateOf(service, watch), actions, standing.notes(name));
  }

  async holders(claim: Claim): Promise<{ holders: HolderView[]; complete: boolean }> {
    const { access, world } = this.#parts;
    const seen = await world.probes.lookUp([claim], { suspects: [], exhaustive: true });
    const holders = seen.holders.map((holder) => holderView(holder, world, access.redact));
    return { holders, complete: seen.complete };
  }

  events(query: EventQuery): EventRecord[] {
    return this.#parts.store.events(query);
  }

  followEvents(follower: Follower): () => void {
    return this.#parts.events.follow(follower);
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
    const { fleet, loop, waiters } = this.#parts;
    if (this.#shuttingDown) return this.stopped;
    this.#shuttingDown = true;
    fleet.halt({ actor, cause: null });
    const allAtRest = (): boolean => [...loop.jobs.values()].every(({ job }) => atRest(job));
    await waiters.until(allAtRest, Number.POSITIVE_INFINITY);
    await this.#parts.finish();
    await this.#parts.farewell();
    this.#parts.close();
    this.#hasStopped();
  }

  waitingFor(): string[] {
    const { loop, reaper } = this.#parts;
    return waitedFor(loop.jobs.values(), reaper);
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
}
