import { describe, expect, test } from 'vitest';
import { atRest, type Job, PHASES, type PhaseState } from '../../../core/job/job.ts';
import { serviceState } from '../../../core/job/service_state.ts';
import { aJob, anIdentity } from './builders.ts';

const identity = anIdentity();

/** Every phase, with what a phase may hold told apart where it matters. */
const STATES = {
  pending: { phase: 'pending' },
  preparing: { phase: 'preparing', step: 'reclaim', deadline: 1 },
  spawning: { phase: 'preparing', step: 'spawn', incarnation: 0 },
  starting: { phase: 'starting', identity, deadline: 1 },
  running: { phase: 'running', identity, stable: false, deadline: 1 },
  stable: { phase: 'running', identity, stable: true, deadline: null },
  ill: { phase: 'running', identity, stable: false, deadline: null },
  oneshot: { phase: 'running', identity, stable: false, deadline: null },
  stopping: {
    phase: 'stopping',
    identity,
    main_alive: true,
    cause: 'requested',
    was_stable: false,
    escalation: 'term',
    deadline: 1,
  },
  retrying: { phase: 'retrying', deadline: 1, next_attempt_at: 1, in_order: false },
  stopped: { phase: 'stopped' },
  succeeded: { phase: 'succeeded' },
  failed: { phase: 'failed' },
} as const satisfies Record<string, PhaseState>;

type Name = keyof typeof STATES;
const NAMES = Object.keys(STATES) as Name[];

function state(wanted: 'up' | 'down', ...names: Name[]): string {
  return serviceState(
    wanted,
    names.map((name) => ({
      job: aJob(STATES[name]),
      process: name !== 'oneshot' && name !== 'succeeded',
      unhealthy: name === 'ill',
    })),
  );
}

describe('what a service is at', () => {
  test.each<[string, 'up' | 'down', Name[]]>([
    ['up', 'up', ['running']],
    ['up', 'up', ['stable', 'succeeded']],
    ['up', 'up', ['succeeded']],
    ['starting', 'up', []],
    ['starting', 'up', ['pending', 'stable']],
    ['starting', 'up', ['oneshot', 'pending']],
    ['starting', 'up', ['stable', 'oneshot']],
    ['starting', 'up', ['starting', 'succeeded']],
    ['failed', 'up', ['failed', 'stable']],
    ['failed', 'up', ['failed', 'retrying']],
    ['degraded', 'up', ['stable', 'retrying']],
    ['degraded', 'up', ['running', 'stopping']],
    ['degraded', 'up', ['ill', 'stable']],
    ['degraded', 'up', ['ill', 'pending']],
    ['failed', 'up', ['ill', 'failed']],
    ['stopping', 'down', ['ill']],
    ['retrying', 'up', ['retrying', 'succeeded']],
    ['retrying', 'up', ['retrying', 'starting']],
    ['retrying', 'up', ['retrying', 'oneshot']],
    ['stopping', 'up', ['stopping', 'pending']],
    ['down', 'up', ['stopped', 'succeeded']],
    ['stopping', 'down', ['stable', 'stopped']],
    ['stopping', 'down', ['starting']],
    ['down', 'down', []],
    ['down', 'down', ['stopped', 'succeeded']],
    ['down', 'down', ['failed']],
  ])('is %s, wanted %s, with %j', (expected, wanted, names) => {
    expect(state(wanted, ...names)).toBe(expected);
  });
});

describe('of any two jobs', () => {
  const pairs = NAMES.flatMap((one) => NAMES.map((other) => [one, other] as const));
  const names = (job: Name): Job => aJob(STATES[job]);

  test('the table covers every phase', () => {
    expect(new Set(NAMES.map((name) => STATES[name].phase))).toEqual(new Set(PHASES));
  });

  test('their order does not matter', () => {
    for (const [one, other] of pairs) {
      for (const wanted of ['up', 'down'] as const) {
        expect(state(wanted, one, other)).toBe(state(wanted, other, one));
      }
    }
  });

  test('up: only where it is wanted, every process runs and every oneshot has succeeded', () => {
    const there: Name[] = ['running', 'stable', 'succeeded'];
    for (const pair of pairs) {
      expect(state('up', ...pair) === 'up').toBe(pair.every((name) => there.includes(name)));
      expect(state('down', ...pair)).not.toBe('up');
    }
  });

  test('down: only where nothing lives and nothing is on its way', () => {
    for (const pair of pairs) {
      const resting = pair.map(names).every(atRest);
      expect(state('down', ...pair) === 'down').toBe(resting);
      if (state('up', ...pair) === 'down') expect(resting).toBe(true);
    }
  });

  test('failed: exactly where it is wanted and some job is not tried any more', () => {
    for (const pair of pairs) {
      expect(state('up', ...pair) === 'failed').toBe(pair.includes('failed'));
      expect(state('down', ...pair)).not.toBe('failed');
    }
  });

  test('degraded: only where one is ill, or one serves and the other does not', () => {
    for (const pair of pairs) {
      if (state('up', ...pair) !== 'degraded' || pair.includes('ill')) continue;
      const serving = pair.filter((name) => name === 'running' || name === 'stable');
      expect(serving).toHaveLength(1);
    }
  });

  test('wanted down: stopping until it is down, and nothing else', () => {
    for (const pair of pairs) expect(['stopping', 'down']).toContain(state('down', ...pair));
  });
});
