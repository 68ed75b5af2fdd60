import { describe, expect, it } from 'vitest';
import { QUEUE_LIMIT, TRY_DEADLINE } from '../../../core/notify/outbox.ts';
import { GiveUp } from '../../../core/plugin/definition.ts';
import { aRule, Kept, World } from './support.ts';

const SOON = 50;

function begun(...rules: ReturnType<typeof aRule>[]): World {
  const world = new World();
  world.notifications.apply(rules.length === 0 ? [aRule()] : rules);
  return world;
}

describe('an event', () => {
  it('is told to whom it concerns, soon, and not while it is published', async () => {
    const world = begun();
    world.publish(1);
    world.publish(2, { code: 'EXITED' });
    expect(world.rung).toEqual([]);
    await world.advance(SOON - 1);
    expect(world.rung).toEqual([]);
    await world.advance(1);
    expect(world.rung).toEqual([1]);
    expect(world.last.event).toEqual(world.kept.events[0]);
    await world.last.answer();
    expect(world.rung).toEqual([1]);
    expect(world.reports).toEqual([]);
  });

  it('is told with the options of its rule', async () => {
    const world = begun(aRule({ options: { tone: 'low' } }));
    world.publish(1);
    await world.advance(SOON);
    expect(world.last.options).toEqual({ tone: 'low' });
  });

  it('waits until the one before it is told: one at a time, in order', async () => {
    const world = begun();
    for (let seq = 1; seq <= 3; seq++) world.publish(seq);
    await world.advance(10 * SOON);
    expect(world.rung).toEqual([1]);
    await world.last.answer();
    expect(world.rung).toEqual([1, 2]);
    world.publish(4);
    await world.last.answer();
    await world.last.answer();
    await world.last.answer();
    expect(world.rung).toEqual([1, 2, 3, 4]);
  });

  it('is told by each rule that it concerns, and one that hangs keeps no other', async () => {
    const world = begun(aRule(), aRule(), aRule({ services: ['mail'] }));
    world.publish(1);
    await world.advance(SOON);
    expect(world.rung).toEqual([1, 1]);
    await world.last.answer();
    world.publish(2);
    await world.advance(SOON);
    expect(world.rung).toEqual([1, 1, 2]);
  });
});

describe('an event that could not be told', () => {
  it('is tried again with pauses that grow, before those after it', async () => {
    const world = begun();
    world.publish(1);
    world.publish(2);
    await world.advance(SOON);
    for (const pause of [1_000, 2_000, 4_000, 8_000]) {
      await world.last.fail(new Error('no'));
      const { length } = world.rings;
      await world.advance(pause - 1);
      expect(world.rings).toHaveLength(length);
      await world.advance(1);
      expect(world.rings).toHaveLength(length + 1);
    }
    expect(world.rung).toEqual([1, 1, 1, 1, 1]);
    await world.last.answer();
    expect(world.rung.at(-1)).toBe(2);
    // The streak is over: the pauses begin anew.
    await world.last.fail(new Error('no'));
    await world.advance(1_000);
    expect(world.rung.slice(-2)).toEqual([2, 2]);
  });

  it('never waits longer than five minutes', async () => {
    const world = begun();
    world.publish(1);
    await world.advance(SOON);
    for (let i = 0; i < 30; i++) {
      await world.last.fail(new Error('no'));
      const { length } = world.rings;
      await world.advance(300_000);
      expect(world.rings).toHaveLength(length + 1);
    }
  });

  it('is worth one event after the third try, without secrets', async () => {
    const world = begun(aRule({ options: { url: 'http://x/s3cret' } }));
    world.publish(1);
    await world.advance(SOON);
    for (let i = 1; i <= 6; i++) {
      await world.last.fail(new Error('cannot reach http://x/s3cret'));
      expect(world.reports).toHaveLength(i < 3 ? 0 : 1);
      await world.advance(1_000 * 2 ** (i - 1));
    }
    expect(world.reports[0]).toEqual({
      code: 'NOTIFY_DEGRADED',
      message: 'notify[0] (bell): could not tell, and tries again: cannot reach [hidden]',
      evidence: { type: 'bell', waiting: 1 },
    });
    await world.last.answer();
    expect(world.reports).toHaveLength(1);
  });

  it('has failed at its deadline, and the signal says so; whoever ignores it is not waited for', async () => {
    const world = begun();
    world.publish(1);
    await world.advance(SOON);
    const [first] = world.rings;
    await world.advance(TRY_DEADLINE - 1);
    expect(first?.signal.aborted).toBe(false);
    await world.advance(1);
    expect(first?.signal.aborted).toBe(true);
    await world.advance(1_000);
    expect(world.rung).toEqual([1, 1]);
    // What the first one says now is about nothing.
    await first?.answer();
    expect(world.rung).toEqual([1, 1]);
    await world.last.answer();
    expect(world.kept.cursors.size).toBe(1);
    expect([...world.kept.cursors.values()]).toEqual([1]);
  });

  it('is not tried again where it was refused for good, and the next one is told', async () => {
    const world = begun();
    for (let seq = 1; seq <= 3; seq++) world.publish(seq);
    await world.advance(SOON);
    await world.last.fail(new GiveUp('answered 410'));
    await world.last.fail(Object.assign(new Error('answered 404'), { name: 'GiveUp' }));
    expect(world.rung).toEqual([1, 2, 3]);
    expect(world.reports.map(({ message }) => message)).toEqual([
      'notify[0] (bell): an event was refused for good: answered 410',
    ]);
    await world.last.answer();
    expect(world.reports[1]).toMatchObject({
      message: 'notify[0] (bell): tells again; of the events meanwhile 2 were refused for good',
      evidence: { dropped: 0, refused: 2 },
    });
  });
});

describe('too many events that wait', () => {
  it('make room, the oldest first, but for the one that is being told; how many is told once', async () => {
    const world = begun();
    world.publish(1);
    await world.advance(SOON);
    for (let seq = 2; seq <= QUEUE_LIMIT + 10; seq++) world.publish(seq);
    expect(world.reports.map(({ message }) => message)).toEqual([
      `notify[0] (bell): more than ${QUEUE_LIMIT} events wait to be told, so the oldest are dropped`,
    ]);
    const told: number[] = [];
    world.reply = async ({ seq }) => {
      told.push(seq);
    };
    await world.last.answer();
    expect(told).toEqual(Array.from({ length: QUEUE_LIMIT - 1 }, (_, i) => i + 12));
    expect(world.reports.slice(1)).toMatchObject([
      {
        message:
          'notify[0] (bell): tells again; of the events meanwhile 10 that waited too long were dropped',
        evidence: { dropped: 10, refused: 0 },
      },
    ]);
  });

  it('take no more memory than there is room for', () => {
    const world = begun();
    for (let seq = 1; seq <= 20 * QUEUE_LIMIT; seq++) world.publish(seq);
    expect(world.reports).toHaveLength(1);
  });
});

describe('what is the same', () => {
  it('is told again only after min_interval', async () => {
    const world = begun(aRule({ min_interval: 1000 }));
    const told: number[] = [];
    world.reply = async ({ seq }) => {
      told.push(seq);
    };
    world.publish(1, { time: 0 });
    world.publish(2, { time: 999 });
    world.publish(3, { time: 999, action: 'other' });
    world.publish(4, { time: 1000 });
    await world.advance(SOON);
    expect(told).toEqual([1, 3, 4]);
  });
});

describe('the failures of telling', () => {
  it('are told to nobody', async () => {
    const world = begun(aRule({ events: ['UNHEALTHY', 'NOTIFY_DEGRADED'] }));
    world.publish(1, { code: 'NOTIFY_DEGRADED', service: null });
    await world.advance(10_000);
    expect(world.rung).toEqual([]);
  });
});

describe('the next upkeep', () => {
  it('tells what this one could not, in order, and again what it may have told', async () => {
    const kept = new Kept();
    const first = new World(kept);
    first.notifications.apply([aRule()]);
    first.publish(1);
    first.publish(2, { code: 'EXITED' });
    first.publish(3);
    first.publish(4);
    await first.advance(SOON);
    await first.last.answer();
    expect(first.rung).toEqual([1, 3]);
    // It dies while it tells the third.
    const second = new World(kept);
    second.notifications.apply([aRule()]);
    second.publish(5);
    await second.advance(SOON);
    for (let i = 0; i < 3; i++) await second.last.answer();
    expect(second.rung).toEqual([3, 4, 5]);
  });

  it('begins with what happens from then on where there was no such rule, or another one', async () => {
    const kept = new Kept();
    const first = new World(kept);
    first.publish(1);
    first.notifications.apply([aRule(), aRule({ services: ['shop'] })]);
    first.publish(2);
    await first.advance(SOON);
    expect(first.rung).toEqual([2, 2]);
    const second = new World(kept);
    second.notifications.apply([aRule({ services: ['shop', 'mail'] }), aRule()]);
    await second.advance(SOON);
    // Only the rule that is the same as before has anything to tell, though it stands in another place.
    expect(second.rung).toEqual([2]);
    await second.last.answer();
    expect(second.kept.cursors.size).toBe(2);
  });

  it('reads a long past in turns, and misses nothing that happens meanwhile', async () => {
    const kept = new Kept();
    const first = new World(kept);
    first.notifications.apply([aRule()]);
    const second = new World(kept);
    for (let seq = 1; seq <= 1000; seq++)
      first.publish(seq, { code: seq % 10 === 0 ? 'UNHEALTHY' : 'EXITED' });
    const told: number[] = [];
    second.reply = async ({ seq }) => {
      told.push(seq);
    };
    second.notifications.apply([aRule()]);
    second.publish(1001);
    for (let i = 0; i < 10; i++) await second.advance(SOON);
    second.publish(1002);
    await second.advance(SOON);
    expect(told).toEqual([...Array.from({ length: 100 }, (_, i) => (i + 1) * 10), 1001, 1002]);
  });
});

describe('a service file that is read again', () => {
  it('leaves a rule alone that is as before, ends one that is gone, begins one that is new', async () => {
    const world = begun(aRule(), aRule({ services: ['shop'] }));
    world.publish(1);
    world.publish(2);
    await world.advance(SOON);
    const [kept, gone] = world.rings;
    world.notifications.apply([aRule({ options: { tone: 'low' } }), aRule()]);
    expect(kept?.signal.aborted).toBe(false);
    expect(gone?.signal.aborted).toBe(true);
    await kept?.answer();
    world.publish(3);
    await world.advance(SOON);
    expect(world.rings.slice(2).map(({ event, options }) => [event.seq, options])).toEqual([
      [2, {}],
      [3, { tone: 'low' }],
    ]);
    // Messages call a rule by the place that it has now.
    for (let i = 0; i < 3; i++) {
      await world.rings.findLast(({ event }) => event.seq === 2)?.fail(new Error('no'));
      await world.advance(5_000);
    }
    expect(world.reports[0]?.message).toMatch(/^notify\[1\]/);
  });

  it('begins a rule that had left it before with what happens from then on', async () => {
    const world = begun(aRule());
    world.notifications.apply([]);
    world.publish(1);
    world.notifications.apply([aRule()]);
    world.publish(2);
    await world.advance(SOON);
    expect(world.rung).toEqual([2]);
  });
});

describe('the end of upkeep', () => {
  it('waits for what is still to be told', async () => {
    const world = begun();
    world.publish(1);
    world.publish(2);
    let over = false;
    const closing = world.notifications.close().then(() => {
      over = true;
    });
    await world.advance(SOON);
    await world.last.answer();
    expect(over).toBe(false);
    await world.last.answer();
    await closing;
    expect(world.rung).toEqual([1, 2]);
    expect([...world.kept.cursors.values()]).toEqual([2]);
  });

  it('waits no longer than two seconds, and leaves the rest to the next upkeep', async () => {
    const world = begun();
    world.publish(1);
    await world.advance(SOON);
    const closing = world.notifications.close();
    await world.advance(1_999);
    expect(world.last.signal.aborted).toBe(false);
    await world.advance(1);
    await closing;
    expect(world.last.signal.aborted).toBe(true);
    world.publish(2);
    await world.advance(100_000);
    expect(world.rung).toEqual([1]);
    expect(world.clock.pending).toBe(0);
    const next = new World(world.kept);
    next.notifications.apply([aRule()]);
    await next.advance(SOON);
    expect(next.rung).toEqual([1]);
  });

  it('waits for nothing where nothing waits, or what waits is in a pause', async () => {
    const world = begun(aRule(), aRule({ services: ['mail'] }));
    world.publish(1);
    await world.advance(SOON);
    await world.last.fail(new Error('no'));
    await world.notifications.close();
    await world.advance(100_000);
    expect(world.rung).toEqual([1]);
  });
});
