/**
 * Why a service is as it is after upkeep, or the machine, was away: the real program, killed.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Database } from '../../core/store/database.ts';
import { alive, pidOf, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { sleeper } from './why_lab.ts';

let sandbox: Sandbox;
afterEach(() => sandbox.remove());

/** A service that runs, and upkeep killed. */
async function killed(extra: object = {}): Promise<number> {
  sandbox = new Sandbox({ web: { actions: { main: sleeper(extra) } } });
  await sandbox.up();
  await sandbox.untilAction('web', ({ phase }) => phase === 'running');
  const pid = pidOf(await sandbox.action('web'));
  await sandbox.kill();
  return pid;
}

/** Ends a service while upkeep is away. */
async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => !alive(pid));
}

/** Has the store say something else. */
function rewrite(sql: string, values: readonly string[] = []): void {
  const database = Database.open(join(sandbox.state, 'upkeep.db'), { files: fs, busy_timeout: 5_000 });
  database.run(sql, [...values]);
  database.close();
}

it('ADOPTED: the same process, and what led to it before', async () => {
  const pid = await killed();
  await sandbox.up();
  const [why] = (await sandbox.why('web')).actions;
  expect(why).toMatchObject({ code: 'ADOPTED', next: null, evidence: { identity: { pid } } });
  // The event says nothing of a cause, as upkeep died in between; the chain goes on to what was before.
  expect(why?.events[0]).toMatchObject({ code: 'REQUESTED', cause: null });
  expect(why?.events.length).toBeGreaterThan(1);
});

it('EXIT_UNKNOWN: inferred, as nobody was there to read how it ended', async () => {
  await end(await killed());
  await sandbox.up();
  await until(async () =>
    (await sandbox.events('web')).some(({ code, to }) => code === 'EXIT_UNKNOWN' && to !== 'stopping'),
  );
  const [why] = (await sandbox.why('web')).actions;
  expect(why).toMatchObject({ code: 'EXIT_UNKNOWN', confidence: 'inferred' });
  expect(why?.events.map(({ code }) => code)).toContain('EXIT_UNKNOWN');
});

it('INTERRUPTED: upkeep died between the decision to spawn and the spawn', async () => {
  await end(await killed());
  rewrite(`UPDATE jobs SET phase = 'preparing', phase_state = '{"step":"spawn","incarnation":1}'`);
  await sandbox.up();
  await sandbox.untilAction('web', ({ phase }) => phase === 'running');
  const [why] = (await sandbox.why('web')).actions;
  expect(why).toMatchObject({
    code: 'INTERRUPTED',
    confidence: 'inferred',
    evidence: { incarnation: 1 },
    next: null,
  });
});

it('REBOOTED: it runs on another boot than the store knows', async () => {
  await end(await killed());
  const earlier = 'an-earlier-boot';
  rewrite(`UPDATE jobs SET last_boot_id = ?, phase_state = json_set(phase_state, '$.identity.boot_id', ?)`, [
    earlier,
    earlier,
  ]);
  await sandbox.up();
  await sandbox.untilAction('web', ({ phase, restart_count }) => phase === 'running' && restart_count === 1);
  const [why] = (await sandbox.why('web')).actions;
  expect(why).toMatchObject({ code: 'REBOOTED', next: null });
});
