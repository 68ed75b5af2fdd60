/**
 * Plans and their ends, by a clock that stands still: expiry, bounds, one heal at a time, refusals.
 */
import { describe, expect, it } from 'vitest';
import type { ActionFacts } from '../../../core/heal/facts.ts';
import {
  type HealPlan,
  HealRefused,
  type HealRequest,
  type HealResult,
} from '../../../core/heal/heal_control.ts';
import { Healer } from '../../../core/heal/healer.ts';
import { MAX_PLANS, PLAN_TTL, PlanShelf } from '../../../core/heal/plan_shelf.ts';
import type { Job } from '../../../core/job/job.ts';
import type { EventRecord } from '../../../core/store/records.ts';
import { NotFound } from '../../../core/supervisor/control.ts';
import type { Told } from '../../../core/supervisor/job_loop.ts';
import type { JobRuntime, Origin, ServiceRuntime } from '../../../core/supervisor/runtime.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { aJob, anIdentity } from '../job/builders.ts';
import { anAction } from '../reclaim/builders.ts';
import { actionFacts, serviceFacts } from './builders.ts';

const FAILED: Job = aJob({ phase: 'failed' });
const PENDING: Job = aJob({ phase: 'pending' });
const RUNNING: Job = aJob({ phase: 'running', identity: anIdentity(), stable: true, deadline: null });

/** A service of one job, and everything that is asked for about it. */
class World {
  readonly clock = new FakeClock();
  readonly shelf = new PlanShelf(this.clock);
  readonly runtime = { job: FAILED, spec: anAction() } as JobRuntime;
  facts: Partial<ActionFacts> = { state: 'failed' };
  wanted: 'up' | 'down' = 'up';
  /** What the job is once it has been told something. */
  next: Job = PENDING;
  told: { told: readonly Told[]; origin: Origin }[] = [];
  records: EventRecord[] = [];
  /** Ends the wait for a verdict. */
  decided: (settled: boolean) => void = () => {};
  looks = 0;
  readonly healer = new Healer(
    {
      clock: this.clock,
      service: (name) => {
        if (name !== 'shop' && name !== 'bank') throw new NotFound(`no service '${name}'`);
        return { row: { name }, jobs: [this.runtime] } as unknown as ServiceRuntime;
      },
      look: async () => {
        this.looks += 1;
        return serviceFacts([actionFacts(this.facts)], this.wanted);
      },
      checks: () => [],
      tell: (_service, told, origin) => {
        this.told.push({ told, origin });
        if (told.length > 0) this.runtime.job = this.next;
      },
      record: (event) => {
        const record = { ...event, seq: 100 + this.records.length };
        this.records.push(record);
        return record;
      },
      until: (done) =>
        done()
          ? Promise.resolve(true)
          : new Promise((resolve) => {
              this.decided = resolve;
            }),
      events: () => this.records,
    },
    this.shelf,
  );

  apply(request: HealRequest, service = 'shop'): Promise<HealResult> {
    return this.healer.apply(service, request, { actor: 'cli', principal: 'unix' }, 1_000);
  }

  plan(service: string, principal = 'unix'): Promise<HealPlan> {
    return this.healer.plan(service, { actor: 'cli', principal });
  }

  /** What the job is told makes it run, as a real one would. */
  recovers(): void {
    this.runtime.job = RUNNING;
    this.facts = { state: 'running' };
  }
}

async function refusal(applied: Promise<unknown>): Promise<HealRefused> {
  const error = await applied.then(
    () => null,
    (refused: unknown) => refused,
  );
  if (!(error instanceof HealRefused)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

/** Lets everything that is ready to go on do so. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a plan', () => {
  it('leaves no trace, has an id that nobody guesses, and expires', async () => {
    const world = new World();
    const [one, two] = [await world.plan('shop'), await world.plan('shop')];
    expect(one.id).toMatch(/^h[0-9a-f]{32}$/);
    expect(one.id).not.toBe(two.id);
    expect(one.expires_at - one.created_at).toBe(PLAN_TTL);
    expect(one.created_at).toBe(world.clock.wall());
    expect(world.records).toEqual([]);
    expect(world.told).toEqual([]);
  });

  it('is applied until it expires, and not from then on', async () => {
    const world = new World();
    const { id } = await world.plan('shop');
    const { id: late } = await world.plan('shop');
    world.clock.advance(PLAN_TTL - 1);
    const applied = world.apply({ plan_id: id });
    await turn();
    expect(world.told).toHaveLength(1);
    world.clock.advance(1);
    expect((await refusal(world.apply({ plan_id: late }))).refusal).toBe('expired');
    world.recovers();
    world.decided(true);
    expect((await applied).outcome).toBe('healed');
  });

  it('is forgotten some time after it has expired, and before that where there are too many', async () => {
    const world = new World();
    const { id: first } = await world.plan('shop');
    for (let made = 1; made < MAX_PLANS; made++) await world.plan('shop');
    expect(world.shelf.size).toBe(MAX_PLANS);
    expect(world.shelf.get(first)).not.toBeNull();
    await world.plan('shop');
    expect(world.shelf.size).toBe(MAX_PLANS);
    expect((await refusal(world.apply({ plan_id: first }))).refusal).toBe('unknown_plan');
    world.clock.advance(2 * PLAN_TTL);
    await world.plan('shop');
    expect(world.shelf.size).toBe(1);
  });

  it('is pushed out by nobody but who had it made, however many others have made', async () => {
    const world = new World();
    const { id } = await world.plan('shop', 'agent');
    for (let made = 0; made < 20 * MAX_PLANS; made++) await world.plan('shop', 'reader');
    for (let made = 1; made < MAX_PLANS; made++) await world.plan('shop', 'agent');
    expect(world.shelf.size).toBe(2 * MAX_PLANS);
    expect(world.shelf.get(id)).not.toBeNull();
    await world.plan('shop', 'agent');
    expect(world.shelf.get(id)).toBeNull();
    expect(world.shelf.size).toBe(2 * MAX_PLANS);
  });

  it('is of one service only, and of one that there is', async () => {
    const world = new World();
    const { id } = await world.plan('shop');
    expect((await refusal(world.apply({ plan_id: id }, 'bank'))).refusal).toBe('other_service');
    expect((await refusal(world.apply({ plan_id: 'h0' }))).refusal).toBe('unknown_plan');
    await expect(world.apply({ plan_id: id }, 'nothing')).rejects.toThrow(NotFound);
    await expect(world.plan('nothing')).rejects.toThrow(NotFound);
  });
});

describe('applying', () => {
  it('tells the job, with the plan as its cause, and looks afresh afterwards', async () => {
    const world = new World();
    const { id } = await world.plan('shop');
    const applied = world.apply({ plan_id: id });
    await turn();
    const [order] = world.told;
    expect(order?.origin).toEqual({ actor: 'cli', cause: 100 });
    expect(order?.told).toMatchObject([
      { job_id: 'j1', event: { type: 'restart', reason: { code: 'REQUESTED', evidence: { plan_id: id } } } },
    ]);
    const looks = world.looks;
    world.recovers();
    world.decided(true);
    const result = await applied;
    expect(world.looks).toBe(looks + 1);
    expect(result).toMatchObject({ plan_id: id, outcome: 'healed', verification: { well: true } });
    expect(world.records).toMatchObject([
      { code: 'HEAL_APPLIED', actor: 'cli', service: 'shop', cause: null, evidence: { plan_id: id } },
      { code: 'HEALED', actor: 'cli', cause: 100 },
    ]);
  });

  it('is not healed where it fails again, and where nobody can say in time', async () => {
    const failing = new World();
    failing.next = FAILED;
    const once = failing.apply({ confirm: true });
    expect((await once).outcome).toBe('not_healed');
    expect(failing.records.map(({ code }) => code)).toEqual(['HEAL_APPLIED', 'NOT_HEALED']);

    const slow = new World();
    const applied = slow.apply({ confirm: true });
    await turn();
    slow.decided(false);
    const { outcome, verification } = await applied;
    expect(outcome).toBe('not_healed');
    expect(verification.message).toContain('is pending still');
  });

  it('leaves alone what has come up while it was looked at', async () => {
    const world = new World();
    const { id } = await world.plan('shop');
    world.runtime.job = RUNNING;
    await world.apply({ plan_id: id });
    expect(world.told[0]?.told).toEqual([]);
  });

  it('does nothing and leaves nothing where there is nothing to do', async () => {
    const well = new World();
    well.recovers();
    expect((await well.apply({ confirm: true })).outcome).toBe('nothing_to_do');
    const down = new World();
    down.wanted = 'down';
    expect((await down.apply({ confirm: true })).outcome).toBe('nothing_to_do');
    expect([...well.records, ...down.records, ...well.told, ...down.told]).toEqual([]);
  });

  it('refuses a plan whose facts have changed, fact by fact, and takes it once they are the old ones', async () => {
    const world = new World();
    world.next = FAILED;
    const { id } = await world.plan('shop');
    world.facts = { state: 'stopped' };
    const { refusal: why, changes, message } = await refusal(world.apply({ plan_id: id }));
    expect(why).toBe('facts_changed');
    expect(changes).toEqual([{ name: 'main.state', before: 'failed', after: 'stopped' }]);
    expect(message).toContain('main.state was: failed, and is: stopped');
    expect(world.records).toEqual([]);
    world.facts = { state: 'failed' };
    expect((await world.apply({ plan_id: id })).outcome).toBe('not_healed');
  });

  it('is one heal for each service, whoever asks and however often', async () => {
    const world = new World();
    const { id } = await world.plan('shop');
    const { id: other } = await world.plan('shop');
    const all = Array.from({ length: 5 }, () => world.apply({ plan_id: id }));
    await turn();
    const joining = Array.from({ length: 5 }, () => world.apply({ confirm: true }));
    expect((await refusal(world.apply({ plan_id: other }))).refusal).toBe('busy');
    await turn();
    world.recovers();
    world.decided(true);
    const results = await Promise.all([...all, ...joining, world.apply({ plan_id: id })]);
    expect(new Set(results).size).toBe(1);
    expect(world.told).toHaveLength(1);
    expect(world.records.map(({ code }) => code)).toEqual(['HEAL_APPLIED', 'HEALED']);
  });

  it('at once does not fail because somebody else’s plan was refused', async () => {
    const world = new World();
    world.next = FAILED;
    const { id } = await world.plan('shop');
    world.facts = { state: 'stopped' };
    const refused = refusal(world.apply({ plan_id: id }));
    const confirmed = world.apply({ confirm: true });
    expect((await refused).refusal).toBe('facts_changed');
    expect((await confirmed).plan_id).not.toBe(id);
  });
});
