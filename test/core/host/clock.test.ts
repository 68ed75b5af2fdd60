import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/host/clock.ts';

describe('systemClock', () => {
  const clock = systemClock();

  it('calls back at the next turn of the event loop where there is nothing to wait for', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      clock.timer(0, () => {
        order.push('timer');
        resolve();
      });
      order.push('now');
    });
    expect(order).toEqual(['now', 'timer']);
  });

  it('does not call back before the delay is over', async () => {
    const begun = clock.mono();
    await new Promise<void>((resolve) => clock.timer(20, resolve));
    // The event loop's own time is in whole milliseconds.
    expect(clock.mono() - begun).toBeGreaterThan(18);
  });

  it.each([0, 5])('can be told to forget a delay of %i ms', async (delay) => {
    let called = false;
    clock.timer(delay, () => {
      called = true;
    })();
    await new Promise<void>((resolve) => clock.timer(delay + 10, resolve));
    expect(called).toBe(false);
  });

  it('does not fire at once for a delay that is too long for a timer', async () => {
    let called = false;
    const cancel = clock.timer(2 ** 40, () => {
      called = true;
    });
    await new Promise<void>((resolve) => clock.timer(10, resolve));
    cancel();
    expect(called).toBe(false);
  });
});
