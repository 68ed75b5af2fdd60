import { describe, expect, it } from 'vitest';
import { type ActionFacts, BEFORE_A_START, type HealState } from '../../../core/heal/facts.ts';
import { decideHeal, type HealDecision } from '../../../core/heal/plan.ts';
import { REASON_CODES, reason } from '../../../core/job/reason.ts';
import type { HolderClass } from '../../../core/reclaim/holder_class.ts';
import { planReclaim } from '../../../core/reclaim/mod.ts';
import { aProcess, aTarget, held, naming, STAMP, seen, socket, tcp } from '../reclaim/builders.ts';
import { actionFacts, inTheWay, serviceFacts } from './builders.ts';

const decide = (changes: Partial<ActionFacts> = {}, wanted: 'up' | 'down' = 'up'): HealDecision =>
  decideHeal(serviceFacts([actionFacts(changes)], wanted));

const kinds = ({ steps }: HealDecision): string[] => steps.map(({ kind }) => kind);

const STATES: readonly HealState[] = [
  'pending',
  'waiting',
  'starting',
  'running',
  'stopping',
  'stopped',
  'succeeded',
  'failed',
];
const UNHEALTHY = { state: 'running', health: 'unhealthy', reclaim: inTheWay() } as const;
const FOREIGN = aProcess(4711, 'foreign');

describe('what is done in each state', () => {
  it.each([
    ['pending', []],
    ['waiting', ['start']],
    ['starting', []],
    ['running', []],
    ['stopping', []],
    ['stopped', ['start']],
    ['succeeded', []],
    ['failed', ['start']],
  ] as const)('%s: %j', (state, expected) => {
    const decision = decide({ state });
    expect(kinds(decision)).toEqual(expected);
    expect(decision.risk).toBe(expected.length === 0 ? 'none' : 'low');
    expect(decision.blocked).toEqual([]);
    expect(decision.orders.map(({ kind }) => kind)).toEqual(expected);
  });

  it('knows every state that precedes a start', () => {
    expect(STATES.filter((state) => BEFORE_A_START.has(state))).toEqual(['waiting', 'stopped', 'failed']);
  });

  it.each(STATES)('nothing where the service is wanted down (%s)', (state) => {
    for (const changes of [{ state }, { ...UNHEALTHY, state }]) {
      const decision = decide(changes, 'down');
      expect(decision).toMatchObject({ steps: [], blocked: [], orders: [], risk: 'none' });
      expect(decision.summary).toContain('wanted down');
    }
  });

  it.each(REASON_CODES)('never more than planned for its state, whatever the reason (%s)', (code) => {
    for (const state of STATES) {
      const decision = decide({ state, reason: reason(code, 'because') });
      const survives = code === 'SURVIVORS' && (state === 'stopping' || state === 'stopped');
      const start = BEFORE_A_START.has(state) && !survives;
      expect(kinds(decision), state).toEqual(start ? ['start'] : []);
      expect(decision.blocked.length, state).toBe(survives ? 1 : 0);
      expect(decision.steps.some(({ destructive }) => destructive)).toBe(false);
    }
  });
});

describe('a job that runs', () => {
  it('is stopped and started again where it is unhealthy', () => {
    const decision = decide({ ...UNHEALTHY, reason: reason('UNHEALTHY', 'http: 500') });
    expect(kinds(decision)).toEqual(['stop_job', 'start']);
    expect(decision.risk).toBe('medium');
    expect(decision.steps[0]).toMatchObject({ destructive: true, requires: null });
    expect(decision.steps[0]?.description).toBe('stop main (pid 100), as http: 500');
    expect(decision.orders).toEqual([
      { action: 'main', job_id: 'j1', kind: 'restart', because: 'http: 500' },
    ]);
  });

  it('is so where it has lost a claim, and only then', () => {
    const claim = { claim: tcp(80), verdict: 'free' } as const;
    const lost = { state: 'running', reclaim: inTheWay() } as const;
    expect(kinds(decide({ ...lost, claims: [{ ...claim, lost: true }] }))).toEqual(['stop_job', 'start']);
    expect(kinds(decide({ ...lost, claims: [{ ...claim, lost: false }] }))).toEqual([]);
    expect(decide({ ...lost, claims: [{ ...claim, lost: true }] }).orders[0]?.because).toBe(
      'it does not hold tcp:80',
    );
  });

  it.each(['healthy', 'unknown'] as const)('is left alone where its health is %s', (health) => {
    expect(decide({ state: 'running', health })).toMatchObject({ steps: [], orders: [] });
  });

  it('is left alone where its next start could not follow: ill is better than down', () => {
    const reclaim = inTheWay({ claims: [held(tcp(80), FOREIGN)] });
    const decision = decide({ ...UNHEALTHY, reclaim });
    expect(decision).toMatchObject({ steps: [], orders: [], risk: 'none' });
    expect(decision.blocked).toHaveLength(1);
    const obstacle = reason('COMMAND_NOT_FOUND', 'no such program');
    expect(decide({ ...UNHEALTHY, obstacle })).toMatchObject({ steps: [], orders: [] });
  });

  it('has what is in the way of its next start cleared after its stop', () => {
    const reclaim = inTheWay({ claims: [held(tcp(80), FOREIGN)] }, { kill_other: null, singleton: true });
    const decision = decide({ ...UNHEALTHY, reclaim });
    expect(kinds(decision)).toEqual(['stop_job', 'stop_process', 'start']);
    expect(decision.risk).toBe('high');
  });
});

describe('what is in the way of a start', () => {
  const GRANTS = [
    ['none', {}],
    ['singleton', { singleton: true }],
    ['kill_other', { kill_other: { ports: [tcp(80)], sockets: [], process_filters: [] } }],
  ] as const;
  const CLASSES: readonly HolderClass[] = ['own_earlier', 'managed', 'foreign', 'protected', 'unknown'];
  const cases = CLASSES.flatMap((holderClass) =>
    GRANTS.flatMap(([name, action]) =>
      (['waiting', 'failed'] as const).map((state) => [holderClass, name, action, state] as const),
    ),
  );

  it.each(cases)('a holder of class %s with permission %s', (holderClass, grant, action, state) => {
    const process = aProcess(4711, holderClass);
    const observations = { claims: [held(tcp(80), process)] };
    const decision = decide({ state, reclaim: inTheWay(observations, action) });
    const mayStop = holderClass === 'own_earlier' || (holderClass === 'foreign' && grant !== 'none');
    expect(decision.blocked).toHaveLength(mayStop ? 0 : 1);
    if (mayStop) {
      expect(kinds(decision)).toEqual(['stop_process', 'start']);
      expect(decision.steps[0]).toMatchObject({
        target: { type: 'process', identity: process.identity, command: 'program 4711' },
        destructive: true,
        requires: holderClass === 'own_earlier' ? null : grant,
      });
      expect(decision.risk).toBe(holderClass === 'own_earlier' ? 'low' : 'high');
    } else {
      // What waits looks by itself; what has failed waits for the holder from then on.
      expect(kinds(decision)).toEqual(state === 'failed' ? ['start'] : []);
      const [block] = decision.blocked;
      expect(block?.reason.code).toBe('PORT_HELD');
      expect(block?.grant === null).toBe(holderClass !== 'foreign');
      expect(block?.instead).toHaveLength(1);
    }
  });

  it('is exactly what reclaim would do', () => {
    const target = aTarget({ singleton: true, sockets: ['/run/a.sock'], tcp_ports: [tcp(80)] });
    const observations = seen({
      claims: [
        held(tcp(80), FOREIGN),
        { own: true, state: 'stale', claim: socket('/run/a.sock'), stamp: STAMP },
      ],
      left_behind: [aProcess(12, 'own_earlier')],
      pid_file: naming(null, { pid: 99 }),
    });
    const { steps } = planReclaim(target, observations);
    const decision = decide({ reclaim: { target, seen: observations } });
    const shown = decision.steps.slice(0, -1).map(({ kind, target: to }) => [kind, to]);
    expect(shown).toEqual(
      steps.map((step) =>
        step.type === 'stop'
          ? [
              'stop_process',
              { type: 'process', identity: step.process.identity, command: step.process.command },
            ]
          : [step.type, { type: 'file', path: step.path }],
      ),
    );
    expect(kinds(decision)).toEqual([
      'unlink_socket',
      'remove_pid_file',
      'stop_process',
      'stop_process',
      'start',
    ]);
  });

  it('that cannot be seen, or is no socket, blocks with no permission to grant', () => {
    for (const claim of [
      held(tcp(80), null),
      { own: true, state: 'unclear', claim: tcp(80), sign: 'EACCES' } as const,
      { own: true, state: 'not_a_socket', claim: socket('/run/a.sock'), found: 'a regular file' } as const,
    ]) {
      const decision = decide({ reclaim: inTheWay({ claims: [claim] }) });
      expect(decision).toMatchObject({ steps: [], risk: 'none', blocked: [{ grant: null }] });
      expect(decision.blocked[0]?.instead).toHaveLength(1);
    }
  });

  it('a stranger that the PID file names: only singleton allows it', () => {
    const pid_file = naming(FOREIGN, { runs_action: true });
    const blocked = decide({ reclaim: inTheWay({ pid_file }) });
    expect(blocked).toMatchObject({ steps: [], blocked: [{ reason: { code: 'PIDFILE_HELD' } }] });
    expect(blocked.blocked[0]?.grant).toBe("`singleton: true` in the action 'main'");
    const allowed = decide({ reclaim: inTheWay({ pid_file }, { singleton: true }) });
    expect(allowed.steps[0]).toMatchObject({ kind: 'stop_process', requires: 'singleton' });
  });

  it('leftovers of its own are cleared although something else blocks', () => {
    const observations = { claims: [held(tcp(80), FOREIGN)], left_behind: [aProcess(12, 'own_earlier')] };
    const decision = decide({ reclaim: inTheWay(observations) });
    expect(kinds(decision)).toEqual(['stop_process', 'start']);
    expect(decision.blocked).toHaveLength(1);
    expect(decision.risk).toBe('low');
  });

  it('a program that is not there blocks, whatever else there is', () => {
    const obstacle = reason('COMMAND_NOT_FOUND', "there is no program 'x'");
    for (const state of ['waiting', 'failed', 'stopped'] as const) {
      const decision = decide({ state, obstacle, reclaim: inTheWay({ claims: [held(tcp(80), FOREIGN)] }) });
      expect(decision).toMatchObject({ steps: [], orders: [], blocked: [{ reason: obstacle }] });
      expect(decision.blocked[0]?.instead[0]).toContain('install the program');
    }
  });
});

describe('a service of several actions', () => {
  it('has each decided for itself, and says so in one sentence', () => {
    const decision = decideHeal(
      serviceFacts([
        actionFacts({ action: 'db', job_id: 'j1', state: 'failed' }),
        actionFacts({ action: 'web', job_id: 'j2', state: 'pending' }),
        actionFacts({
          action: 'api',
          job_id: 'j3',
          reclaim: inTheWay({ claims: [held(tcp(80), FOREIGN)] }),
        }),
      ]),
    );
    expect(decision.orders.map(({ action, kind }) => [action, kind])).toEqual([['db', 'start']]);
    expect(decision.blocked.map(({ action }) => action)).toEqual(['api']);
    expect(decision.summary).toMatch(/^shop: start db now.*\. But api cannot be healed: port 80 is held by/);
  });

  it('says what is on its way by itself, and what is well', () => {
    expect(decide({ state: 'starting' }).summary).toBe(
      'shop is on its way by itself (main is starting): nothing to do',
    );
    expect(decide({ state: 'running' }).summary).toBe('shop is well: nothing to do');
  });
});
