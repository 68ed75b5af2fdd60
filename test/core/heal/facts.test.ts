import { describe, expect, it } from 'vitest';
import { type ActionFacts, changedFacts, describeFacts, healState } from '../../../core/heal/facts.ts';
import { PHASES } from '../../../core/job/job.ts';
import { reason } from '../../../core/job/reason.ts';
import { aJob, anIdentity } from '../job/builders.ts';
import { aProcess, held, naming, STAMP, socket, tcp } from '../reclaim/builders.ts';
import { actionFacts, inTheWay, serviceFacts } from './builders.ts';

const told = (changes: Partial<ActionFacts> = {}) => describeFacts(serviceFacts([actionFacts(changes)]));
const names = (before: Partial<ActionFacts>, after: Partial<ActionFacts>): string[] =>
  changedFacts(told(before), told(after)).map(({ name }) => name);

const HOLDER = aProcess(4711, 'foreign');
const heldBy = (process = HOLDER) => ({ reclaim: inTheWay({ claims: [held(tcp(80), process)] }) });

describe('facts that count', () => {
  it.each<[string, Partial<ActionFacts>, Partial<ActionFacts>, string[]]>([
    ['another job', {}, { job_id: 'j2' }, ['main.job']],
    ['another state', {}, { state: 'failed' }, ['main.state']],
    ['another reason', {}, { reason: reason('SIGNALED', 'killed') }, ['main.reason']],
    ['a holder that has left', heldBy(), { reclaim: inTheWay() }, ['main.in the way at tcp:80']],
    ['another holder', heldBy(), heldBy(aProcess(4712, 'foreign')), ['main.in the way at tcp:80']],
    [
      'the same pid again, another process',
      heldBy(),
      heldBy({ ...HOLDER, identity: { ...HOLDER.identity, start_time: 1 } }),
      ['main.in the way at tcp:80'],
    ],
    ['whose it is', heldBy(), heldBy({ ...HOLDER, class: 'managed' }), ['main.in the way at tcp:80']],
    [
      'a permission',
      heldBy(),
      { reclaim: inTheWay({ claims: [held(tcp(80), HOLDER)] }, { singleton: true }) },
      ['main.permission'],
    ],
    [
      'a PID file that names a process',
      { reclaim: inTheWay({ pid_file: naming(null) }) },
      { reclaim: inTheWay({ pid_file: naming(HOLDER) }) },
      ['main.pid_file'],
    ],
    [
      'a dead socket that is another one now',
      {
        reclaim: inTheWay({
          claims: [{ own: true, state: 'stale', claim: socket('/a'), stamp: STAMP }],
        }),
      },
      {
        reclaim: inTheWay({
          claims: [{ own: true, state: 'stale', claim: socket('/a'), stamp: { ...STAMP, ino: 9n } }],
        }),
      },
      ['main.in the way at socket:/a'],
    ],
    [
      'a leftover that has gone',
      { reclaim: inTheWay({ left_behind: [aProcess(12, 'own_earlier')] }) },
      { reclaim: inTheWay() },
      ['main.left behind pid 12'],
    ],
    ['a program that is there now', { obstacle: reason('COMMAND_NOT_FOUND', 'none') }, {}, ['main.program']],
    [
      'another process of its own',
      { state: 'running' },
      { state: 'running', identity: { boot_id: 'b', pid: 100, start_time: 8 } },
      ['main.process'],
    ],
    ['health', { state: 'running' }, { state: 'running', health: 'unhealthy' }, ['main.health']],
    [
      'a claim that is lost',
      { state: 'running', claims: [{ claim: tcp(80), verdict: 'own', lost: false }] },
      { state: 'running', claims: [{ claim: tcp(80), verdict: 'free', lost: true }] },
      ['main.tcp:80'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(names(before, after)).toEqual(expected);
    expect(names(before, before)).toEqual([]);
  });

  it('what is wanted', () => {
    const facts = [actionFacts()];
    const changes = changedFacts(
      describeFacts(serviceFacts(facts)),
      describeFacts(serviceFacts(facts, 'down')),
    );
    expect(changes).toEqual([{ name: 'wanted', before: 'up', after: 'down' }]);
  });
});

describe('what changes by itself is no fact', () => {
  it.each<[string, Partial<ActionFacts>, Partial<ActionFacts>]>([
    ['how a try has failed', {}, { reason: reason('EXITED', 'exited with code 4', { exit_code: 4 }) }],
    ['how often', { failing: true }, { failing: false }],
    [
      'the pid in the file of an incarnation that is gone',
      { reclaim: inTheWay({ pid_file: naming(null, { pid: 5 }) }) },
      { reclaim: inTheWay({ pid_file: naming(null, { pid: 6 }) }) },
    ],
  ])('%s', (_, before, after) => {
    expect(names(before, after)).toEqual([]);
  });

  it('a look at a holder: preparing and retrying are one state, a spawn is none of it', () => {
    const states = PHASES.map((phase) => {
      const identity = anIdentity();
      const common = { deadline: 1, identity, main_alive: true, escalation: 'term', stable: false } as const;
      const more = { cause: 'requested', was_stable: false, next_attempt_at: 1, in_order: false } as const;
      return healState(aJob({ phase, step: 'reclaim', incarnation: 0, ...common, ...more } as never));
    });
    expect(states).toEqual([
      'pending',
      'waiting',
      'starting',
      'running',
      'stopping',
      'waiting',
      'stopped',
      'succeeded',
      'failed',
    ]);
    expect(healState(aJob({ phase: 'preparing', step: 'spawn', incarnation: 1 }))).toBe('starting');
  });
});
