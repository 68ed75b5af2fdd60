/** Why a job runs: what made it start again, whatever it had to wait for in between. */
import { describe, expect, test } from 'vitest';
import type { JobEvent } from '../../../core/job/event.ts';
import type { Job } from '../../../core/job/job.ts';
import { reason } from '../../../core/job/reason.ts';
import { exitReason } from '../../../core/process/exit.ts';
import { anIdentity } from './builders.ts';
import {
  ASKED,
  due,
  exit,
  gone,
  HELD,
  inPhase,
  KILLED,
  MISSING,
  recovered,
  restart,
  tell,
} from './samples.ts';

const told = (job: Job, ...events: ((job: Job) => JobEvent)[]): Job =>
  events.reduce((now, event) => tell(now, event(now)).job, job);

const crashed = (job: Job): JobEvent => exit(job, KILLED);
const blocked = (job: Job): JobEvent => ({ type: 'blocked', epoch: job.epoch, reason: HELD });
const prepared = (job: Job): JobEvent => ({ type: 'prepared', epoch: job.epoch });
const missing = (job: Job): JobEvent => ({ type: 'spawn_failed', epoch: job.epoch, reason: MISSING });
const spawned = (job: Job): JobEvent => ({ type: 'spawned', epoch: job.epoch, identity: anIdentity() });
const cleared = (): JobEvent => ({ type: 'cleared' });
const waiting = (): JobEvent => ({ type: 'waiting', reason: reason('DEPENDENCY_WAIT', "waits for 'db'") });

const running = inPhase('running', {}, { started_at: 1_000 });
const SIGNALED = exitReason(KILLED);

describe('a crash, and then a wait', () => {
  test('says what it waits for, and what it is to be started for', () => {
    const waits = told(running, crashed, due, blocked);
    expect(waits.reason).toEqual({ ...HELD, evidence: { start_cause: SIGNALED } });
    // The next look finds the same.
    expect(told(waits, due, blocked).reason).toEqual(waits.reason);
  });

  test.each<[string, ((job: Job) => JobEvent)[], object]>([
    ['for a holder', [blocked, due], HELD],
    ['for a holder, looked at again and again', [blocked, due, blocked, due, blocked, due], HELD],
    ['for a program that was not there', [prepared, missing, due], MISSING],
    ['for a program, then for a holder', [prepared, missing, due, blocked, due], HELD],
    ['for a look that took too long', [due, due], { code: 'PROBE_UNAVAILABLE' }],
    [
      'for a holder, then for what it depends on once upkeep was back',
      [blocked, () => recovered(), waiting, cleared],
      { code: 'DEPENDENCY_WAIT' },
    ],
  ])('%s: the crash is why it runs', (_name, waits, last) => {
    const runs = told(running, crashed, due, ...waits, prepared, spawned);
    const { evidence, ...why } = runs.reason;
    expect({ ...why, evidence: { exit_signal: evidence['exit_signal'] } }).toEqual(SIGNALED);
    expect(evidence['waited_for']).toMatchObject(last);
  });

  test('a wait that is over says no more of the cause than once', () => {
    const runs = told(running, crashed, due, blocked, due, prepared, spawned);
    expect(runs.reason.evidence).toEqual({ exit_signal: 'SIGKILL', waited_for: HELD });
  });
});

describe('a wait of what somebody asked for', () => {
  test('by a start: that it was asked for goes without saying', () => {
    const first = told(inPhase('pending'), cleared, blocked);
    expect(first.reason).toEqual(HELD);
    expect(told(first, due, prepared, spawned).reason).toEqual(reason('REQUESTED', 'start requested'));
  });

  test('by a restart: that is why it runs', () => {
    const runs = told(running, () => restart, gone, blocked, due, prepared, spawned);
    expect(runs.reason).toEqual({ ...ASKED, evidence: { waited_for: HELD } });
  });
});
