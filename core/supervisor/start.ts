/**
 * Puts a supervisor together and brings it to life: lock, store, service file, recovery, and only then starts.
 */

import { Agenda } from '../host/agenda.ts';
import type { Host } from '../host/host.ts';
import { atRest, identityOf, type Job } from '../job/job.ts';
import { type Reason, reason } from '../job/reason.ts';
import { Logs } from '../log/mod.ts';
import { Notifications } from '../notify/mod.ts';
import type { BuiltInPlugins } from '../plugin/built_in.ts';
import { inProcessNotifier } from '../plugin/notifier.ts';
import { AdoptedWatch } from '../process/adopted_watch.ts';
import { EscapeeFinder } from '../process/escapees.ts';
import { cleanEnv } from '../process/launch.ts';
import { OomWitness } from '../process/oom.ts';
import { isOwnProcess } from '../process/own_tree.ts';
import { ProcessTable } from '../process/process_table.ts';
import { Reaper } from '../process/reaper.ts';
import { ClaimWatch } from '../readiness/claim_watch.ts';
import type { Claim } from '../reclaim/claim.ts';
import { lookUpHolders, type ReclaimWorld, removePidFileIfOurs, writePidFile } from '../reclaim/mod.ts';
import { claimsOf, parseServiceFile, type ServiceFile, type SpecIssue } from '../spec/mod.ts';
import { acquireLock } from '../store/lock.ts';
import type { NewEvent } from '../store/records.ts';
import { Store } from '../store/store.ts';
import { Effects, pidFile, statusFile } from './effects.ts';
import { Fleet, type RecoveryMode } from './fleet.ts';
import { Housekeeping } from './housekeeping.ts';
import { JobLoop } from './job_loop.ts';
import { instanceName, openStateFolder, type StatePaths } from './paths.ts';
import { recover } from './recovery.ts';
import { CORE, type JobRuntime } from './runtime.ts';
import { EventFeed, Supervisor } from './supervisor.ts';
import { findSurvivors } from './survivors.ts';

/** What a supervisor is started with. */
export interface SupervisorOptions {
  readonly host: Host;
  /** Absolute; made (0700) where it is not there yet. */
  readonly state_dir: string;
  /** Absolute path of the service file. */
  readonly spec_file: string;
  /** Those that run in this process. */
  readonly plugins: BuiltInPlugins;
  readonly recovery: RecoveryMode;
  /** upkeep's own environment, from which services inherit. */
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly version: string;
  /** A fault point before and after each commit; only tests set it. */
  readonly at?: (call: string) => void;
}

/** The service file is not one. */
export class SpecError extends Error {
  override readonly name = 'SpecError';
  readonly issues: readonly SpecIssue[];
  constructor(path: string, issues: readonly SpecIssue[]) {
    super(`${path} is not a valid service file`);
    this.issues = issues;
  }
}

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
    const file = readServiceFile(options);
    return await assemble(options, paths, lock, file);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @throws {@link SpecError} */
function readServiceFile({ host, spec_file, plugins }: SupervisorOptions): ServiceFile {
  let text: string;
  try {
    text = host.files.readFileSync(spec_file, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    throw new SpecError(spec_file, [
      { path: '', rule: 'readable', value: spec_file, line: null, column: null, message },
    ]);
  }
  const parsed = parseServiceFile(text, spec_file, plugins);
  if ('issues' in parsed) throw new SpecError(spec_file, parsed.issues);
  return parsed.file;
}

async function assemble(
  options: SupervisorOptions,
  paths: StatePaths,
  lock: { release(): void },
  file: ServiceFile,
): Promise<Supervisor> {
  const { host } = options;
  const { clock, files, processes } = host;
  const instance = instanceName(paths.dir);
  const agenda = new Agenda(clock);
  const events = new EventFeed();
  const started_at = clock.wall();

  const store = Store.open({
    path: paths.database,
    host,
    ...(options.at === undefined ? {} : { at: options.at }),
    onDegraded: (why) => {
      if (why === null) return;
      record(null, why);
      housekeeping.storeDegraded();
    },
  });

  function commit(jobs: readonly Job[], records: readonly NewEvent[]): ReturnType<Store['commit']> {
    const numbered = store.commit({ jobs, events: records });
    events.publish(numbered);
    return numbered;
  }

  const record = (runtime: JobRuntime | null, why: Reason): void => loop.note(runtime, why);

  const logs = new Logs({
    host,
    dir: paths.logs,
    rotators: options.plugins.rotators,
    report: (job, why) => record(loop.jobs.get(job.job_id) ?? null, why),
    wake: () => housekeeping.logsChanged(),
  });
  const table = new ProcessTable(host);
  const finder = new EscapeeFinder(host, table, instance, options.pid);
  const reaper = new Reaper(host, agenda, table, finder);
  const adopted = new AdoptedWatch(host, agenda);

  const loop = new JobLoop({
    clock,
    agenda,
    random: Math.random,
    commit,
    perform: (runtime, effect) => effects.perform(runtime, effect),
    changed: (runtime, before) => jobChanged(runtime, before),
  });
  const fleet = new Fleet(store, loop, clock, options.recovery, (job) =>
    files.rmSync(statusFile(paths, job), { force: true }),
  );

  const world: ReclaimWorld = {
    host,
    probes: options.plugins.probes,
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

  const lookUp = (claims: readonly Claim[], suspects: readonly number[]): ReturnType<typeof lookUpHolders> =>
    lookUpHolders(claims, world, { suspects, exhaustive: false });
  const claimWatch = new ClaimWatch(host, agenda, lookUp, {
    ready: ({ job_id, epoch }, note) => {
      const runtime = loop.jobs.get(job_id);
      if (runtime !== undefined && note !== null) record(runtime, note);
      loop.dispatch(job_id, { type: 'ready', epoch });
    },
    fault: ({ job_id, epoch }, why) => loop.dispatch(job_id, { type: 'faulted', epoch, reason: why }),
  });

  function watchClaims(runtime: JobRuntime): void {
    const { job, spec, sessions } = runtime;
    const main = identityOf(job);
    const claims = claimsOf(spec);
    if (main === null || claims.length === 0 || spec.ready.claims === 'none') return;
    const tree = { job_id: job.id, incarnation: job.restart_count, main, sessions };
    claimWatch.watch({
      job_id: job.id,
      epoch: job.epoch,
      claims,
      mode: spec.ready.claims,
      suspects: [main.pid],
      isOwn: (pid) => isOwnProcess(pid, tree, processes),
      deadline: job.phase === 'starting' ? job.deadline : null,
    });
  }

  function jobChanged(runtime: JobRuntime, before: Job): void {
    const { job } = runtime;
    const alive = job.phase === 'starting' || job.phase === 'running';
    const process = identityOf(job);
    if (alive && process !== null && process !== identityOf(before)) {
      writePid(runtime, process.pid);
      housekeeping.started();
    }
    if (job.phase === 'running' && before.phase !== 'running') watchClaims(runtime);
    if (!alive) claimWatch.drop(job.id);
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
    note: record,
    everything: () => fleet.everything(),
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
    oom: new OomWitness(files),
    dispatch: (job_id, event) => loop.dispatch(job_id, event),
    note: record,
    watchReady: watchClaims,
    leftBehind: (runtime, target) => housekeeping.leftBehind(runtime, target),
  });

  const notifications = new Notifications({
    clock,
    agenda,
    store,
    notifiers: options.plugins.notifiers.map((plugin) => inProcessNotifier(plugin, host)),
    random: Math.random,
    report: (why) => record(null, why),
  });
  events.subscribe((event) => notifications.hear(event));

  const supervisor = new Supervisor({
    host,
    store,
    loop,
    fleet,
    logs,
    reaper,
    world,
    events,
    about: {
      version: options.version,
      pid: options.pid,
      instance,
      state_dir: paths.dir,
      spec_file: options.spec_file,
      started_at,
    },
    reload: (origin) => {
      try {
        const changedFile = readServiceFile(options);
        notifications.apply(changedFile.notify);
        fleet.enact(fleet.adopt(changedFile), origin);
        return null;
      } catch (error) {
        if (error instanceof SpecError) return [...error.issues];
        throw error;
      }
    },
    farewell: () => notifications.close(),
    close: () => {
      agenda.clear();
      adopted.close();
      logs.closeAll();
      store.close();
      lock.release();
    },
  });

  notifications.apply(file.notify);
  record(null, reason('REQUESTED', 'upkeep has started', { pid: options.pid, version: options.version }));
  if (store.opened.lost !== null) record(null, store.opened.lost);
  const kept = store.load();
  fleet.load(kept.services, kept.runs, kept.jobs);
  const changed = fleet.adopt(file);
  const survivors = await findSurvivors(host, instance, options.pid);
  for (const leftover of recover(fleet, loop, host, paths, survivors)) housekeeping.endLeftover(leftover);
  fleet.enact(changed, CORE);
  for (const { log } of loop.jobs.values()) logs.tend(log);
  housekeeping.begin();
  if (store.degraded !== null) housekeeping.storeDegraded();
  return supervisor;
}
