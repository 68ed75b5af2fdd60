/**
 * Puts a supervisor together and brings it to life: lock, store, service file, recovery, and only then starts.
 */

import { AuditLog } from '../access/audit_log.ts';
import { learnSecrets, redactedCheck } from '../access/redacted.ts';
import { Redactor, secretsOf } from '../access/redactor.ts';
import { Tokens } from '../access/tokens.ts';
import { Healer } from '../heal/healer.ts';
import { type LookPorts, lookAtAction, lookAtService } from '../heal/observe.ts';
import { Agenda } from '../host/agenda.ts';
import { Lane } from '../host/lane.ts';
import { atRest, identityOf, type Job } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import { Logs } from '../log/mod.ts';
import { Notifications } from '../notify/mod.ts';
import { PluginHost } from '../plugin/remote/plugin_host.ts';
import { ownRuntime } from '../plugin/remote/runtime.ts';
import { AdoptedWatch } from '../process/adopted_watch.ts';
import { EscapeeFinder } from '../process/escapees.ts';
import { cleanEnv } from '../process/launch.ts';
import { OomWitness } from '../process/oom.ts';
import { ProcessTable } from '../process/process_table.ts';
import { Reaper } from '../process/reaper.ts';
import { ProbeHost, type ReclaimWorld, removePidFileIfOurs, writePidFile } from '../reclaim/mod.ts';
import type { Batch } from '../store/batch.ts';
import { acquireLock } from '../store/lock.ts';
import { Store } from '../store/store.ts';
import { Effects, pidFile, statusFile } from './effects.ts';
import { Fleet } from './fleet.ts';
import { Housekeeping } from './housekeeping.ts';
import { JobLoop } from './job_loop.ts';
import { JobWatch } from './job_watch.ts';
import { LostJobs } from './lost_jobs.ts';
import { StandingNotes } from './notes.ts';
import type { SupervisorOptions } from './options.ts';
import { instanceName, openStateFolder, type StatePaths } from './paths.ts';
import { recover } from './recovery.ts';
import { Roster } from './roster.ts';
import { CORE, type JobRuntime, type Origin } from './runtime.ts';
import { type CheckedFile, checkServiceText, readServiceFile, SpecError } from './service_file.ts';
import { SpecApply } from './spec_apply.ts';
import { EventFeed, Supervisor } from './supervisor.ts';
import { findSurvivors } from './survivors.ts';

/** Another upkeep has the state folder. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

/**
 * Starts a supervisor: takes the state folder, checks the service file, opens the store, finds out what became of
 * its jobs, and goes on with them.
 *
 * @throws {@link StateFolderError}, {@link AlreadyRunning}, {@link SpecError}; then nothing was changed.
 */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { host } = options;
  const paths = openStateFolder(options.state_dir, host);
  const lock = acquireLock(paths.lock, host.files, options.pid);
  if ('held_by' in lock) throw new AlreadyRunning(`upkeep already runs on ${paths.dir} (${lock.held_by})`);
  try {
    const file = await readServiceFile(options);
    return await assemble(options, paths, lock, file);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function assemble(
  options: SupervisorOptions,
  paths: StatePaths,
  lock: { release(): void },
  first: CheckedFile,
): Promise<Supervisor> {
  const { host } = options;
  const { clock, files } = host;
  const instance = instanceName(paths.dir);
  const agenda = new Agenda(clock);
  const events = new EventFeed();
  const started_at = clock.wall();

  const store = Store.open({
    path: paths.database,
    host,
    ...(options.at === undefined ? {} : { at: options.at }),
    onDegraded: (why) => {
      if (why === null) {
        tokens.mended();
        audit.mended();
        return;
      }
      record(null, why);
      housekeeping.storeDegraded();
    },
  });

  const redactor = new Redactor();
  const tokens = new Tokens({ store, clock, agenda });
  const audit = new AuditLog({ store, clock });

  function commit(batch: Batch): ReturnType<Store['commit']> {
    const numbered = store.commit(batch);
    events.publish(numbered);
    return numbered;
  }

  const record = (runtime: JobRuntime | null, why: Reason): void => loop.note(runtime, why);

  const plugins = new PluginHost({
    host,
    agenda,
    runtime: options.plugin_runtime ?? ownRuntime(),
    built_in: options.plugins,
    changed: () => {
      probes.offer(plugins.probes);
      notifications.refresh();
    },
    jobs: {
      of: (service) => fleet.services.get(service)?.jobs[0] ?? null,
      halting: () => loop.halting,
      note: record,
      dispatch: (job_id, event) => loop.dispatch(job_id, event),
      start: (service) => fleet.start(service, CORE),
      stop: (service) => fleet.stop(service, CORE),
    },
  });

  /** The service file as it was last taken over. */
  let current = first;

  /** Takes over a service file: the records first, then what follows of them, after `between`. */
  async function takeOver(
    checked: CheckedFile,
    origin: Origin,
    between: () => Promise<void> = async () => {},
  ): Promise<void> {
    current = checked;
    const { file, plugins: loaded } = checked;
    const own = plugins.adopt(loaded, file);
    probes.configure(file.probes);
    notifications.apply(file.notify);
    learnSecrets(redactor, file, files);
    fleet.adopt({ ...file, services: { ...file.services, ...own } });
    await between();
    fleet.enact(origin);
    plugins.begin();
  }

  /** One reading after the other. */
  const reading = new Lane(1);

  const logs = new Logs({
    host,
    dir: paths.logs,
    rotators: plugins.rotators,
    report: (job, why) => record(loop.jobs.get(job.job_id) ?? null, why),
    wake: () => housekeeping.logsChanged(),
  });
  const table = new ProcessTable(host);
  const finder = new EscapeeFinder(host, table, instance, options.pid);
  const reaper = new Reaper(host, agenda, table, finder);
  const adopted = new AdoptedWatch(host, agenda);
  const oom = new OomWitness(host, options.pid);

  const loop = new JobLoop({
    clock,
    agenda,
    random: Math.random,
    commit,
    redact: (why) => redactor.reason(why),
    perform: (runtime, effect) => effects.perform(runtime, effect),
    undecided: (job) =>
      // SIGKILL is sent when its time has come; what survives it has to be seen.
      job.phase === 'stopping' && job.escalation !== 'term'
        ? reaper.undecided(job.id, job.restart_count)
        : null,
    changed: (runtime, before) => jobChanged(runtime, before),
  });
  const roster = new Roster({
    loop,
    clock,
    recovery: options.recovery,
    // It goes before the job's records: outliving them, it would be taken for one of a job that the store has lost.
    forgotten: (job) => files.rmSync(statusFile(paths, job), { force: true }),
    logChanged: (log) => logs.respecify(log),
  });
  const fleet = new Fleet(roster, store, loop, clock);

  const probes = new ProbeHost(host, plugins.probes, (why) => record(null, why));
  const world: ReclaimWorld = {
    host,
    probes,
    upkeep_pid: options.pid,
    instance,
    jobOfSession: (session) => {
      for (const { job, sessions } of loop.jobs.values()) {
        if (identityOf(job)?.pid === session || sessions.has(session)) {
          return { job_id: job.id, incarnation: job.restart_count };
        }
      }
      return null;
    },
    describeJob: (id) => loop.jobs.get(id)?.job ?? store.jobs({ id })[0] ?? null,
  };

  const watch = new JobWatch({
    host,
    agenda,
    loop,
    logs,
    lookUp: (claims, suspects, exhaustive) => probes.lookUp(claims, { suspects, exhaustive }),
    random: Math.random,
    check: (type) =>
      redactedCheck(
        plugins.health_checks.find(({ name }) => name === type),
        redactor,
      ),
    note: record,
    changed: () => supervisor.jobChanged(),
  });

  function jobChanged(runtime: JobRuntime, before: Job): void {
    const { job } = runtime;
    const alive = job.phase === 'starting' || job.phase === 'running';
    const process = identityOf(job);
    if (alive && process !== null && process !== identityOf(before)) {
      writePid(runtime, process.pid);
      housekeeping.started();
      fleet.started(runtime);
    }
    // An epoch of its own: an adopted job enters anew what it was in before.
    if (job.phase === 'running' && job.epoch !== before.epoch) watch.keep(runtime);
    if (!alive) watch.drop(job.id);
    if (atRest(job) && !atRest(before)) {
      if (job.last_identity !== null)
        removePidFileIfOurs(files, pidFile(paths, runtime), job.last_identity.pid);
      logs.close(job.id);
    }
    fleet.clearGates(job.service);
    fleet.settle(job.service);
    supervisor.jobChanged();
  }

  function writePid(runtime: JobRuntime, pid: number): void {
    try {
      writePidFile(files, pidFile(paths, runtime), pid);
    } catch (error) {
      // The service runs all the same: a PID file is no condition of anything.
      record(
        runtime,
        reason('PIDFILE_UNWRITABLE', `could not write the PID file: ${(error as Error).message}`),
      );
    }
  }

  const housekeeping = new Housekeeping({
    host,
    agenda,
    loop,
    logs,
    store,
    table,
    finder,
    reaper,
    oom,
    note: record,
    everything: () => roster.everything(),
  });

  const effects = new Effects({
    host,
    paths,
    instance,
    base_env: cleanEnv(options.env),
    world,
    logs,
    reaper,
    adopted,
    oom,
    dispatch: (job_id, event) => loop.dispatch(job_id, event),
    note: record,
    watchReady: (runtime) => watch.awaitReady(runtime),
    leftBehind: (runtime, traces) => housekeeping.leftBehind(runtime, traces),
    declared: ({ job, spec }, env) => redactor.learn(`${job.service}/${job.action}`, secretsOf(spec, env)),
    ownLaunch: (service) => plugins.launch(service),
  });

  const notifications = new Notifications({
    clock,
    agenda,
    store,
    notifiers: plugins.notifiers,
    random: Math.random,
    report: (why) => record(null, why),
  });
  events.subscribe((event) => notifications.hear(event));
  const standing = new StandingNotes();
  events.subscribe((event) => standing.hear(event));

  const looks: LookPorts = {
    host,
    world,
    watch,
    reclaimTarget: (runtime) => effects.reclaimTarget(runtime),
  };
  const heal = new Healer({
    clock,
    service: (name) => fleet.service(name),
    look: (service) => lookAtService(service, looks),
    checks: (job_id) => watch.checks(job_id),
    tell: (service, told, origin) => fleet.mend(service, told, origin),
    record: (event) => commit({ events: [event] })[0],
    until: (done, timeout) => supervisor.until(done, timeout),
    events: (query) => store.events(query),
  });

  const supervisor = new Supervisor({
    heal,
    look: (runtime) => lookAtAction(runtime, looks),
    standing,
    host,
    store,
    loop,
    fleet,
    logs,
    reaper,
    world,
    watch,
    probes,
    events,
    plugins,
    access: {
      read_only: options.read_only ?? false,
      tokens,
      audit,
      redact: (text) => redactor.text(text),
    },
    about: {
      version: options.version,
      pid: options.pid,
      instance,
      state_dir: paths.dir,
      spec_file: options.spec_file,
      started_at,
    },
    spec: new SpecApply({
      files,
      path: options.spec_file,
      instance,
      built_in: options.plugins,
      current: () => current,
      check: (text) => checkServiceText(text, options, true),
      takeOver,
      inTurn: (work) => reading.run(work),
      halting: () => loop.halting,
      note: (why, origin) => loop.note(null, why, origin),
    }),
    reload: (origin) =>
      reading.run(async () => {
        try {
          const read = await readServiceFile(options);
          // Loading plugins takes its time, in which upkeep may have begun to go down.
          if (!loop.halting) await takeOver(read, origin);
          return null;
        } catch (error) {
          if (error instanceof SpecError) return [...error.issues];
          throw error;
        }
      }),
    finish: () => housekeeping.finish(),
    farewell: () => notifications.close(),
    close: () => {
      tokens.close();
      agenda.clear();
      plugins.close();
      adopted.close();
      oom.close();
      logs.closeAll();
      store.close();
      lock.release();
    },
  });

  record(null, reason('REQUESTED', 'upkeep has started', { pid: options.pid, version: options.version }));
  if (store.opened.lost !== null) record(null, store.opened.lost);
  const kept = store.load();
  roster.load(kept.services, kept.runs, kept.jobs);
  await takeOver(first, CORE, async () => {
    const survivors = await findSurvivors(host, instance, options.pid);
    for (const leftover of recover(new LostJobs(roster, store, clock), loop, host, paths, survivors))
      housekeeping.endLeftover(leftover);
    for (const runtime of loop.jobs.values()) effects.searchEarlier(runtime);
  });
  for (const { log } of loop.jobs.values()) logs.tend(log);
  housekeeping.begin();
  if (store.degraded !== null) housekeeping.storeDegraded();
  return supervisor;
}
