/**
 * What is to be known of logs, plugins, the store and who is told: notes of an explanation, each brought about for real.
 */
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeHost } from '../../core/host/node_host.ts';
import type { ReasonCode } from '../../core/job/reason.ts';
import type { WhyNote } from '../../core/supervisor/notes.ts';
import { NODES, PLUGINS } from '../support/plugins.ts';
import { freePort, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { sleeper, WhyLab } from './why_lab.ts';

const needs = NODES[0]?.needs ?? null;
const withPlugins = needs === null ? it : it.skip;
const titled = (title: string): string => (needs === null ? title : `${title} (needs ${needs})`);

let lab: WhyLab;
beforeEach(() => {
  lab = new WhyLab();
});
afterEach(() => lab.remove());

/** The folder of the job's log. */
function logFolder(): string {
  return lab.path('state', 'logs', 'web', 'main', lab.action().job_id ?? '');
}

/** Writes to its log all the time. */
const CHATTY = 'while :; do echo "a line of a log that grows and grows"; done';

it('LOG_TRUNCATED: from which size to which', async () => {
  // It goes on writing: at some look the log was larger than it is at the next.
  const run = `while :; do yes 'a line' | head -c 200000; sleep 0.2; done`;
  await lab.start(sleeper({ run }));
  await lab.until(({ phase }) => phase === 'running');
  const log = join(logFolder(), 'current.log');
  await until(async () => {
    if (statSync(log).size >= 1_000_000) truncateSync(log, 0);
    const { notes } = await lab.why();
    return notes.some(({ code }) => code === 'LOG_TRUNCATED');
  }, 200);
  const note = await lab.note('LOG_TRUNCATED');
  expect(note).toMatchObject({ evidence: { size: expect.any(Number) }, next: null });
  expect(note.next_step).toContain('append');
});

it('LOG_LOSSY: where no head can be taken out of a file', async () => {
  // A file system without fallocate is not to be had everywhere: the program that it takes is refused instead.
  const host = nodeHost();
  const { spawner } = host;
  const run: typeof spawner.run = (file, args, options) =>
    spawner.run(file === 'fallocate' ? 'false' : file, args, options);
  const logs = { rotate: [{ type: 'size', max: '64KiB' }], keep: 2, compress: 'none' };
  await lab.start(sleeper({ run: CHATTY, logs }), {
    host: { ...host, spawner: { ...spawner, run, spawn: (request) => spawner.spawn(request) } },
  });
  const note = await lab.note('LOG_LOSSY');
  expect(note.next_step).toContain('fallocate');
});

it('LOG_DEGRADED: what of its log cannot be seen to', async () => {
  // No disk is full for one file only: the index of the log is refused instead.
  const host = nodeHost();
  const writeFileSync: typeof host.files.writeFileSync = (path, ...rest) => {
    if (String(path).endsWith('.idx')) throw new Error('ENOSPC: no space left on device');
    host.files.writeFileSync(path, ...rest);
  };
  await lab.start(sleeper(), { host: { ...host, files: { ...host.files, writeFileSync } } });
  const note = await lab.note('LOG_DEGRADED');
  expect(note.next_step).toContain('disk');
});

it('NOTIFY_DEGRADED: who cannot be told, on every service', async () => {
  const url = `http://127.0.0.1:${await freePort()}/`;
  const notify = [{ type: 'webhook', url, events: ['EXITED'] }];
  lab.write({ main: sleeper({ run: 'exit 3' }) }, { notify });
  await lab.start(null);
  const note = await lab.note('NOTIFY_DEGRADED');
  expect(note).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  expect(note.next).toEqual({ operation: 'health.get', input: {} });
});

it('STORE_DEGRADED: that the store does not work, on every service', async () => {
  mkdirSync(lab.path('state'), { mode: 0o700 });
  writeFileSync(lab.path('state', 'upkeep.db'), 'this is no database'.repeat(1000));
  await lab.start(sleeper());
  const note = await lab.note('STORE_DEGRADED');
  expect(note.next).toEqual({ operation: 'health.get', input: {} });
});

/** A note about upkeep itself, from the real program: the process of a plugin runs what is compiled. */
async function pluginNote(sandbox: Sandbox, code: ReasonCode): Promise<WhyNote> {
  let found: WhyNote | undefined;
  await until(async () => {
    found = (await sandbox.why('web')).notes.find((note) => note.code === code);
    return found !== undefined;
  }, 50);
  if (found === undefined) throw new Error('unreachable');
  expect(found.next_step).not.toBe('');
  return found;
}

/** Starts the real program with one plugin. */
async function withPlugin(name: string, look: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  const sandbox = new Sandbox({});
  try {
    sandbox.write({ web: { actions: { main: sleeper() } } }, [{ path: resolve(PLUGINS, name) }]);
    await sandbox.up();
    await look(sandbox);
  } finally {
    await sandbox.remove();
  }
}

const PLUGIN_LIST = { operation: 'plugin.list', input: {} };

withPlugins(titled('PLUGIN_LIMITED: what a plugin is not granted'), () =>
  withPlugin('probe_folder', async (sandbox) => {
    const note = await pluginNote(sandbox, 'PLUGIN_LIMITED');
    expect(note).toMatchObject({ next: PLUGIN_LIST, evidence: { missing: ['run: ss', 'run: sh'] } });
  }),
);

withPlugins(
  titled('PLUGIN_FAILED and PLUGIN_QUARANTINED: which plugin fails, and that it is left alone'),
  () =>
    withPlugin('hostile_start.ts', async (sandbox) => {
      expect(await pluginNote(sandbox, 'PLUGIN_FAILED')).toMatchObject({ next: PLUGIN_LIST });
      expect(await pluginNote(sandbox, 'PLUGIN_QUARANTINED')).toMatchObject({ next: PLUGIN_LIST });
    }),
);
