import { describe, expect, it } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import type { EventRecord } from '../../../core/store/records.ts';
import { EventFeed } from '../../../core/supervisor/event_feed.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { fakeEvent } from '../operation/fake_control.ts';

function aFeed() {
  const clock = new FakeClock();
  const feed = new EventFeed(clock, new Agenda(clock));
  let seq = 0;
  /** Commits so many events at once. */
  const commit = (count = 1): EventRecord[] => {
    const events = Array.from({ length: count }, () => {
      seq += 1;
      return fakeEvent(seq);
    });
    feed.publish(events);
    return events;
  };
  /** What one follower is told, batch by batch. */
  const follower = () => {
    const told: (readonly EventRecord[])[] = [];
    return {
      told,
      seqs: () => told.map((events) => events.map((event) => event.seq)),
      end: feed.follow((events) => told.push(events)),
    };
  };
  return { clock, feed, commit, follower };
}

const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe('a listener', () => {
  it('is told within the commit, and each event once', () => {
    const { feed, commit } = aFeed();
    const told: number[] = [];
    const end = feed.subscribe(({ seq }) => told.push(seq));
    feed.subscribe(() => {
      throw new Error('its own problem');
    });
    commit(2);
    expect(told).toEqual([1, 2]);
    end();
    commit();
    expect(told).toEqual([1, 2]);
  });
});

describe('a follower', () => {
  it('is told together of what is committed within an instant, and not before', () => {
    const { clock, commit, follower } = aFeed();
    const { seqs } = follower();
    commit(2);
    clock.advance(15);
    commit();
    clock.advance(19);
    expect(seqs()).toEqual([]);
    clock.advance(1);
    expect(seqs()).toEqual([[1, 2, 3]]);
    commit();
    clock.advance(20);
    expect(seqs()).toEqual([[1, 2, 3], [4]]);
  });

  it('is told a tenth of a second after the first event however much follows', () => {
    const { clock, commit, follower } = aFeed();
    const { seqs } = follower();
    for (let n = 0; n < 10; n += 1) {
      commit();
      clock.advance(10);
    }
    expect(seqs()).toEqual([upTo(10)]);
  });

  it('is given the same array as others', () => {
    const { clock, commit, follower } = aFeed();
    const [one, other] = [follower(), follower()];
    commit(3);
    clock.advance(20);
    expect(one.told[0]).toHaveLength(3);
    expect(one.told[0]).toBe(other.told[0]);
  });

  it('is told of a burst in order and whole, a portion in a turn', () => {
    const { clock, commit, follower } = aFeed();
    const { told, seqs } = follower();
    commit(500);
    commit(500);
    clock.advance(20);
    expect(seqs().flat()).toEqual(upTo(1000));
    expect(Math.max(...told.map(({ length }) => length))).toBe(64);
  });

  it('is told in order of what is committed between two portions', () => {
    const { clock, feed, commit, follower } = aFeed();
    let more = 3;
    feed.follow(() => {
      if (more > 0) commit(10);
      more -= 1;
    });
    const { seqs } = follower();
    commit(100);
    clock.advance(200);
    expect(seqs().flat()).toEqual(upTo(130));
  });

  it('knows nothing of what was committed before it came, told or not', () => {
    const { clock, commit, follower } = aFeed();
    follower();
    commit(2);
    const late = follower();
    commit();
    clock.advance(20);
    const later = follower();
    expect(late.seqs()).toEqual([[3]]);
    commit();
    clock.advance(20);
    expect(late.seqs()).toEqual([[3], [4]]);
    expect(later.seqs()).toEqual([[4]]);
  });

  it('hears nothing more once it has ended, and does not harm others', () => {
    const { clock, feed, commit, follower } = aFeed();
    feed.follow(() => {
      throw new Error('its own problem');
    });
    const gone = follower();
    const { seqs } = follower();
    commit();
    gone.end();
    clock.advance(20);
    expect(gone.seqs()).toEqual([]);
    expect(seqs()).toEqual([[1]]);
  });

  it('costs nothing where there is none', () => {
    const { clock, commit } = aFeed();
    commit(10);
    expect(clock.pending).toBe(0);
  });
});

describe('the end', () => {
  it('tells what was committed, and resolves a turn later', async () => {
    const { clock, feed, commit, follower } = aFeed();
    const { seqs } = follower();
    commit(100);
    let ended = false;
    const end = feed.close().then(() => {
      ended = true;
    });
    commit();
    await Promise.resolve();
    expect(ended).toBe(false);
    clock.advance(0);
    expect(seqs().flat()).toEqual(upTo(101));
    await end;
  });

  it('comes at once where nothing is left to tell', async () => {
    const { clock, feed } = aFeed();
    const end = feed.close();
    clock.advance(0);
    await end;
  });
});
