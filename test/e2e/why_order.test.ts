/**
 * Why a service is where somebody, or the order of its actions, has put it: each cause brought about for real.
 */
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { LONG_PAUSE, sleeper, WhyLab } from './why_lab.ts';

let lab: WhyLab;
beforeEach(() => {
  lab = new WhyLab();
});
afterEach(() => lab.remove());

const HEAL = { operation: 'service.heal', input: { name: 'web', dry_run: true } };

it('DEPENDENCY_WAIT: what it waits for, and what that is at, however far down', async () => {
  lab.write({
    db: sleeper({ run: ['no-such-database'] }),
    api: sleeper({ after: ['db'] }),
    main: sleeper({ after: ['api'] }),
  });
  await lab.start(null);
  await lab.until(({ phase }) => phase === 'retrying', 'db');
  await lab.until(({ reason }) => reason?.code === 'DEPENDENCY_WAIT');
  expect(await lab.why()).toMatchObject({
    code: 'DEPENDENCY_WAIT',
    evidence: { action: 'api', root: { action: 'db', phase: 'retrying', code: 'COMMAND_NOT_FOUND' } },
    next: HEAL,
  });
  const { summary, next } = await lab.answer();
  expect(summary).toContain("db waits for its next try: there is no program 'no-such-database'");
  expect(next).toEqual(HEAL);
});

it('DEPENDENCY_FAILED: the action that has failed, as the root', async () => {
  lab.write({
    migrate: { run: ['false'], restart: { max_attempts: 1 } },
    main: sleeper({ after: ['migrate'] }),
  });
  await lab.start(null);
  await lab.until(({ reason }) => reason?.code === 'DEPENDENCY_FAILED');
  expect(await lab.why()).toMatchObject({
    code: 'DEPENDENCY_FAILED',
    evidence: { root: { action: 'migrate', code: 'GAVE_UP' } },
    next: HEAL,
  });
});

it('REQUESTED and READY: who asked, and when it was ready', async () => {
  const health = [{ type: 'exec', run: ['true'], role: 'readiness', interval: '50ms', timeout: '10s' }];
  await lab.start(sleeper({ health }));
  await lab.until(({ phase }) => phase === 'running');
  lab.upkeep.restart('web', 'cli');
  await lab.until(({ restart_count, phase }) => restart_count === 1 && phase === 'running');
  const why = await lab.why();
  expect(why).toMatchObject({ code: 'REQUESTED', message: 'is running: restart requested', next: null });
  // It begins with what somebody asked for, and goes no further back.
  expect(why.events[0]).toMatchObject({ code: 'REQUESTED', actor: 'cli', to: 'stopping' });
  expect(why.events.map(({ code }) => code)).toContain('READY');
});

it('WANTED_DOWN: who wanted it, and how to have it up', async () => {
  await lab.start(sleeper());
  await lab.until(({ phase }) => phase === 'running');
  lab.upkeep.stop('web', 'mcp:somebody');
  await lab.until(({ phase }) => phase === 'stopped');
  const why = await lab.why();
  expect(why).toMatchObject({
    code: 'WANTED_DOWN',
    next: { operation: 'service.start', input: { name: 'web' } },
    next_step: 'To have it up: upkeep start web.',
  });
  expect(why.events.some(({ actor }) => actor === 'mcp:somebody')).toBe(true);
});

it('SPEC_CHANGED: that the service file says otherwise', async () => {
  await lab.start(sleeper());
  await lab.until(({ phase }) => phase === 'running');
  lab.write({ main: sleeper({ env: { EDITION: '2' } }) });
  expect(await lab.upkeep.reload('cli')).toBeNull();
  await lab.until(({ restart_count, phase }) => restart_count === 1 && phase === 'running');
  const why = await lab.why();
  expect(why).toMatchObject({ code: 'SPEC_CHANGED', next: null });
  expect(why.events.some(({ code, actor }) => code === 'SPEC_CHANGED' && actor === 'cli')).toBe(true);
});

it('SHUTDOWN: that upkeep goes down, while the slowest is still waited for', async () => {
  const leave = lab.path('leave');
  const slow = `trap 'while [ ! -e ${leave} ]; do sleep 0.05; done; exit 0' TERM; echo up; while :; do sleep 0.05; done`;
  lab.write({ main: sleeper(), slow: sleeper({ run: slow, stop: { timeout: '1h' } }) });
  await lab.start(null);
  await lab.until(({ phase }) => phase === 'running');
  await until(async () => (await lab.why('slow')).log_tail.includes('up'));
  const down = lab.upkeep.shutdown('cli');
  await lab.until(({ phase }) => phase === 'stopped');
  expect(await lab.why()).toMatchObject({
    code: 'SHUTDOWN',
    next: null,
    next_step: 'To have it up: upkeep up.',
  });
  writeFileSync(leave, '');
  await down;
});

it('HEAL_APPLIED, HEALED and NOT_HEALED: the heal stands at the head of what it caused', async () => {
  const flag = lab.path('flag');
  await lab.start(sleeper({ run: `[ -e ${flag} ] && exec sleep 1000; exit 1`, restart: LONG_PAUSE }));
  await lab.until(({ phase }) => phase === 'retrying');
  const failed = await lab.upkeep.heal.apply(
    'web',
    { confirm: true },
    { actor: 'mcp:agent', principal: 'unix' },
    30_000,
  );
  expect(failed.outcome).toBe('not_healed');
  expect(failed.events.at(-1)).toMatchObject({ code: 'NOT_HEALED', actor: 'mcp:agent' });
  // What is not well still is told by its own cause, in the light of the heal.
  const ill = await lab.why();
  expect(ill).toMatchObject({ code: 'EXITED', next: HEAL });
  expect(ill.events[0]).toMatchObject({ code: 'HEAL_APPLIED', actor: 'mcp:agent', job_id: null });

  writeFileSync(flag, '');
  const healed = await lab.upkeep.heal.apply(
    'web',
    { confirm: true },
    { actor: 'mcp:agent', principal: 'unix' },
    30_000,
  );
  expect(healed.outcome).toBe('healed');
  expect(healed.events.at(-1)).toMatchObject({ code: 'HEALED', cause: healed.events[0]?.seq });
  const why = await lab.why();
  expect(why).toMatchObject({ code: 'REQUESTED', next: null, evidence: { plan_id: healed.plan_id } });
  expect(why.message).toContain('to heal it');
  expect(why.events[0]).toMatchObject({ code: 'HEAL_APPLIED', evidence: { plan_id: healed.plan_id } });
});
