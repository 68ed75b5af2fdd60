import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { ageRotator } from '../../plugins/rotate_age.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONE = process.env['TZ'];
afterEach(() => {
  if (ZONE === undefined) delete process.env['TZ'];
  else process.env['TZ'] = ZONE;
});

/** The decision on a log, by local times; `size` is 100. */
function decide(written: object, begun: string | number, now: string | number, size = 100) {
  const ms = (time: string | number) => (typeof time === 'number' ? time : new Date(time).getTime());
  const facts = { occasion: 'look', size, begun_at: ms(begun), now: ms(now) } as const;
  return ageRotator.decide(facts, v.parse(ageRotator.options, written));
}

const all = { action: 'rotate', bytes: 100 };
const until = (time: string) => ({ action: 'keep', next_at: new Date(time).getTime() });

describe('rotation by interval', () => {
  it('waits until the first byte is that old, says until when, and takes everything', () => {
    expect(decide({ interval: '1h' }, 0, HOUR - 1)).toEqual({ action: 'keep', next_at: HOUR });
    expect(decide({ interval: '1h' }, 0, HOUR)).toEqual(all);
    expect(decide({ interval: '1h' }, 0, 1000 * HOUR)).toEqual(all);
  });

  it('is a day where nothing else is said', () => {
    expect(decide({}, 0, DAY - 1)).toEqual({ action: 'keep', next_at: DAY });
    expect(decide({}, 0, DAY)).toEqual(all);
  });

  it('leaves an empty log alone, however old it is', () => {
    expect(decide({ interval: '1h' }, 0, 1000 * HOUR, 0)).toEqual({ action: 'keep' });
  });

  it('is late by one interval at most where the clock was set back', () => {
    const begun = 100 * HOUR;
    expect(decide({ interval: '1h' }, begun, begun - 1000)).toEqual({
      action: 'keep',
      next_at: begun + HOUR,
    });
    expect(decide({ interval: '1h' }, begun, begun - HOUR)).toEqual({
      action: 'keep',
      next_at: begun + HOUR,
    });
    expect(decide({ interval: '1h' }, begun, begun - HOUR - 1)).toEqual(all);
    expect(decide({ interval: '1h' }, begun, 0)).toEqual(all);
  });
});

describe('rotation at a time of the day', () => {
  it('rotates what is from before it, and says when that is', () => {
    const at = { at: '03:00' };
    expect(decide(at, '2026-05-01T10:00', '2026-05-01T23:00')).toEqual(until('2026-05-02T03:00'));
    expect(decide(at, '2026-05-01T10:00', '2026-05-02T02:59:59.999')).toEqual(until('2026-05-02T03:00'));
    expect(decide(at, '2026-05-01T10:00', '2026-05-02T03:00')).toEqual(all);
    // What was begun at that very time is after it.
    expect(decide(at, '2026-05-02T03:00', '2026-05-02T03:00')).toEqual(until('2026-05-03T03:00'));
  });

  it('makes up once for times at which nobody looked', () => {
    expect(decide({ at: '03:00' }, '2026-05-01T10:00', '2026-05-09T12:00')).toEqual(all);
    expect(decide({ at: '03:00' }, '2026-05-09T12:00', '2026-05-09T12:00:01')).toEqual(
      until('2026-05-10T03:00'),
    );
  });

  it('may be several, the next one counts', () => {
    const at = { at: ['18:30', '03:00'] };
    expect(decide(at, '2026-05-01T10:00', '2026-05-01T12:00')).toEqual(until('2026-05-01T18:30'));
    expect(decide(at, '2026-05-01T18:31', '2026-05-01T18:32')).toEqual(until('2026-05-02T03:00'));
    expect(decide(at, '2026-12-31T19:00', '2026-12-31T20:00')).toEqual(until('2027-01-01T03:00'));
  });

  it('counts beside an interval, whichever comes first', () => {
    const both = { at: '03:00', interval: '6h' };
    expect(decide(both, '2026-05-01T10:00', '2026-05-01T11:00')).toEqual(until('2026-05-01T16:00'));
    expect(decide(both, '2026-05-01T23:00', '2026-05-01T23:30')).toEqual(until('2026-05-02T03:00'));
  });

  it('does not come twice where the clock was set back past it', () => {
    expect(decide({ at: '03:00' }, '2026-05-02T03:00:01', '2026-05-02T02:00')).toEqual(
      until('2026-05-03T03:00'),
    );
    expect(decide({ at: '03:00' }, '2026-05-02T03:00:01', '2026-05-02T03:00')).toEqual(
      until('2026-05-03T03:00'),
    );
  });

  it('does not wait for years where the clock was far ahead', () => {
    expect(decide({ at: '03:00' }, '2099-01-01T00:00', '2026-05-02T12:00')).toEqual(all);
  });

  it.each([
    ['the day on which the clocks go forward', '2026-03-29T00:30', '2026-03-29T03:30'],
    ['the day on which they go back', '2026-10-25T00:30', '2026-10-25T00:30:00.000Z'],
  ])('comes once on %s', (_, begun, expected) => {
    process.env['TZ'] = 'Europe/Berlin';
    const first = decide({ at: '02:30' }, begun, begun);
    expect(first).toEqual(until(expected));
    // What begins right after it waits for the next day.
    const [after] = [new Date(expected).getTime() + 1];
    const { next_at = 0 } = decide({ at: '02:30' }, after, after) as { next_at?: number };
    expect(new Date(next_at).getDate()).toBe(new Date(expected).getDate() + 1);
    expect([new Date(next_at).getHours(), new Date(next_at).getMinutes()]).toEqual([2, 30]);
  });

  it('goes by the time zone of the machine', () => {
    process.env['TZ'] = 'Asia/Kathmandu';
    expect(decide({ at: '03:00' }, '2026-05-01T00:00Z', '2026-05-01T00:00Z')).toEqual(
      until('2026-05-01T21:15Z'),
    );
  });
});

describe('the options of the rotator age', () => {
  it('take a time or a list of times', () => {
    expect(v.parse(ageRotator.options, { at: '03:00' })).toEqual({ at: ['03:00'] });
    expect(v.parse(ageRotator.options, { at: ['03:00', '15:00'], interval: '1h30m' })).toEqual({
      at: ['03:00', '15:00'],
      interval: 5_400_000,
    });
  });

  it.each([
    { at: '3:00' },
    { at: '24:00' },
    { at: '03:60' },
    { at: 180 },
    { at: ['03:00', 'noon'] },
    { interval: 0 },
    { interval: '1h', max: '1MiB' },
  ])('refuse %j', (written) => {
    expect(v.safeParse(ageRotator.options, written).success).toBe(false);
  });
});
