/**
 * The composition root: every part of a running upkeep, made and connected.
 *
 * The parts need each other in a circle (the loop has effects carried out, effects tell the loop), so what is made first
 * names what is made later within functions: nothing is called before all are there.
 */
import { AuditLog } from '../access/audit_log.ts';
import { redactedCheck } from '../access/redacted.ts';
import { Redactor, secretsOf } from '../access/redactor.ts';
import { Tokens } from '../access/tokens.ts';
import { Healer } from '../heal/healer.ts';
import { type LookPorts, lookAtAction, lookAtService } from '../heal/observe.ts';
import { Agenda } from '../host/agenda.ts';
import type { Reason } from '../job/reason.ts';
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
import { ProbeHost } from '../reclaim/mod.ts';
import type { Batch } from '../store/batch.ts';
import type { StoreOptions } from '../store/options.ts';
import type { Store } from '../store/store.ts';
import { Effects } from './effects.ts';
import { EventFeed } from './event_feed.ts';
import { Fleet } from './fleet.ts';
import { Housekeeping } from './housekeeping.ts';
import { jobChanged } from './job_changed.ts';
import { JobLoop } from './job_loop.ts';
import { JobWaiters } from './job_waiters.ts';
import { JobWatch } from './job_watch.ts';
import { StandingNotes } from './notes.ts';
import type { SupervisorOptions } from './options.ts';
import { instanceName, type StatePaths, statusFile } from './paths.ts';
import { reclaimWorld } from './reclaim_world.ts';
import { Roster } from './roster.ts';
import { CORE, type JobRuntime } from './runtime.ts';
import type { CheckedFile } from './service_file.ts';
import { SpecApply } from './spec_apply.ts';
import { SpecInForce } from './spec_in_force.ts';
import { Standbys } from './standbys.ts';
import { Supervisor } from './supervisor.ts';

/** What starting goes on with. */
export interface Assembly {
  /** The state folder's own name, by which processes are marked. */
  readonly instance: string;
  readonly store: Store;
  readonly loop: JobLoop;
  readonly roster: Roster;
  readonly effects: Effects;
  readonly logs: Logs;
  readonly housekeeping: Housekeeping;
  readonly spec: SpecInForce;
  readonly supervisor: Supervisor;
  /** Lets everything go: timers, descriptors, the store, the lock. Processes stay as they are. */
  close(): void;
}

/**
 * Makes every part and connects them. The store is opened; nothing else is begun.
 *
 * @param first the service file that is to be taken over first.
 * @param open opens the store; whoever gives it closes it where this throws.
 */
export function assemble(
  options: SupervisorOptions,
  paths: StatePaths,
  lock: { release(): void },
  first: CheckedFile,
  open: (options: StoreOptions) => Store,
): Assembly {
  const { host } = options;
  const { clock, files } = host;
  const instance = instanceName(paths.dir);
  const agenda = new Agenda(clock);
  const events = new EventFeed(clock, agenda);
  const waiters = new JobWaiters(clock);
  const started_at = clock.wall();

  const store = open({
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
    changed: (runtime, before) => jobChanged(runtime, before, changes),
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
  const world = reclaimWorld({ host, probes, upkeep_pid: options.pid, instance, loop, store });

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
    changed: () => waiters.changed(),
  });

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

  const standbys = new Standbys({
    clock,
    agenda,
    spawner: host.spawner,
    program: (runtime) => effects.nextProgram(runtime),
  });
  const changes = { files, paths, logs, fleet, watch, housekeeping, standbys, waiters, note: record };

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
    standby: (job_id) => standbys.take(job_id),
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

  const spec = new SpecInForce({ options, plugins, probes, notifications, redactor, fleet, loop }, first);

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
    until: (done, timeout) => waiters.until(done, timeout),
    events: (query) => store.events(query),
  });

  const close = (): void => {
    tokens.close();
    agenda.clear();
    standbys.close();
    plugins.close();
    adopted.close();
    oom.close();
    logs.closeAll();
    store.close();
    lock.release();
  };

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
    waiters,
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
    spec: new SpecApply({ options, instance, in_force: spec, loop }),
    reload: (origin) => spec.reload(origin),
    finish: () => housekeeping.finish(),
    farewell: () => notifications.close().then(() => events.close()),
    close,
  });

  return { instance, store, loop, roster, effects, logs, housekeeping, spec, supervisor, close };
}
