import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Database } from '../../../core/store/database.ts';
import {
  aJob,
  anEvent,
  aRun,
  aService,
  asStored,
  aWorld,
  BASE,
  openStore,
  PHASE_STATES,
  tempDir,
} from './support.ts';

describe('Store', () => {
  it('gives back after a restart what was committed', () => {
    const path = join(tempDir(), 'upkeep.db');
    const first = openStore(path).store;
    expect(first.opened).toEqual({ created: true, set_aside: null, lost: null });
    const jobs = PHASE_STATES.map((state, i) =>
      aJob({ id: `job-${i}`, run_id: 'run-of-shop', created_at: i }, state),
    );
    first.commit({ services: [aService('shop')], runs: [aRun('shop')], jobs, events: [anEvent()] });
    first.close();

    const second = openStore(path).store;
    expect(second.opened).toEqual({ created: false, set_aside: null, lost: null });
    expect(second.load()).toEqual({
      services: [aService('shop')],
      runs: [aRun('shop')],
      jobs: jobs.map(asStored),
    });
    expect(second.events({})).toEqual([{ seq: 1, ...anEvent() }]);
  });

  it('keeps the latest of each row', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    store.commit(aWorld('shop'));
    store.commit({
      services: [aService('shop', { wanted: 'down', spec: { changed: true }, updated_at: 5 })],
      runs: [aRun('shop', { finished_at: 9 })],
      jobs: [aJob({ id: 'job-of-shop', run_id: 'run-of-shop', restart_count: 4 }, { phase: 'stopped' })],
    });
    expect(store.load()).toEqual({
      services: [aService('shop', { wanted: 'down', spec: { changed: true }, updated_at: 5 })],
      runs: [aRun('shop', { finished_at: 9 })],
      jobs: [aJob({ id: 'job-of-shop', run_id: 'run-of-shop', restart_count: 4 }, { phase: 'stopped' })],
    });
  });

  it('never changes where a job came from', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    store.commit(aWorld('shop'));
    store.commit({
      jobs: [aJob({ id: 'job-of-shop', run_id: 'run-of-shop', service: 'other', created_at: 1 })],
    });
    expect(store.jobs({ id: 'job-of-shop' })).toMatchObject([
      { service: 'shop', created_at: BASE.created_at },
    ]);
  });

  it('loads the run that each service is in, and leaves earlier ones to queries', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    store.commit(aWorld('shop'));
    const next = aRun('shop', { id: 'run-2', started_at: BASE.created_at + 1 });
    const job = aJob({ id: 'job-2', run_id: 'run-2', created_at: BASE.created_at + 1 });
    store.commit({ services: [aService('shop', { run_id: 'run-2' })], runs: [next], jobs: [job] });

    expect(store.load()).toMatchObject({ runs: [{ id: 'run-2' }], jobs: [{ id: 'job-2' }] });
    expect(store.jobs({ service: 'shop' }).map(({ id }) => id)).toEqual(['job-of-shop', 'job-2']);
    expect(store.jobs({ run_id: 'run-of-shop' }).map(({ id }) => id)).toEqual(['job-of-shop']);
    expect(store.jobs({ id: 'job-2' })).toEqual([job]);
    expect(store.jobs({ id: 'job-3' })).toEqual([]);
    expect(store.runs({ service: 'shop' }).map(({ id }) => id)).toEqual(['run-of-shop', 'run-2']);
    expect(store.runs({ id: 'run-2' })).toEqual([next]);
    expect(store.runs({ service: 'other' })).toEqual([]);
  });

  it('deletes a service with its runs and jobs; its events stay', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    store.commit({ ...aWorld('shop'), events: [anEvent()] });
    store.commit(aWorld('other'));
    store.commit({ deleted_services: ['shop'] });
    expect(store.load()).toEqual(aWorld('other'));
    expect(store.runs({}).map(({ service }) => service)).toEqual(['other']);
    expect(store.jobs({}).map(({ service }) => service)).toEqual(['other']);
    expect(store.events({ service: 'shop' })).toHaveLength(1);
  });

  it('answers which events', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    store.commit(aWorld('shop'));
    store.commit({
      events: [
        anEvent({ service: 'shop', job_id: 'job-of-shop' }),
        anEvent({ service: 'other', job_id: 'job-of-other' }),
        anEvent({ service: 'shop', job_id: 'job-2' }),
        anEvent({ service: null, job_id: null, action: null, incarnation: null, from: null, to: null }),
        anEvent({ service: 'shop', job_id: 'job-of-shop' }),
      ],
    });
    const seqs = (query: Parameters<typeof store.events>[0]) => store.events(query).map(({ seq }) => seq);
    expect(seqs({})).toEqual([1, 2, 3, 4, 5]);
    expect(seqs({ limit: 2 })).toEqual([4, 5]);
    expect(seqs({ after: 1, limit: 2 })).toEqual([2, 3]);
    expect(seqs({ before: 4, limit: 2 })).toEqual([2, 3]);
    expect(seqs({ after: 1, before: 4 })).toEqual([2, 3]);
    expect(seqs({ after: 5 })).toEqual([]);
    expect(seqs({ service: 'shop' })).toEqual([1, 3, 5]);
    expect(seqs({ service: 'shop', limit: 1 })).toEqual([5]);
    expect(seqs({ service: 'shop', after: 1, limit: 1 })).toEqual([3]);
    expect(seqs({ job_id: 'job-of-shop' })).toEqual([1, 5]);
    // Of a job that the store does not know any more, too.
    expect(seqs({ job_id: 'job-2' })).toEqual([3]);
    expect(seqs({ service: 'other', job_id: 'job-of-shop' })).toEqual([]);
  });

  it('gives events numbers that rise by one, also after a restart', () => {
    const path = join(tempDir(), 'upkeep.db');
    const first = openStore(path).store;
    expect(first.commit({ events: [anEvent(), anEvent()] }).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(first.commit({}).map(({ seq }) => seq)).toEqual([]);
    first.close();
    expect(
      openStore(path)
        .store.commit({ events: [anEvent()] })
        .map(({ seq }) => seq),
    ).toEqual([3]);
  });

  it('commits a thousand jobs and events at once, all or nothing', () => {
    const path = join(tempDir(), 'upkeep.db');
    const { store } = openStore(path);
    const ids = Array.from({ length: 1000 }, (_, i) => `job-${i}`);
    const jobs = ids.map((id) => aJob({ id, run_id: 'run-of-shop' }));
    store.commit({ runs: [aRun('shop')], jobs, events: ids.map((job_id) => anEvent({ job_id })) });
    expect(store.jobs({})).toHaveLength(1000);
    expect(store.events({})).toHaveLength(1000);

    const orphan = aJob({ id: 'orphan', run_id: 'no-such-run' });
    store.commit({ jobs: [...jobs.map((job) => ({ ...job, restart_count: 99 })), orphan] });
    const other = Database.open(path, { files: fs, busy_timeout: 0 });
    onTestFinished(() => other.close());
    expect(other.number('max(restart_count)', 'FROM jobs')).toBe(BASE.restart_count);
    expect(other.number('count(*)', 'FROM jobs')).toBe(1000);
  });

  it('calls the fault seam before and after each commit', () => {
    const calls: string[] = [];
    const { store } = openStore(join(tempDir(), 'upkeep.db'), {
      at: (call) => calls.push(`${call} ${store.events({}).length}`),
    });
    store.commit({ events: [anEvent()] });
    expect(calls).toEqual(['store.commit 0', 'store.commit:done 1']);
  });
});
