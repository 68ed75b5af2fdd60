/**
 * Healing under the real program: what is planned, what is done, what is found afterwards.
 */
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { ClientError } from '../../adapters/client/errors.ts';
import type { HealPlan, HealResult } from '../../core/heal/heal_control.ts';
import { alive, freePort, pidOf, Sandbox } from '../support/sandbox.ts';
import { Strangers } from '../support/strangers.ts';
import { one, SERVICE, testService } from '../support/test_service.ts';
import { until } from '../support/until.ts';

const NODE = process.execPath;

let sandbox: Sandbox;
const strangers = new Strangers();

afterEach(async () => {
  strangers.end();
  await sandbox.remove();
});

const LONG_PAUSE = { delay: '1h', max_delay: '1h', stable_after: '300ms' };

/** `web` waits out a long pause, and what it failed for is mended: a start would do. */
async function mendedInItsPause(): Promise<void> {
  sandbox = new Sandbox({});
  const flag = sandbox.path('flag');
  sandbox.write(
    one(testService({}, { run: `[ -e ${flag} ] && exec sleep 1000; exit 1`, restart: LONG_PAUSE })),
  );
  await sandbox.up();
  await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');
  writeFileSync(flag, '');
}

async function plan(): Promise<HealPlan> {
  return (await sandbox.client.call('service.heal', { name: 'web', dry_run: true })) as HealPlan;
}

async function heal(how: { plan_id: string } | { confirm: true }, timeout = 30_000): Promise<HealResult> {
  return (await sandbox.client.call('service.heal', { name: 'web', timeout, ...how })) as HealResult;
}

async function refusal(how: { plan_id: string }): Promise<ClientError['problem']> {
  const refused = await heal(how).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(refused instanceof ClientError)) throw new Error(`not refused: ${JSON.stringify(refused)}`);
  return refused.problem;
}

const codes = async (): Promise<string[]> => (await sandbox.events('web')).map(({ code }) => code);
const kinds = ({ steps }: HealPlan): string[] => steps.map(({ kind }) => kind);

/** What heal has left in the timeline, and what that caused. */
async function traces(): Promise<{ code: string; actor: string; cause: string | null }[]> {
  const events = await sandbox.events('web');
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  return events
    .filter((event) => /HEAL/.test(event.code) || bySeq.get(event.cause ?? -1)?.code === 'HEAL_APPLIED')
    .map(({ code, actor, cause }) => ({ code, actor, cause: bySeq.get(cause ?? -1)?.code ?? null }));
}

describe('a stranger on the port', () => {
  it('that may not be stopped: blocked, with what would allow it, and nothing is done to it', async () => {
    const port = await freePort();
    const pid = await strangers.listen(port);
    sandbox = new Sandbox(one(testService({ TCP_PORT: port }, { tcp_ports: [port] })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ reason }) => reason?.code === 'PORT_HELD');

    const shown = await plan();
    expect(shown).toMatchObject({ service: 'web', risk: 'none', steps: [] });
    const [block] = shown.blocked;
    expect(block).toMatchObject({ action: 'main', reason: { code: 'PORT_HELD' } });
    expect(block?.reason.evidence['holder']).toMatchObject({ pid, class: 'foreign' });
    expect(block?.grant).toContain('kill_other: true');
    expect(block?.instead).toHaveLength(1);
    expect(shown.facts.map(({ name }) => name)).toContain(`main.in the way at tcp:${port}`);

    const result = await heal({ plan_id: shown.id });
    expect(result.outcome).toBe('not_healed');
    expect(result.verification.actions[0]).toMatchObject({ well: false, phase: expect.any(String) });
    expect(alive(pid)).toBe(true);
    // Nothing was done: nothing is to be told.
    expect(await codes()).not.toContain('HEAL_APPLIED');
  });

  it('that may be stopped: stopped, the pause skipped, and the port proved by a probe', async () => {
    const port = await freePort();
    sandbox = new Sandbox({});
    // It cannot start yet for another reason, and its pause is an hour long: meanwhile a stranger takes the port.
    const cwd = sandbox.path('gone');
    sandbox.write(
      one(
        testService(
          { TCP_PORT: port },
          {
            run: `[ -e ${cwd} ] || exit 3; exec ${NODE} ${SERVICE}`,
            tcp_ports: [port],
            kill_other: true,
            restart: LONG_PAUSE,
          },
        ),
      ),
    );
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase, attempt }) => phase === 'retrying' && attempt === 1);
    writeFileSync(cwd, '');
    const pid = await strangers.listen(port);

    const shown = await plan();
    expect(kinds(shown)).toEqual(['stop_process', 'start']);
    expect(shown.risk).toBe('high');
    expect(shown.steps[0]).toMatchObject({
      action: 'main',
      target: { type: 'process', identity: { pid } },
      destructive: true,
      requires: 'kill_other',
    });
    expect(alive(pid)).toBe(true);
    expect((await sandbox.action('web')).phase).toBe('retrying');

    const result = await heal({ plan_id: shown.id });
    expect(result).toMatchObject({ plan_id: shown.id, outcome: 'healed', verification: { well: true } });
    expect(result.verification.actions[0]?.claims).toEqual([{ claim: `tcp:${port}`, held_by: 'own' }]);
    expect(alive(pid)).toBe(false);
    expect(await sandbox.action('web')).toMatchObject({ phase: 'running', attempt: 0 });
    expect((await sandbox.service('web')).state).toBe('up');

    expect(result.events.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['HEAL_APPLIED', 'RECLAIMED', 'READY', 'HEALED']),
    );
    expect(await traces()).toEqual([
      { code: 'HEAL_APPLIED', actor: 'http', cause: null },
      { code: 'REQUESTED', actor: 'http', cause: 'HEAL_APPLIED' },
      { code: 'HEALED', actor: 'http', cause: 'HEAL_APPLIED' },
    ]);
  });

  it('that has left, or is another one, since the plan was made: refused, and told what has changed (case 18)', async () => {
    const port = await freePort();
    const first = await strangers.listen(port);
    sandbox = new Sandbox(one(testService({ TCP_PORT: port }, { tcp_ports: [port] })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ reason }) => reason?.code === 'PORT_HELD');
    const shown = await plan();
    process.kill(first, 'SIGKILL');
    await until(() => !alive(first));
    await sandbox.untilAction('web', ({ phase }) => phase === 'running');

    const problem = await refusal({ plan_id: shown.id });
    expect(problem).toMatchObject({ code: 'conflict', status: 409 });
    const changed = new Map(problem.issues?.map(({ path, message, value }) => [path, [message, value]]));
    expect(changed.get('plan_id.facts.main.state')).toEqual(['was: waiting', 'running']);
    expect(changed.get(`plan_id.facts.main.in the way at tcp:${port}`)?.[0]).toContain(`pid ${first}`);
    expect(problem.detail).toContain('main.state was: waiting, and is: running');
    expect(await codes()).not.toContain('HEAL_APPLIED');
  });
});

describe('what is in the way of a start', () => {
  it('a wrong PID file is removed, and the stranger that it names is left alone', async () => {
    sandbox = new Sandbox({});
    const pid_file = sandbox.path('web.pid');
    const flag = sandbox.path('flag');
    const run = `[ -e ${flag} ] || exit 3; exec ${NODE} ${SERVICE}`;
    sandbox.write(one(testService({}, { run, pid_file, singleton: true, restart: LONG_PAUSE })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');
    writeFileSync(flag, '');
    const pid = await strangers.start('setInterval(() => {}, 1000)');
    writeFileSync(pid_file, `${pid}\n`);

    const shown = await plan();
    expect(kinds(shown)).toEqual(['remove_pid_file', 'start']);
    expect(shown).toMatchObject({ risk: 'low', blocked: [] });
    expect((await heal({ plan_id: shown.id })).outcome).toBe('healed');
    expect(alive(pid)).toBe(true);
    expect(await codes()).toContain('PIDFILE_REUSED');
  });

  it('a missing program blocks, and once it is there the pause is skipped', async () => {
    sandbox = new Sandbox({});
    const program = sandbox.path('program');
    sandbox.write(one(testService({}, { run: [program], restart: LONG_PAUSE })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');
    const blocked = await plan();
    expect(blocked).toMatchObject({ steps: [], blocked: [{ reason: { code: 'COMMAND_NOT_FOUND' } }] });
    expect(blocked.blocked[0]?.instead[0]).toContain('install the program');

    writeFileSync(`${program}.new`, '#!/bin/sh\nexec sleep 1000\n');
    chmodSync(`${program}.new`, 0o755);
    renameSync(`${program}.new`, program);
    expect(await refusal({ plan_id: blocked.id })).toMatchObject({ code: 'conflict' });
    const shown = await plan();
    expect(kinds(shown)).toEqual(['start']);
    expect((await heal({ plan_id: shown.id })).outcome).toBe('healed');
  });
});

describe('a job that fails', () => {
  it('a crash loop: tried at once, found to fail again, and not called healed', async () => {
    sandbox = new Sandbox(one(testService({}, { run: 'echo broken; exit 7', restart: LONG_PAUSE })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');
    const result = await heal({ confirm: true });
    expect(result).toMatchObject({ outcome: 'not_healed', plan: { risk: 'low' } });
    expect(result.verification.message).toContain('exited with code 7');
    expect((await sandbox.action('web')).restart_count).toBe(1);
    expect((await traces()).map(({ code }) => code)).toEqual(['HEAL_APPLIED', 'REQUESTED', 'NOT_HEALED']);
  });

  it('one that runs for a while before it crashes is not called healed before it is stable', async () => {
    const run = `${NODE} -e "setTimeout(() => process.exit(5), 200)"`;
    const restart = { ...LONG_PAUSE, stable_after: '30s' };
    sandbox = new Sandbox(one(testService({}, { run, restart })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');
    expect((await heal({ confirm: true })).outcome).toBe('not_healed');
  });

  it('one that upkeep has given up is started again', async () => {
    sandbox = new Sandbox({});
    const flag = sandbox.path('flag');
    const restart = { delay: '10ms', max_attempts: 2, stable_after: '300ms' };
    sandbox.write(one(testService({}, { run: `[ -e ${flag} ] && exec sleep 1000; exit 1`, restart })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'failed');
    writeFileSync(flag, '');
    const shown = await plan();
    expect(shown.facts).toContainEqual({ name: 'main.reason', value: 'GAVE_UP' });
    expect((await heal({ plan_id: shown.id })).outcome).toBe('healed');
    expect((await sandbox.service('web')).state).toBe('up');
  });

  it('a failed oneshot is run again, and what waited for it comes up', async () => {
    sandbox = new Sandbox({});
    const flag = sandbox.path('flag');
    const restart = { delay: '10ms', max_attempts: 1 };
    sandbox.write({
      web: {
        actions: {
          migrate: { run: ['test', '-e', flag], restart },
          main: testService({}, { run: ['sleep', '1000'], after: ['migrate'] }),
        },
      },
    });
    await sandbox.up();
    await until(async () => (await sandbox.service('web')).state === 'failed');
    const before = await heal({ confirm: true });
    expect(before.outcome).toBe('not_healed');
    expect(before.verification.actions.map(({ well }) => well)).toEqual([false, false]);
    writeFileSync(flag, '');
    const result = await heal({ confirm: true });
    expect(result.outcome).toBe('healed');
    expect(result.plan.steps).toHaveLength(1);
    expect((await sandbox.service('web')).state).toBe('up');
  });
});

describe('a service that runs', () => {
  it('well: there is nothing to do, and nothing is done', async () => {
    const port = await freePort();
    sandbox = new Sandbox(one(testService({ TCP_PORT: port }, { tcp_ports: [port] })));
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'running');
    const before = await sandbox.action('web');
    const events = (await codes()).length;
    const result = await heal({ confirm: true });
    expect(result).toMatchObject({
      outcome: 'nothing_to_do',
      plan: { risk: 'none', steps: [], blocked: [] },
      verification: { well: true, actions: [{ claims: [{ held_by: 'own' }] }] },
      events: [],
    });
    expect(await sandbox.action('web')).toMatchObject({ pid: before.pid, restart_count: 0 });
    expect((await codes()).length).toBe(events);
  });

  it('wanted down: it stays down', async () => {
    sandbox = new Sandbox(one(testService({})));
    await sandbox.up();
    await sandbox.cli('stop', 'web');
    const result = await heal({ confirm: true });
    expect(result).toMatchObject({ outcome: 'nothing_to_do', plan: { steps: [] } });
    expect(result.plan.summary).toContain('wanted down');
    expect(await sandbox.service('web')).toMatchObject({ wanted: 'down', state: 'down' });
  });

  it('ill, where its check only reports: stopped and started again, and its check passes afterwards', async () => {
    sandbox = new Sandbox({});
    const sick = sandbox.path('sick');
    const check = { type: 'exec', run: ['sh', '-c', `[ ! -e ${sick} ] || exit 2`], timeout: '10s' };
    const health = [{ ...check, interval: '50ms', failures: 1, on_failure: 'report' }];
    const run = `rm -f ${sick}; exec ${NODE} ${SERVICE}`;
    sandbox.write(one(testService({}, { run, health })));
    await sandbox.up();
    await sandbox.untilAction('web', (action) => action.health === 'healthy');
    const before = await sandbox.action('web');
    writeFileSync(sick, '');
    await sandbox.untilAction('web', (action) => action.health === 'unhealthy');

    const shown = await plan();
    expect(kinds(shown)).toEqual(['stop_job', 'start']);
    expect(shown).toMatchObject({ risk: 'medium', blocked: [] });
    const result = await heal({ plan_id: shown.id });
    expect(result).toMatchObject({ outcome: 'healed', verification: { actions: [{ health: 'healthy' }] } });
    expect(alive(pidOf(before))).toBe(false);
    expect(await sandbox.action('web')).toMatchObject({ restart_count: 1, job_id: before.job_id });
  });
});

describe('upkeep heal', () => {
  it('shows the plan, and with --yes does it, tells what happens, and says whether it has helped', async () => {
    sandbox = new Sandbox({});
    const flag = sandbox.path('flag');
    sandbox.write(
      one(testService({}, { run: `[ -e ${flag} ] && exec sleep 1000; exit 4`, restart: LONG_PAUSE })),
    );
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'retrying');

    const shown = await sandbox.cli('heal', 'web', '--dry-run');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^web {2}risk low\n {2}1\. main: start main now/);
    const nobody = await sandbox.cli('heal', 'web');
    expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });

    const failed = await sandbox.cli('heal', 'web', '--yes');
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('HEAL_APPLIED');
    expect(failed.stderr).toContain(
      'web is not healed: web is not well: main is retrying: exited with code 4',
    );
    writeFileSync(flag, '');
    const healed = await sandbox.cli('heal', 'web', '--yes');
    expect(healed).toMatchObject({ code: 0, stderr: '' });
    expect(healed.stdout).toMatch(/HEALED {2}web is well.*\(cli\)\nhealed: web is well: main is running\n$/);
    const again = await sandbox.json<HealResult>('heal', 'web', '--yes');
    expect(again).toMatchObject({ outcome: 'nothing_to_do' });
  });
});

describe('applying', () => {
  it('the same plan ten times at once, and once more afterwards: one heal, one answer', async () => {
    await mendedInItsPause();
    const { id } = await plan();
    const results = await Promise.all(Array.from({ length: 10 }, () => heal({ plan_id: id })));
    const again = await heal({ plan_id: id });
    expect(new Set([...results, again].map((result) => JSON.stringify(result))).size).toBe(1);
    expect(again.outcome).toBe('healed');
    expect((await codes()).filter((code) => code === 'HEAL_APPLIED')).toHaveLength(1);
    expect(await sandbox.action('web')).toMatchObject({ restart_count: 1 });
  });

  it('without a plan ten times at once: one heal', async () => {
    await mendedInItsPause();
    const results = await Promise.all(Array.from({ length: 10 }, () => heal({ confirm: true })));
    expect(results.filter(({ outcome }) => outcome === 'not_healed')).toEqual([]);
    expect((await codes()).filter((code) => code === 'HEAL_APPLIED')).toHaveLength(1);
    expect(await sandbox.action('web')).toMatchObject({ restart_count: 1, phase: 'running' });
  });

  it('a plan of an upkeep that was killed since: unknown, and a new one does it', async () => {
    await mendedInItsPause();
    const { id } = await plan();
    await sandbox.kill();
    await sandbox.up();
    expect(await refusal({ plan_id: id })).toMatchObject({ code: 'not_found' });
    expect((await codes()).includes('HEAL_APPLIED')).toBe(false);
    await sandbox.untilAction('web', ({ phase }) => phase === 'retrying' || phase === 'running');
    expect(['healed', 'nothing_to_do']).toContain((await heal({ confirm: true })).outcome);
  });

  it('a plan of another service, or none, is refused', async () => {
    sandbox = new Sandbox({
      web: { actions: { main: testService({}) } },
      api: { actions: { main: testService({}) } },
    });
    await sandbox.up();
    const { id } = (await sandbox.client.call('service.heal', { name: 'api', dry_run: true })) as HealPlan;
    expect(await refusal({ plan_id: id })).toMatchObject({ code: 'conflict' });
    expect(await refusal({ plan_id: 'h0' })).toMatchObject({ code: 'not_found' });
    const both = sandbox.client.call('service.heal', { name: 'web', dry_run: true, confirm: true });
    await expect(both).rejects.toMatchObject({ problem: { code: 'invalid_input' } });
    const wrong = sandbox.client.call('service.heal', { name: 'wbe', dry_run: true });
    await expect(wrong).rejects.toMatchObject({ problem: { code: 'not_found', suggestion: 'web' } });
  });
});
