import { describe, expect, it } from 'vitest';
import type { Job, Phase } from '../../../core/job/job.ts';
import type { ServiceSpec } from '../../../core/spec/mod.ts';
import { gates } from '../../../core/supervisor/gates.ts';

// The order reads nothing of an action but these two.
const spec = {
  name: 'shop',
  actions: {
    migrate: { process: false, after: [] },
    web: { process: true, after: ['migrate'] },
    proxy: { process: true, after: ['web'] },
  },
} as unknown as ServiceSpec;

function jobs(phases: Record<string, Phase>, wanted: 'up' | 'down' = 'up'): Job[] {
  return Object.entries(phases).map(
    ([action, phase]) => ({ id: action, action, phase, wanted }) as unknown as Job,
  );
}

function verdicts(list: Job[], halting = false): Record<string, string> {
  return Object.fromEntries(
    gates(spec, list, halting).map((gate) => [
      gate.job.action,
      gate.verdict === 'cleared' ? 'cleared' : gate.reason.code,
    ]),
  );
}

describe('gates: starting', () => {
  it('clears only what depends on nothing', () => {
    expect(verdicts(jobs({ migrate: 'pending', web: 'pending', proxy: 'pending' }))).toEqual({
      migrate: 'cleared',
      web: 'DEPENDENCY_WAIT',
      proxy: 'DEPENDENCY_WAIT',
    });
  });

  it.each(['preparing', 'starting', 'running', 'stopping', 'retrying', 'stopped'] as const)(
    'a oneshot that is %s has not done yet what others wait for',
    (phase) => expect(verdicts(jobs({ migrate: phase, web: 'pending' })).web).toBe('DEPENDENCY_WAIT'),
  );

  it('clears after success, and names a failure', () => {
    expect(verdicts(jobs({ migrate: 'succeeded', web: 'pending' })).web).toBe('cleared');
    expect(verdicts(jobs({ migrate: 'failed', web: 'pending' })).web).toBe('DEPENDENCY_FAILED');
  });

  it('clears what comes after a process once that is running, not before', () => {
    expect(verdicts(jobs({ web: 'starting', proxy: 'pending' })).proxy).toBe('DEPENDENCY_WAIT');
    expect(verdicts(jobs({ web: 'running', proxy: 'pending' })).proxy).toBe('cleared');
  });

  it('starts nothing that is not in the file any more', () => {
    expect(verdicts(jobs({ ghost: 'pending' }))).toEqual({});
  });
});

describe('gates: stopping', () => {
  it('goes the other way round', () => {
    expect(verdicts(jobs({ web: 'running', proxy: 'running' }, 'down'))).toEqual({ proxy: 'cleared' });
    expect(verdicts(jobs({ web: 'running', proxy: 'stopping' }, 'down'))).toEqual({});
    expect(verdicts(jobs({ web: 'starting', proxy: 'stopped' }, 'down'))).toEqual({ web: 'cleared' });
  });

  it('is the same for a shutdown, whatever is wanted', () => {
    expect(verdicts(jobs({ web: 'running', proxy: 'running' }), true)).toEqual({ proxy: 'cleared' });
    expect(verdicts(jobs({ web: 'pending' }), true)).toEqual({});
  });
});
