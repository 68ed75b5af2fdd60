import { describe, expect, it } from 'vitest';
import { Lane } from '../../../core/host/lane.ts';

describe('a lane', () => {
  it('has so many at work at once, in the order in which they came', async () => {
    const lane = new Lane(2);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((i) =>
      lane.run(() => {
        started.push(i);
        return new Promise<number>((resolve) => {
          finish[i] = () => resolve(i);
        });
      }),
    );
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    finish[1]?.();
    expect(await all[1]).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(started).toEqual([0, 1, 2]);
    for (const i of [0, 2]) finish[i]?.();
    await Promise.all([all[0], all[2]]);
    await new Promise((resolve) => setImmediate(resolve));
    finish[3]?.();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('goes on after a failure', async () => {
    const lane = new Lane(1);
    const failed = lane.run(() => Promise.reject(new Error('no')));
    const next = lane.run(() => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
