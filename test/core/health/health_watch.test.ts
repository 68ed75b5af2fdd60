import { beforeEach, describe, expect, it } from 'vitest';
import { type CheckState, HealthWatch } from '../../../core/health/health_watch.ts';
import { Agenda } from '../../../core/host/agenda.ts';
import type { HealthResult } from '../../../core/plugin/definition.ts';
import type { HealthCheck, Look } from '../../../core/plugin/health_check.ts';
import type { HealthSpec } from '../../../core/spec/spec.ts';
import { FakeClock } from '../../support/fake_clock.ts';

const SPEC: HealthSpec = {
  type: 'fake',
  role: 'liveness',
  interval: 10_000,
  timeout: 1_000,
  failures: 3,
  successes: 1,
  start_period: 0,
  on_failure: 'restart',
  options: {},
};

let clock: FakeClock;
let answers: (look: Look) => Promise<HealthResult>;
let looks: { at: number; type: string }[];
let told: CheckState[];
let ready: string[];
let watch: HealthWatch;

const pass = async (): Promise<HealthResult> => ({ status: 'pass', message: 'fine' });

beforeEach(() => {
  clock = new FakeClock();
  answers = pass;
  looks = [];
  told = [];
  ready = [];
  const check = (type: string): HealthCheck => ({
    name: type,
    summary: '',
    options: {} as HealthCheck['options'],
    look: (_options, look) => {
      looks.push({ at: clock.now, type });
      return answers(look);
    },
  });
  watch = new HealthWatch(
    {
      clock,
      agenda: new Agenda(clock),
      random: () => 0,
      check: (type) => (type === 'gone' ? null : check(type)),
    },
    { looked: (_job, _before, after) => told.push(after), ready: (job) => ready.push(job) },
  );
});

function begin(specs: Partial<HealthSpec>[], isReady = false, id = 'j1'): void {
  watch.begin(
    {
      job: {
        service: 's',
        action: 'a',
        job_id: id,
        restart_count: 0,
        pid: 1,
        started_at: clock.wall(),
        cwd: '/',
      },
      specs: specs.map((spec) => ({ ...SPEC, ...spec })),
      readLog: async () => [],
    },
    isReady,
  );
}

/** Goes on in steps, so that what was asked can answer in between. */
async function pass_time(ms: number, step = 50): Promise<void> {
  for (let gone = 0; gone < ms; gone += step) {
    clock.advance(step);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

describe('a liveness check', () => {
  it('looks once in each interval, and first within one', async () => {
    begin([{}]);
    await pass_time(40_000);
    expect(looks).toHaveLength(4);
    const pauses = looks.slice(1).map(({ at }, i) => at - (looks[i]?.at ?? 0));
    expect(pauses).toEqual([10_000, 10_000, 10_000]);
    expect(watch.health('j1')).toBe('healthy');
  });

  it('becomes unhealthy at its threshold and says so at each look', async () => {
    answers = async () => ({ status: 'fail', message: 'no answer' });
    begin([{}]);
    await pass_time(40_000);
    expect(told.map(({ standing: { health, fails } }) => [health, fails])).toEqual([
      ['unknown', 1],
      ['unknown', 2],
      ['unhealthy', 3],
      ['unhealthy', 4],
    ]);
    expect(watch.health('j1')).toBe('unhealthy');
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no such program'))],
    [
      'throws at once',
      () => {
        throw new Error('no such program');
      },
    ],
  ])('that %s could not look: unknown, and nothing follows', async (_how, answer) => {
    answers = answer as () => Promise<HealthResult>;
    begin([{}]);
    await pass_time(50_000);
    expect(told.every(({ last }) => last?.status === 'unknown')).toBe(true);
    expect(told.at(-1)).toMatchObject({ last: { message: 'no such program' }, standing: { fails: 0 } });
    expect(watch.health('j1')).toBe('unknown');
  });

  it('whose plugin is not there is unknown', async () => {
    begin([{ type: 'gone' }]);
    await pass_time(10_000);
    expect(told[0]?.last).toMatchObject({
      status: 'unknown',
      message: "there is no health check 'gone' now",
    });
  });

  it('is told to end at its deadline, and what it says then counts', async () => {
    answers = ({ signal }) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve({ status: 'fail', message: 'no answer' })),
      );
    begin([{}]);
    await pass_time(12_000, 20);
    expect(told[0]?.last?.status).toBe('fail');
    expect(told[0]?.last?.duration).toBeCloseTo(1_000, -2);
  });

  it('that hangs beyond its deadline is unknown, and looks again all the same (case 11)', async () => {
    answers = () => new Promise(() => {});
    begin([{}]);
    await pass_time(25_000);
    expect(told.map(({ last }) => last?.status)).toEqual(['unknown', 'unknown']);
    expect(looks).toHaveLength(2);
  });
});

describe('hanging checks', () => {
  it('of one job keep no other from being looked at for long', async () => {
    answers = () => new Promise(() => {});
    for (let i = 0; i < 16; i += 1) begin([{ type: 'hung', interval: 1_000 }], true, `hung${i}`);
    await pass_time(1_000);
    answers = pass;
    begin([{ type: 'fine', interval: 1_000 }], true, 'fine');
    await pass_time(5_000);
    expect(looks.filter(({ type }) => type === 'fine').length).toBeGreaterThanOrEqual(2);
  });
});

describe('checks that a start waits for', () => {
  it('look at once and often, and liveness begins when all have passed', async () => {
    let well = false;
    answers = async () => ({ status: well ? 'pass' : 'fail', message: 'x' });
    begin([
      { type: 'start', role: 'startup' },
      { type: 'ready', role: 'readiness' },
      { type: 'alive', role: 'liveness' },
    ]);
    await pass_time(2_000);
    expect(looks.filter(({ type }) => type === 'start').length).toBeGreaterThan(5);
    expect(looks.filter(({ type }) => type === 'alive')).toHaveLength(0);
    expect(ready).toEqual([]);
    well = true;
    await pass_time(500);
    expect(ready).toEqual(['j1']);
    looks = [];
    await pass_time(30_000);
    expect(ready).toEqual(['j1']);
    const counts = (type: string): number => looks.filter((look) => look.type === type).length;
    expect([counts('start'), counts('ready'), counts('alive')]).toEqual([0, 3, 3]);
    expect(watch.health('j1')).toBe('healthy');
  });

  it('are not waited for by what was adopted', async () => {
    begin([{ type: 'start', role: 'startup' }, { type: 'alive' }], true);
    await pass_time(20_000);
    expect(looks.map(({ type }) => type)).toEqual(['alive', 'alive']);
    expect(ready).toEqual([]);
  });
});

it('lets go of what a look still waits for once it has answered', async () => {
  const signals: AbortSignal[] = [];
  let ended = 0;
  answers = (look) => {
    signals.push(look.signal);
    look.interrupt?.addEventListener('abort', () => {
      ended += 1;
    });
    return look.signal.aborted ? new Promise(() => {}) : pass();
  };
  begin([{}]);
  while (told.length === 0) await pass_time(50);
  expect([ended, signals[0]?.aborted]).toEqual([1, true]);
});

describe('a job that is dropped', () => {
  it('ends the look under way and tells nothing more', async () => {
    let signal: AbortSignal | null = null;
    answers = (look) => {
      signal = look.signal;
      return new Promise(() => {});
    };
    begin([{}]);
    while (looks.length === 0) await pass_time(50);
    watch.drop('j1');
    expect((signal as AbortSignal | null)?.aborted).toBe(true);
    await pass_time(60_000);
    expect(told).toEqual([]);
    expect(looks).toHaveLength(1);
    expect(watch.checks('j1')).toEqual([]);
  });

  it('and watched anew stands where a fresh one does', async () => {
    answers = async () => ({ status: 'fail', message: 'x' });
    begin([{}]);
    await pass_time(30_000);
    expect(watch.health('j1')).toBe('unhealthy');
    begin([{}]);
    expect(watch.health('j1')).toBe('unknown');
    await pass_time(30_000);
    // Anew, every time the threshold is reached (case 13).
    expect(watch.health('j1')).toBe('unhealthy');
  });
});

it('a thousand checks are spread over their interval', async () => {
  for (let i = 0; i < 1000; i += 1) begin([{}], true, `j${i}`);
  await pass_time(10_000, 10);
  const bursts = new Map<number, number>();
  for (const { at } of looks) bursts.set(Math.floor(at / 100), (bursts.get(Math.floor(at / 100)) ?? 0) + 1);
  expect(looks.length).toBeGreaterThan(950);
  expect(Math.max(...bursts.values())).toBeLessThanOrEqual(14);
});
