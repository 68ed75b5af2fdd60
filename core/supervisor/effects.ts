/**
 * Carries out what the machine asks for. What comes of it goes back as an event.
 */
import type { Channel, ExitStatus, Host, Program, Standby } from '../host/host.ts';
import type { JobEffect, JobEvent } from '../job/event.ts';
import { identityOf, nextIncarnation } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import type { Logs } from '../log/mod.ts';
import type { AdoptedWatch } from '../process/adopted_watch.ts';
import type { Traces } from '../process/escapees.ts';
import { UNKNOWN_EXIT } from '../process/exit.ts';
import type { Identity } from '../process/identity.ts';
import { launchObstacle, programOf, spawnFailure } from '../process/launch.ts';
import { parseSpawned, SPAWNED } from '../process/marker.ts';
import type { OomWitness } from '../process/oom.ts';
import type { Reaper } from '../process/reaper.ts';
import { readStatusFile } from '../process/status_file.ts';
import { type ReclaimResult, type ReclaimTarget, type ReclaimWorld, reclaim } from '../reclaim/mod.ts';
import type { ActionSpec } from '../spec/mod.ts';
import { deathReason, ownStatus } from './death.ts';
import { pidFile, type StatePaths, statusFile } from './paths.ts';
import type { JobRuntime } from './runtime.ts';
import { reapTargetOf, tracesOf } from './traces.ts';

/** What carrying out effects needs. */
export interface EffectPorts {
  readonly host: Host;
  readonly paths: StatePaths;
  readonly instance: string;
  /** The environment that every service starts from. */
  readonly base_env: Readonly<Record<string, string>>;
  readonly world: ReclaimWorld;
  readonly logs: Logs;
  readonly reaper: Reaper;
  readonly adopted: AdoptedWatch;
  readonly oom: OomWitness;
  dispatch(job_id: string, event: JobEvent): void;
  /** Records a fact about a job that changes no phase. */
  note(runtime: JobRuntime, why: Reason): void;
  /** A job wants to know when it is ready. */
  watchReady(runtime: JobRuntime): void;
  /** An incarnation is over: what escaped its group is to be looked for in the background. */
  leftBehind(runtime: JobRuntime, traces: Traces): void;
  /** The variables that an action sets for itself, as its program is about to get them. */
  declared(runtime: JobRuntime, env: Readonly<Record<string, string>>): void;
  /** The process that was forked for a job's next incarnation, if there is one. */
  standby(job_id: string): Standby | undefined;
  /** How a service of upkeep's own is launched; null for one of the user's. */
  ownLaunch(service: string): OwnLaunch | null;
}

/** What is particular to a process that works for upkeep itself. */
export interface OwnLaunch {
  /** In place of the environment that every service starts from. */
  readonly base_env: Readonly<Record<string, string>>;
  /** Told of the channel to each incarnation. */
  connected(channel: Channel): void;
}

/** Carries out effects. */
export class Effects {
  readonly #ports: EffectPorts;

  constructor(ports: EffectPorts) {
    this.#ports = ports;
  }

  /** Begins an effect; never throws, never blocks for long. */
  perform(runtime: JobRuntime, effect: JobEffect): void {
    switch (effect.type) {
      case 'prepare':
        void this.#prepare(runtime, effect.epoch);
        return;
      case 'abort_prepare':
        runtime.abort?.abort();
        return;
      case 'spawn':
        void this.#spawn(runtime, effect.epoch, effect.incarnation);
        return;
      case 'watch_ready':
        this.#ports.watchReady(runtime);
        return;
      case 'adopt':
        this.#adopt(runtime, effect.identity, effect.incarnation);
        return;
      case 'stop_group':
        this.#stopGroup(runtime, effect);
        return;
    }
  }

  /** Everything that reclaim needs to know of a job; also for plans that are only shown. */
  reclaimTarget(runtime: JobRuntime): ReclaimTarget {
    const { job, spec } = runtime;
    return {
      action: spec,
      service: job.service,
      job_id: job.id,
      pid_file: pidFile(this.#ports.paths, runtime),
      search_path: spec.env['PATH'] ?? this.#ports.base_env['PATH'] ?? '',
      next_incarnation: nextIncarnation(job),
      last: job.last_identity,
      last_gone: runtime.group_gone,
    };
  }

  /**
   * upkeep is back: what incarnations before the present one have left behind is looked for again, as upkeep may have died
   * before it got to it.
   */
  searchEarlier(runtime: JobRuntime): void {
    const { logs } = this.#ports;
    const { job } = runtime;
    const present = identityOf(job);
    const latest = present === null ? job.restart_count : job.restart_count - 1;
    if (job.started_at === null || latest < 0) return;
    try {
      // Who holds one of them open without an environment is known by nothing else; a stop looks there too.
      runtime.unreleased = logs.sealed(runtime.log, job.restart_count);
    } catch {
      // What lies there is no log, which the next start says: nobody can be known by it.
    }
    // The main process of an incarnation before the present one is not on record any more.
    const last = present === null ? job.last_identity : null;
    const identity =
      last?.boot_id === this.#ports.host.processes.boot_id && last.start_time >= 0 ? last : null;
    this.#ports.leftBehind(runtime, { ...tracesOf(runtime, latest, logs), identity, sessions: new Set() });
  }

  /**
   * What a standby of a job waits for. Null where a process is always forked anew: a oneshot is not started again, and
   * what works for upkeep itself has a channel.
   *
   * @throws {@link LaunchError}
   */
  nextProgram(runtime: JobRuntime): Program | null {
    const { job, spec } = runtime;
    if (!spec.process || this.#ports.ownLaunch(job.service) !== null) return null;
    return this.#programOf(runtime, nextIncarnation(job), this.#ports.host.processes.startTimeNow(), null);
  }

  async #prepare(runtime: JobRuntime, epoch: number): Promise<void> {
    const { id } = runtime.job;
    const abort = new AbortController();
    runtime.abort = abort;
    const note = (why: Reason): void => this.#ports.note(runtime, why);
    try {
      let looked: ActionSpec;
      let result: ReclaimResult;
      do {
        looked = runtime.spec;
        const target = this.reclaimTarget(runtime);
        result = await reclaim(target, this.#ports.world, { signal: abort.signal, note });
        // The service file may have changed meanwhile, and with it what has to be free.
      } while (runtime.spec !== looked && !abort.signal.aborted);
      if (result.outcome === 'free') this.#ports.dispatch(id, { type: 'prepared', epoch });
      else this.#ports.dispatch(id, { type: 'blocked', epoch, reason: result.reason });
    } catch (error) {
      // No fault of a probe or a file system may wedge a job: unknown is not free, and is looked at again.
      const message = `could not find out whether the claims are free: ${(error as Error).message}`;
      this.#ports.dispatch(id, { type: 'blocked', epoch, reason: reason('PROBE_UNAVAILABLE', message) });
    } finally {
      if (runtime.abort === abort) runtime.abort = null;
    }
  }

  async #spawn(runtime: JobRuntime, epoch: number, incarnation: number): Promise<void> {
    const { job, spec } = runtime;
    const { host, logs, oom, paths } = this.#ports;
    const own = this.#ports.ownLaunch(job.service);
    const status_file = statusFile(paths, job);
    let identity: Identity;
    try {
      // The running state of the last incarnation goes before the next begins.
      if (!spec.process) host.files.rmSync(status_file, { force: true });
      const opened = logs.open(runtime.log, incarnation);
      if (opened.rotated !== null) runtime.unreleased = [...runtime.unreleased, opened.rotated];
      const spawnedAt = host.processes.startTimeNow();
      const program = this.#programOf(runtime, incarnation, spawnedAt, own);
      const standby = this.#standbyFor(runtime, program);
      const request = { ...program, output_fd: opened.fd, channel: own !== null, standby };
      const child = await host.spawner.spawn(request);
      if (child.channel !== undefined) own?.connected(child.channel);
      // A program that ended within microseconds is a zombie by now: no live process will ever match this identity.
      identity = host.processes.identity(child.pid) ?? {
        boot_id: host.processes.boot_id,
        pid: child.pid,
        start_time: -1,
      };
      oom.begin(job.id, identity.pid);
      runtime.sessions = new Set();
      runtime.spawned_at = spawnedAt;
      runtime.signalled = false;
      runtime.group_gone = false;
      child.onExit((status) => this.#exited(runtime, identity, incarnation, ownStatus(runtime.spec, status)));
    } catch (error) {
      const why = spawnFailure(error, spec, this.#ports.base_env['PATH'], host.files);
      this.#ports.dispatch(job.id, { type: 'spawn_failed', epoch, reason: why });
      return;
    }
    this.#ports.dispatch(job.id, { type: 'spawned', epoch, identity });
  }

  /** What is spawned for a job. */
  #programOf(runtime: JobRuntime, incarnation: number, spawned_at: number, own: OwnLaunch | null): Program {
    const { job, spec } = runtime;
    const { host, paths } = this.#ports;
    const context = {
      mark: { instance: this.#ports.instance, job_id: job.id, incarnation },
      spawned_at,
      service: job.service,
      run_id: job.run_id,
      base_env: own?.base_env ?? this.#ports.base_env,
      status_file: statusFile(paths, job),
      declared: (env: Readonly<Record<string, string>>) => this.#ports.declared(runtime, env),
    };
    return programOf(spec, context, host.files);
  }

  /** None where the program cannot be started: only a fork tells for certain what keeps it from that. */
  #standbyFor({ job, spec }: JobRuntime, { env }: Program): Standby | undefined {
    const standby = this.#ports.standby(job.id);
    if (standby === undefined || launchObstacle(spec, env['PATH'], this.#ports.host.files) === null)
      return standby;
    standby.discard();
    return undefined;
  }

  #adopt(runtime: JobRuntime, identity: Identity, incarnation: number): void {
    const { adopted, host, oom, paths } = this.#ports;
    oom.begin(runtime.job.id, identity.pid);
    runtime.spawned_at = parseSpawned(host.processes.environ(identity.pid)?.get(SPAWNED));
    this.#resumeLog(runtime, incarnation);
    adopted.add(runtime.job.id, identity, () => {
      const left = runtime.spec.process ? null : readStatusFile(host.files, statusFile(paths, runtime.job));
      this.#exited(runtime, identity, incarnation, left ?? UNKNOWN_EXIT);
    });
  }

  #stopGroup(runtime: JobRuntime, effect: Extract<JobEffect, { type: 'stop_group' }>): void {
    const { incarnation } = effect;
    const { job, spec } = runtime;
    const { logs, reaper } = this.#ports;
    runtime.signalled = true;
    if (effect.kill) {
      reaper.escalate(job.id, incarnation);
      return;
    }
    const main_gone = job.phase === 'stopping' && !job.main_alive;
    // After a restart of upkeep the log is what children with a wiped environment are known by.
    if (logs.activeFile(job.id) === null) this.#resumeLog(runtime, incarnation);
    const target = reapTargetOf(runtime, effect.identity, incarnation, logs);
    reaper.end(target, spec.stop.signal, main_gone, (complete) => {
      if (complete) this.#releaseLogs(runtime);
      this.#ports.dispatch(job.id, { type: 'group_gone', incarnation });
    });
  }

  /** Takes up the log of an incarnation that an earlier upkeep has spawned, and what of it may still have writers. */
  #resumeLog(runtime: JobRuntime, incarnation: number): void {
    const { logs } = this.#ports;
    try {
      logs.resume(runtime.log, incarnation);
      runtime.unreleased = logs.sealed(runtime.log, incarnation);
    } catch (error) {
      // The process is there whatever lies where its log was: it is watched, and stopped, without one.
      this.#ports.note(
        runtime,
        reason('LOG_DEGRADED', `could not take up the log: ${(error as Error).message}`),
      );
    }
  }

  #exited(runtime: JobRuntime, identity: Identity, incarnation: number, status: ExitStatus): void {
    const { host, logs, reaper, oom } = this.#ports;
    const { job } = runtime;
    const why = deathReason(runtime, status, oom);
    oom.forget(job.id);
    // What is being stopped is searched for by the reaper.
    const stopping = job.phase === 'stopping';
    const group_alive = host.processes.groupExists(identity.pid);
    runtime.group_gone = !group_alive;
    this.#ports.dispatch(job.id, { type: 'exited', incarnation, group_alive, status, reason: why });
    reaper.mainExited(job.id, incarnation);
    if (!group_alive && !stopping)
      this.#ports.leftBehind(runtime, reapTargetOf(runtime, identity, incarnation, logs));
  }

  /** Nothing can write to the logs of earlier incarnations any more: they may be compressed. */
  #releaseLogs(runtime: JobRuntime): void {
    for (const file of runtime.unreleased) this.#ports.logs.release(runtime.log, file);
    runtime.unreleased = [];
  }
}
