/**
 * The books after a storm: what upkeep told, what the services wrote down, and what is so must be the same.
 */
import { expect } from 'vitest';
import type { EventRecord } from '../../core/store/records.ts';
import type { ActionView, JobView } from '../../core/supervisor/control.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { type Ledger, pause } from './ledger.ts';
import { LEFT_ALONE, type StormServices } from './storm_services.ts';
import type { User } from './user.ts';

/** What the books sum up. */
interface Sums {
  readonly spawns: number;
  readonly interrupted: number;
  readonly stopped_unborn: number;
}

/** How long what has to come about may take, in ms: as long as any other test. It takes about one second. */
const PATIENCE = 60_000;

/**
 * Balances the books of a storm that is over: upkeep runs, and no service crashes any more.
 *
 * @param users have looked at what is wanted.
 */
export async function balance(
  sandbox: Sandbox,
  services: StormServices,
  ledger: Ledger,
  users: readonly User[],
): Promise<Sums> {
  for (const user of users) expect(user.complaints, `what the user of ${user.service} saw`).toEqual([]);
  await nothingIsWrong(() => asWanted(sandbox));
  await nothingIsWrong(() => unaccounted(sandbox, services));
  await ledger.look(sandbox.client);

  // Nobody has commanded these: one job each, from the first start on.
  for (const name of LEFT_ALONE) {
    const ids = [...ledger.jobs.values()].flatMap((job) => (job.service === name ? [job.id] : []));
    expect(ids, `jobs of ${name}`).toHaveLength(1);
  }
  const sums = incarnationsAreKnown(services, ledger);
  inOrder(services);
  for (const job of ledger.jobs.values()) {
    if (LEFT_ALONE.some((name) => name === job.service)) await linesAreWhole(sandbox, services, job);
  }

  // A stop takes everything with it.
  await sandbox.client.call('service.stop', { name: 'leaves', wait: true });
  expect(services.escapees(), 'escapees of leaves after its stop').toEqual([]);
  await sandbox.down();
  expect(sandbox.daemon?.exitCode, 'the exit code of upkeep').toBe(0);
  expect(sandbox.marked(), 'what lives after upkeep has ended in order').toEqual([]);
  return sums;
}

/** What is not as it is wanted. */
async function asWanted(sandbox: Sandbox): Promise<string[]> {
  const { items } = await sandbox.client.call('service.list', {});
  const settled = (action: ActionView, wanted: string): boolean =>
    wanted === 'down'
      ? ['stopped', 'succeeded', 'failed'].includes(action.phase)
      : action.phase === 'running' || (action.action === 'prepare' && action.phase === 'succeeded');
  return items.flatMap(({ name, wanted, actions }) =>
    actions
      .filter((action) => !settled(action, wanted))
      .map(({ action, phase, reason }) => `${name}/${action}: wanted ${wanted}, ${phase} (${reason?.code})`),
  );
}

/** Every process of this upkeep that is not of a present job's newest incarnation, and every such one that is missing. */
async function unaccounted(sandbox: Sandbox, services: StormServices): Promise<string[]> {
  const { items } = await sandbox.client.call('service.list', {});
  const actions = items.flatMap((service) => service.actions);
  const marked = sandbox.marked();
  const strangers = marked.filter(
    ({ job_id, incarnation }) =>
      !actions.some(
        (action) => action.pid !== null && action.job_id === job_id && action.restart_count === incarnation,
      ),
  );
  const missing = actions.filter(({ pid }) => pid !== null && !marked.some((process) => process.pid === pid));
  const escapees = services.escapees();
  const allowed = items.find(({ name }) => name === 'leaves')?.wanted === 'up' ? 1 : 0;
  // It counts as running once it is spawned: its first line may be on its way.
  const unwritten = items.flatMap(({ name, actions: running }) => {
    const lines = services.started(name);
    return running.filter(
      ({ pid, job_id, restart_count }) =>
        pid !== null && !lines.some((line) => line.job_id === job_id && line.incarnation === restart_count),
    );
  });
  return [
    ...unwritten.map(({ job_id, restart_count }) => `${job_id}/${restart_count} has not written its start`),
    ...strangers.map(({ pid, job_id, incarnation }) => `pid ${pid} of ${job_id}/${incarnation} lives`),
    ...missing.map(({ action, pid }) => `pid ${pid} of ${action} does not live`),
    ...(escapees.length === allowed ? [] : [`${allowed} escapees should live: ${escapees.join(', ')}`]),
  ];
}

/** Looks until there is nothing to complain about. */
async function nothingIsWrong(look: () => Promise<string[]>): Promise<void> {
  for (let until = Date.now() + PATIENCE; ; await pause(20)) {
    const complaints = await look();
    if (complaints.length === 0) return;
    if (Date.now() > until) expect(complaints).toEqual([]);
  }
}

/** `restart_count` is what the services wrote down, number by number, but for spawns that events account for. */
function incarnationsAreKnown(services: StormServices, { jobs, events }: Ledger): Sums {
  const ofJob = new Map<string, EventRecord[]>();
  for (const event of events) {
    const { job_id } = event;
    if (job_id === null) continue;
    const known = ofJob.get(job_id);
    if (known === undefined) ofJob.set(job_id, [event]);
    else known.push(event);
  }
  const started = new Map<string, number>();
  for (const name of new Set([...jobs.values()].map((job) => job.service))) {
    for (const { what, job_id, incarnation } of services.started(name)) {
      if (what !== 'start') continue;
      const key = `${job_id}/${incarnation}`;
      started.set(key, (started.get(key) ?? 0) + 1);
    }
  }
  const twice = [...started].filter(([, times]) => times > 1);
  expect(twice, 'incarnations that were started twice').toEqual([]);

  const sums = { spawns: started.size, interrupted: 0, stopped_unborn: 0 };
  for (const job of jobs.values()) {
    const story = ofJob.get(job.id) ?? [];
    const name = `${job.service}/${job.action} (${job.id})`;
    for (let number = 0; number <= newest(job); number += 1) {
      if (started.delete(`${job.id}/${number}`)) continue;
      if (interrupted(story, number)) sums.interrupted += 1;
      else if (stoppedUnborn(story, number)) sums.stopped_unborn += 1;
      else expect.fail(`nobody knows of incarnation ${number} of ${name}\n${told(story, number)}`);
    }
  }
  expect([...started.keys()], 'incarnations that upkeep knows nothing of').toEqual([]);
  return sums;
}

function newest(job: JobView): number {
  return job.started_at === null ? -1 : job.restart_count;
}

/** upkeep died in the middle of this spawn, and says so: nobody can know whether it happened. */
function interrupted(story: readonly EventRecord[], number: number): boolean {
  if (story.some(({ code, evidence }) => code === 'INTERRUPTED' && evidence['incarnation'] === number))
    return true;
  // Where it was wanted down meanwhile, that is its reason. No spawn was ever told of, or it would be an earlier event.
  const first = story.find((event) => event.incarnation === number && event.to !== event.from);
  return first?.from === 'preparing' && first.to === 'stopped';
}

/**
 * upkeep itself ended this one, by a signal that may have come before its first line. No crash is an excuse: what ended
 * by itself had begun.
 */
function stoppedUnborn(story: readonly EventRecord[], number: number): boolean {
  return story.some(
    ({ incarnation, from, to, code }) =>
      incarnation === number &&
      (from === 'starting' || from === 'running') &&
      to === 'stopping' &&
      (code === 'REQUESTED' || code === 'WANTED_DOWN'),
  );
}

/** The events about an incarnation and its neighbours, for a message. */
function told(story: readonly EventRecord[], number: number): string {
  return story
    .filter(({ incarnation }) => incarnation !== null && Math.abs(incarnation - number) <= 1)
    .map(
      ({ seq, time, incarnation, from, to, code, message }) =>
        `${seq} ${time} #${incarnation} ${from} → ${to} ${code}: ${message}`,
    )
    .join('\n');
}

/** The oneshot of `chain` is done once in each run at most, and before anything that comes after it. */
function inOrder(services: StormServices): void {
  const done = new Set<string>();
  for (const { what, action, run_id, job_id } of services.started('chain')) {
    if (what === 'done') expect(done, `${job_id} was done already`).not.toContain(run_id);
    if (what === 'done') done.add(run_id);
    else if (action === 'main') expect(done, 'runs whose oneshot is done').toContain(run_id);
  }
  expect(done.size, 'runs of chain').toBeGreaterThan(0);
}

/** Every line that a service noted beside its log is in its log: once, and in order. */
async function linesAreWhole(sandbox: Sandbox, services: StormServices, job: JobView): Promise<void> {
  const noted = services.noted(job.service);
  const known = new Set(noted);
  const chunks: Uint8Array[] = [];
  for await (const chunk of sandbox.client.subscribe('job.log', { id: job.id })) chunks.push(chunk);
  const logged = Buffer.concat(chunks)
    .toString()
    .split('\n')
    .filter((line) => known.has(line));
  const wrong = noted.findIndex((line, place) => line !== logged[place]);
  const around = (lines: readonly string[]): string[] => lines.slice(Math.max(0, wrong - 3), wrong + 3);
  if (wrong >= 0) expect(around(logged), `the log of ${job.service}`).toEqual(around(noted));
  expect(logged.length, `lines in the log of ${job.service}`).toBe(noted.length);
}
