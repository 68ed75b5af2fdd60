import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KEPT_RUNS } from '../../../core/store/prune.ts';
import type { Store } from '../../../core/store/store.ts';
import { aJob, anEvent, aRun, aService, openStore, tempDir } from './support.ts';

const NOW = 1_700_000_000_000;

function seqs(store: Store): number[] {
  return store.events({}).map(({ seq }) => seq);
}

/** Prunes until there is nothing more to do; returns in how many calls. */
function pruneAll(store: Store, now = NOW): number {
  let calls = 1;
  while (store.prune(now)) calls += 1;
  return calls;
}

describe('prune', () => {
  it('keeps the newest events where there are too many', () => {
    const limits = { max_events: 3, max_age: 1000 };
    const { store } = openStore(join(tempDir(), 'upkeep.db'), { limits });
    store.commit({ events: Array.from({ length: 5 }, () => anEvent({ time: NOW })) });
    pruneAll(store);
    expect(seqs(store)).toEqual([3, 4, 5]);
  });

  it('removes events that are too old', () => {
    const limits = { max_events: 100, max_age: 1000 };
    const { store } = openStore(join(tempDir(), 'upkeep.db'), { limits });
    store.commit({ events: [-1001, -1000, -500, 0].map((ago) => anEvent({ time: NOW + ago })) });
    pruneAll(store);
    expect(seqs(store)).toEqual([2, 3, 4]);
  });

  it('keeps the newest event whatever its age, so that numbers go on from it', () => {
    const path = join(tempDir(), 'upkeep.db');
    const limits = { max_events: 0, max_age: 0 };
    const { store } = openStore(path, { limits });
    store.commit({ events: [anEvent({ time: 1 }), anEvent({ time: 2 })] });
    pruneAll(store);
    expect(seqs(store)).toEqual([2]);
    store.close();
    expect(openStore(path).store.commit({ events: [anEvent()] })).toMatchObject([{ seq: 3 }]);
  });

  it('deletes much in slices', () => {
    const limits = { max_events: 10, max_age: 1000 };
    const { store } = openStore(join(tempDir(), 'upkeep.db'), { limits });
    store.commit({ events: Array.from({ length: 2010 }, () => anEvent({ time: NOW })) });
    expect(store.prune(NOW)).toBe(true);
    expect(seqs(store).length).toBeGreaterThan(1000);
    expect(pruneAll(store)).toBeGreaterThan(1);
    expect(seqs(store)).toHaveLength(10);
  });

  it('keeps the last runs of a service with their jobs, and never the one it is in', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    const count = KEPT_RUNS + 5;
    const ids = Array.from({ length: count }, (_, i) => `run-${String(i).padStart(2, '0')}`);
    // Its present run is the oldest of all: somebody has set the clock.
    store.commit({ services: [aService('shop', { run_id: 'run-00' })] });
    for (const [i, id] of ids.entries()) {
      const run = aRun('shop', { id, started_at: NOW + i, finished_at: NOW + i });
      store.commit({ runs: [run], jobs: [aJob({ id: `job of ${id}`, run_id: id })] });
    }
    store.commit({ runs: [aRun('other', { finished_at: NOW })] });
    pruneAll(store);
    const kept = ['run-00', ...ids.slice(-KEPT_RUNS)];
    expect(store.runs({ service: 'shop' }).map(({ id }) => id)).toEqual(kept);
    expect(store.jobs({}).map(({ run_id }) => run_id)).toEqual(kept);
    expect(store.runs({ service: 'other' })).toHaveLength(1);
  });

  it('never touches a run that lasts', () => {
    const { store } = openStore(join(tempDir(), 'upkeep.db'));
    const runs = Array.from({ length: KEPT_RUNS + 5 }, (_, i) =>
      aRun('shop', { id: `run-${i}`, started_at: NOW + i }),
    );
    store.commit({ runs: [...runs, aRun('shop', { id: 'finished', finished_at: NOW })] });
    pruneAll(store);
    expect(store.runs({})).toHaveLength(KEPT_RUNS + 6);
  });
});
