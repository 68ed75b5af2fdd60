/**
 * Brings a supervisor to life: lock, service file, store, recovery, and only then starts.
 */
import { reason } from '../job/reason.ts';
import { acquireLock } from '../store/lock.ts';
import { Store } from '../store/store.ts';
import { type Assembly, assemble } from './assembly.ts';
import { LostJobs } from './lost_jobs.ts';
import type { SupervisorOptions } from './options.ts';
import { openStateFolder, type StatePaths } from './paths.ts';
import { recover } from './recovery.ts';
import { CORE } from './runtime.ts';
import { readServiceFile } from './service_file.ts';
import type { Supervisor } from './supervisor.ts';
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
  const assembly = await assembled(options, paths, lock);
  try {
    await goOn(assembly, options, paths);
    return assembly.supervisor;
  } catch (error) {
    assembly.close();
    throw error;
  }
}

/** Every part of it; where that fails, nothing is held any more. */
async function assembled(
  options: SupervisorOptions,
  paths: StatePaths,
  lock: { release(): void },
): Promise<Assembly> {
  let close = (): void => {};
  try {
    const file = await readServiceFile(options);
    return assemble(options, paths, lock, file, (wishes) => {
      const store = Store.open(wishes);
      close = () => store.close();
      return store;
    });
  } catch (error) {
    close();
    lock.release();
    throw error;
  }
}

/** Takes up what the store holds, tells each job what became of it, and lets go on what is wanted. */
async function goOn(assembly: Assembly, options: SupervisorOptions, paths: StatePaths): Promise<void> {
  const { store, loop, roster, effects, logs, housekeeping, spec } = assembly;
  const { host, pid, version } = options;
  loop.note(null, reason('REQUESTED', 'upkeep has started', { pid, version }));
  if (store.opened.lost !== null) loop.note(null, store.opened.lost);
  const kept = store.load();
  roster.load(kept.services, kept.runs, kept.jobs);
  await spec.takeOver(spec.current, CORE, async () => {
    const survivors = await findSurvivors(host, assembly.instance, pid);
    const lost = new LostJobs(roster, store, host.clock);
    for (const leftover of recover(lost, loop, host, paths, survivors)) housekeeping.endLeftover(leftover);
    for (const runtime of loop.jobs.values()) effects.searchEarlier(runtime);
  });
  for (const { log } of loop.jobs.values()) logs.tend(log);
  housekeeping.begin();
  if (store.degraded !== null) housekeeping.storeDegraded();
}
