/** The machine as a specification: monotonic time decides, wall time is for people. */
import { describe, expect, test } from 'vitest';
import type { JobEvent } from '../../../core/job/event.ts';
import { type Job, type JobIn, PHASES } from '../../../core/job/job.ts';
import { transition } from '../../../core/job/machine.ts';
import type { Step } from '../../../core/job/step.ts';
import { aContext } from './builders.ts';
import {
  down,
  due,
  exit,
  FAILED,
  gone,
  HELD,
  IDENTITY,
  inPhase,
  LOST,
  MISSING,
  NOW,
  recovered,
  restart,
  tell,
  up,
  WALL,
} from './samples.ts';

describe('the wall clock jumps (case 12)', () => {
  const HOUR = 3_600_000;
  /** What is told to people, and decides nothing. */
  const TOLD = ['started_at', 'ready_at', 'finished_at', 'next_attempt_at'];

  function decision({ job, effects, notes, verdict }: Step): object {
    const decided = Object.entries(job).filter(([field]) => !TOLD.includes(field));
    return { job: Object.fromEntries(decided), effects, notes, verdict };
  }

  function everyEvent(job: Job): JobEvent[] {
    return [
      up,
      down,
      restart,
      { type: 'halt' },
      { type: 'cleared' },
      { type: 'prepared', epoch: job.epoch },
      { type: 'blocked', epoch: job.epoch, reason: HELD },
      { type: 'spawned', epoch: job.epoch, identity: IDENTITY },
      { type: 'spawn_failed', epoch: job.epoch, reason: MISSING },
      { type: 'ready', epoch: job.epoch },
      { type: 'faulted', epoch: job.epoch, reason: LOST, give_up: false },
      { type: 'suspected', epoch: job.epoch, suspect: true },
      { type: 'suspected', epoch: job.epoch, suspect: false },
      due(job),
      exit(job, FAILED),
      gone(job),
    ];
  }

  test('no decision differs, in any phase, on any event, before or after the deadline', () => {
    for (const phase of PHASES) {
      const job = inPhase(phase);
      for (const event of everyEvent(job)) {
        for (const now of [NOW, NOW + HOUR / 2]) {
          const [usual, back, ahead] = [0, -HOUR, HOUR].map((jump) =>
            decision(transition(job, event, aContext({ now, wall: WALL + jump }))),
          );
          expect(back).toEqual(usual);
          expect(ahead).toEqual(usual);
        }
      }
    }
  });

  test('only what upkeep comes back to is reckoned by it: no wait is longer than the whole, none is lost in an odd state', () => {
    const found = recovered({ found: { identity: IDENTITY, incarnation: 0 } });
    const failing = { attempt: 2, started_at: WALL - 1_000, ready_at: WALL - 1_000 };
    const whole = { retrying: 220, starting: 30_000, running: 10_000 };
    for (const phase of ['retrying', 'starting', 'running'] as const) {
      const job = inPhase(phase, {}, failing);
      for (const jump of [-HOUR, 0, HOUR]) {
        const event = phase === 'retrying' ? recovered() : found;
        const next = transition(job, event, aContext({ wall: WALL + jump })).job;
        if ('deadline' in next && next.deadline !== null) {
          expect(next.deadline).toBeGreaterThan(NOW);
          expect(next.deadline).toBeLessThanOrEqual(NOW + whole[phase]);
        } else expect(next).toMatchObject(phase === 'running' ? { stable: true } : { phase: 'pending' });
      }
    }
  });

  test('a backoff that has begun ends when it would have, not an hour later or at once', () => {
    for (const jump of [-HOUR, HOUR]) {
      const job = inPhase('running');
      const waiting = tell(job, exit(job, FAILED)).job as JobIn<'retrying'>;
      const early = transition(
        waiting,
        due(waiting),
        aContext({ now: waiting.deadline - 1, wall: WALL + jump }),
      );
      expect(early.verdict).toBe('stale');
      const onTime = transition(
        waiting,
        due(waiting),
        aContext({ now: waiting.deadline, wall: WALL + jump }),
      );
      expect(onTime.job.phase).toBe('preparing');
    }
  });
});
