import { describe, expect, it } from 'vitest';
import type { HealthResult } from '../../core/plugin/definition.ts';
import { logCheck } from '../../plugins/health_log.ts';
import { isTaken, lookOnce, type Written } from './health_support.ts';

describe('health check log', () => {
  /** Looks at a job of some age, in ms, that has printed these lines. */
  function look(written: Written, lines: readonly string[], age = 3_600_000): Promise<HealthResult> {
    return lookOnce(logCheck, written, {
      job: { started_at: Date.now() - age },
      readLog: async () => lines,
    });
  }

  it.each<[Written, boolean]>([
    [{ must: 'ready' }, true],
    [{ must_not: '/error/i', within: '5m' }, true],
    [{ must: 'a', must_not: 'b' }, true],
    [{ must: '' }, false],
    [{ must_not: '/(/' }, false],
    [{ must: 'a', within: 5 }, false],
    [{ must: 'a', within: 0 }, false],
  ])('takes %j: %s', (written, taken) => {
    expect(isTaken(logCheck, written)).toBe(taken);
  });

  it('asks for as many ms as it is told, a minute by default', async () => {
    for (const [within, ms] of [
      [undefined, 60_000],
      ['2h', 7_200_000],
    ] as const) {
      const asked: number[] = [];
      const written = within === undefined ? { must: 'a' } : { must: 'a', within };
      const before = Date.now();
      await lookOnce(logCheck, written, {
        readLog: async (since) => {
          asked.push(since);
          return ['a'];
        },
      });
      expect(asked).toHaveLength(1);
      expect(asked[0]).toBeGreaterThanOrEqual(before - ms);
      expect(asked[0]).toBeLessThanOrEqual(Date.now() - ms);
    }
  });

  it('passes with the line that must be there', async () => {
    expect(await look({ must: 'ready' }, ['starting', 'server ready\x1b[0m'])).toEqual({
      status: 'pass',
      message: 'printed "ready" within 1m: server ready [0m',
      data: { lines: 2, line: 'server ready [0m' },
    });
  });

  it('fails without it, once it has had the time', async () => {
    expect(await look({ must: '/^ready/' }, ['not ready'])).toEqual({
      status: 'fail',
      message: 'did not print /^ready/ within 1m',
      data: { lines: 1 },
    });
    expect(await look({ must: 'ready' }, [])).toMatchObject({ status: 'fail' });
  });

  it('cannot tell before that', async () => {
    await expect(look({ must: 'ready' }, [], 59_000)).rejects.toThrow(
      'Cannot tell yet as it must have been up for 1m: there was no "ready" so far',
    );
    expect(await look({ must: 'ready' }, ['ready'], 0)).toMatchObject({ status: 'pass' });
  });

  it('cannot tell where lines are out of sight', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `line ${index}`);
    await expect(look({ must: 'ready' }, many)).rejects.toThrow('there must be fewer than 1000 lines');
    expect(await look({ must: 'line 999' }, many)).toMatchObject({ status: 'pass' });
    expect(await look({ must: 'ready' }, many.slice(1))).toMatchObject({ status: 'fail' });
  });

  it('fails with a line that must not be there, however young', async () => {
    expect(await look({ must_not: '/error/i' }, ['fine', 'Error: disk full', 'error'], 0)).toEqual({
      status: 'fail',
      message: 'printed /error/i within 1m: Error: disk full',
      data: { lines: 3, line: 'Error: disk full' },
    });
  });

  it('passes without it, however young', async () => {
    expect(await look({ must_not: 'error' }, ['fine'], 0)).toEqual({
      status: 'pass',
      message: 'did not print "error" within 1m',
      data: { lines: 1 },
    });
  });

  it('holds both, and what must not be there weighs more', async () => {
    const both = { must: 'ready', must_not: 'error' };
    expect(await look(both, ['ready'])).toMatchObject({ status: 'pass' });
    expect(await look(both, ['ready', 'error'])).toMatchObject({ status: 'fail' });
    expect(await look(both, [])).toMatchObject({ status: 'fail' });
  });

  it('cannot look for nothing', async () => {
    await expect(look({}, [])).rejects.toThrow('must or must_not must be given');
  });

  it('cannot look where the log cannot be read, or a regex takes for ever', async () => {
    const readLog = (): Promise<never> => Promise.reject(new Error('EMFILE'));
    await expect(lookOnce(logCheck, { must: 'a' }, { readLog })).rejects.toThrow('EMFILE');
    await expect(look({ must_not: '/(a+)+$/' }, [`${'a'.repeat(60)}!`])).rejects.toThrow('Cannot look for');
  });
});
