/**
 * The signals that a person or an init sends to upkeep in the foreground, for real.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../core/store/records.ts';
import { pidOf, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox({});
});
afterEach(() => sandbox.remove());

const sleeper = (extra: object = {}): object => ({
  process: true,
  run: ['sleep', '1000'],
  ...extra,
});

async function untilSaid(text: string): Promise<void> {
  await until(() => sandbox.output.includes(text));
}

function send(signal: NodeJS.Signals): void {
  expect(sandbox.daemon?.kill(signal)).toBe(true);
}

/** Resolves with the exit code of upkeep. */
async function ended(): Promise<number | null> {
  const { daemon } = sandbox;
  await until(() => daemon?.exitCode !== null || daemon.signalCode !== null);
  return daemon?.exitCode ?? null;
}

/** The events that upkeep has printed, one JSON document a line. */
function printed(): EventRecord[] {
  return sandbox.output
    .split('\n')
    .filter((line) => line.startsWith('{"seq"'))
    .map((line) => JSON.parse(line) as EventRecord);
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  it('ends upkeep in order: what depends on others first', async () => {
    sandbox.write({
      shop: {
        actions: {
          // Named against the order, so that no other order than that of `after` can be right by chance.
          a_base: sleeper(),
          c_middle: sleeper({ after: ['a_base'] }),
          b_front: sleeper({ after: ['c_middle'] }),
        },
      },
    });
    await sandbox.up({}, '--json');
    await until(async () => (await sandbox.service('shop')).state === 'up');
    send(signal);
    expect(await ended()).toBe(0);
    expect(sandbox.marked()).toEqual([]);

    const moves = printed()
      .filter(({ to, from }) => (to === 'stopping' || to === 'stopped') && from !== to)
      .map(({ action, to }) => `${action} ${to}`);
    expect(moves).toEqual([
      ...['b_front stopping', 'b_front stopped'],
      ...['c_middle stopping', 'c_middle stopped'],
      ...['a_base stopping', 'a_base stopped'],
    ]);
    const notices = sandbox.output.split('\n').filter((line) => line.startsWith('{"notice"'));
    expect(JSON.parse(notices.at(-2) ?? '{}').notice).toBe(
      `${signal}: upkeep stops what it runs, in order; the next start goes on with it`,
    );
    expect(JSON.parse(notices.at(-1) ?? '{}').notice).toBe('upkeep has ended');

    // Nothing of what is wanted has changed.
    await sandbox.up();
    await until(async () => (await sandbox.service('shop')).state === 'up');
    expect(await sandbox.service('shop')).toMatchObject({ wanted: 'up' });
  });

  it('twice says what it waits for, and hurries nothing', async () => {
    const go = sandbox.path('go');
    const ready = sandbox.path('ready');
    const slow = `trap 'while ! [ -e ${go} ]; do sleep 0.02; done; exit 0' TERM; : >${ready}; while :; do sleep 0.02; done`;
    sandbox.write({ web: { actions: { main: sleeper({ run: slow, stop: { timeout: '1h' } }) } } });
    await sandbox.up();
    await until(() => existsSync(ready));
    await sandbox.untilAction('web', (action) => action.phase === 'running');
    const pid = pidOf(await sandbox.action('web'));

    send(signal);
    await untilSaid(`${signal}: upkeep stops what it runs`);
    const waits = `it waits for\n  web/main is stopping (pid ${pid}), SIGKILL after 3600 s\n`;
    for (const again of [signal, 'SIGTERM', 'SIGINT'] as const) {
      sandbox.output = '';
      send(again);
      await untilSaid(`${again}: upkeep is ending already; ${waits}`);
    }
    expect(sandbox.daemon?.exitCode).toBeNull();
    expect(sandbox.marked().map((process) => process.pid)).toContain(pid);

    writeFileSync(go, '');
    expect(await ended()).toBe(0);
    await untilSaid('upkeep has ended');
    expect(sandbox.marked()).toEqual([]);
    // It was asked once: a second signal to upkeep is none to the service.
    expect(sandbox.output).not.toContain('STOP_TIMEOUT');
  });
});

describe('SIGHUP', () => {
  const show = (name: string, word: string): object => ({
    actions: { main: sleeper({ run: `echo ${word} >>${sandbox.path(name)}; exec sleep 1000` }) },
  });

  async function pids(): Promise<Record<string, number | null>> {
    const { items } = await sandbox.client.call('service.list', {});
    return Object.fromEntries(items.map(({ name, actions }) => [name, actions[0]?.pid ?? null]));
  }

  const allUp = async (): Promise<boolean> => {
    const { items } = await sandbox.client.call('service.list', {});
    return items.every(({ state }) => state === 'up');
  };

  it('takes up what is new in the file, restarts what has changed, ends what is gone, and spares the rest', async () => {
    sandbox.write({ same: show('same', 'one'), changed: show('changed', 'one'), gone: show('gone', 'one') });
    await sandbox.up();
    await until(allUp);
    const before = await pids();
    const { job_id } = await sandbox.action('changed');
    const { run_id } = await sandbox.service('changed');

    sandbox.write({
      same: show('same', 'one'),
      changed: show('changed', 'two'),
      added: show('added', 'two'),
    });
    send('SIGHUP');
    await untilSaid(`SIGHUP: ${sandbox.file} was read again`);
    await until(async () => {
      const now = await pids();
      return !('gone' in now) && now['changed'] !== before['changed'] && (await allUp());
    });
    const after = await pids();
    expect(Object.keys(after).sort()).toEqual(['added', 'changed', 'same']);
    expect(after['same']).toBe(before['same']);
    expect(await sandbox.action('same')).toMatchObject({ restart_count: 0 });
    expect(await sandbox.service('changed')).toMatchObject({ run_id });
    expect(await sandbox.action('changed')).toMatchObject({ job_id, restart_count: 1 });
    await until(() => existsSync(sandbox.path('added')));
    await until(() => readFileSync(sandbox.path('changed'), 'utf8') === 'one\ntwo\n');
    expect((await sandbox.events('changed')).map(({ code }) => code)).toContain('SPEC_CHANGED');
    expect(new Set(sandbox.marked().map(({ pid }) => pid))).toEqual(new Set(Object.values(after)));
  });

  it('changes nothing for a file that is not right, says why and where, and takes it once it is mended', async () => {
    sandbox.write({ web: show('web', 'one') });
    await sandbox.up();
    await until(allUp);
    const before = await pids();
    const text = readFileSync(sandbox.file, 'utf8');

    // New services stand in front of what is wrong: nothing of the file may be used.
    sandbox.write({ added: show('added', 'two'), web: { actions: { main: { run: 'true', proces: true } } } });
    send('SIGHUP');
    await untilSaid(`SIGHUP: ${sandbox.file} cannot be used, so nothing is changed\n${sandbox.file}:`);
    expect(sandbox.output).toMatch(/upkeep\.yaml:\d+:\d+ services\.web\.actions\.main\.proces/);
    expect(await pids()).toEqual(before);

    sandbox.output = '';
    writeFileSync(sandbox.file, `${text}\n]`);
    send('SIGHUP');
    await untilSaid(`SIGHUP: ${sandbox.file} cannot be used, so nothing is changed\n${sandbox.file}:`);
    expect(await pids()).toEqual(before);
    expect(existsSync(sandbox.path('added'))).toBe(false);
    expect(await sandbox.action('web')).toMatchObject({ restart_count: 0, phase: 'running' });

    sandbox.write({ web: show('web', 'one'), added: show('added', 'two') });
    send('SIGHUP');
    await until(async () => 'added' in (await pids()) && (await allUp()));
    expect(await pids()).toMatchObject(before);
  });
});
