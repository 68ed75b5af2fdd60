import { describe, expect, it } from 'vitest';
import { Backlog, MAX_KEPT_EVENTS } from '../../../core/store/backlog.ts';
import type { EventRecord } from '../../../core/store/records.ts';
import { aJob, anEvent, aService, aWorld } from './support.ts';

function events(from: number, to: number): EventRecord[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({ seq: from + i, ...anEvent() }));
}

describe('Backlog', () => {
  it('keeps the latest of each row, and every event', () => {
    const backlog = new Backlog();
    backlog.add({ ...aWorld('shop'), events: events(1, 1) });
    const job = aJob({ id: 'job-of-shop', run_id: 'run-of-shop', restart_count: 4 });
    backlog.add({ services: [aService('shop', { wanted: 'down' })], jobs: [job], events: events(2, 2) });
    expect(backlog.batch()).toEqual({
      deleted_services: [],
      services: [aService('shop', { wanted: 'down' })],
      runs: aWorld('shop').runs,
      jobs: [job],
      events: events(1, 2),
    });
    backlog.clear();
    expect(backlog.batch()).toEqual({ deleted_services: [], services: [], runs: [], jobs: [], events: [] });
  });

  it('forgets what it has of a deleted service, and not what comes of it later', () => {
    const backlog = new Backlog();
    backlog.add(aWorld('shop'));
    backlog.add(aWorld('other'));
    backlog.add({ deleted_services: ['shop', 'unknown'] });
    expect(backlog.batch()).toMatchObject({ ...aWorld('other'), deleted_services: ['shop', 'unknown'] });
    backlog.add(aWorld('shop'));
    expect(backlog.batch().services.map(({ name }) => name)).toEqual(['other', 'shop']);
  });

  it('lays older rows below', () => {
    const backlog = new Backlog();
    backlog.add({
      services: [aService('shop', { wanted: 'down' })],
      deleted_services: ['gone'],
      events: events(3, 3),
    });
    backlog.addOlder({
      services: [aService('shop'), aService('other'), aService('gone')],
      events: events(1, 2),
    });
    expect(backlog.batch()).toMatchObject({
      services: [aService('shop', { wanted: 'down' }), aService('other')],
      events: events(1, 3),
    });
  });

  it('gives up the oldest events beyond its bound, and says how many', () => {
    const backlog = new Backlog();
    let dropped = 0;
    const total = 3 * MAX_KEPT_EVENTS;
    for (let seq = 1; seq <= total; seq += 1) dropped += backlog.add({ events: events(seq, seq) });
    expect(backlog.event_count).toBeLessThanOrEqual(1.1 * MAX_KEPT_EVENTS);
    expect(backlog.event_count).toBeGreaterThanOrEqual(MAX_KEPT_EVENTS);
    expect(dropped + backlog.event_count).toBe(total);
    expect(backlog.batch().events.at(-1)?.seq).toBe(total);
  });
});
