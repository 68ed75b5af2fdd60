/** Plugins that mean no good, or know no better: each is contained, and each is told of. */
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { HealthResult } from '../../../../core/plugin/definition.ts';
import { isPluginsFault, remoteHealthCheck } from '../../../../core/plugin/remote/adapters.ts';
import { NODES } from '../../../support/plugins.ts';
import { until } from '../../../support/until.ts';
import { aLook, type Driven, Driver } from './driver.ts';

/** What one look comes to, or what it throws. */
async function look({ plugin }: Driven, options: object, timeout = 60_000): Promise<HealthResult | Error> {
  const { description } = plugin;
  if (description === null) throw new Error('it has not said what it is');
  const signal = AbortSignal.timeout(timeout);
  return await remoteHealthCheck(plugin, description)
    .look({ ...options }, aLook(signal))
    .catch((error: Error) => error);
}

/** Bytes of memory that a process has in use. */
function residentOf(pid: number): number {
  const [, kilobytes = '0'] = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

const GIGABYTE = 1024 ** 3;

describe.each(NODES)('on $name', ({ runtime, needs }) => {
  const driver = new Driver();
  const test = needs === null ? it : it.skip;
  const titled = (title: string): string => (needs === null ? title : `${title} (needs ${needs})`);
  afterAll(() => driver.end());

  const started = new Map<string, Promise<Driven>>();
  /** The same one for many cases: what comes after a fault is a new process anyway. */
  function always(path: string): Promise<Driven> {
    const found = started.get(path) ?? driver.ready(path, {}, runtime);
    started.set(path, found);
    return found;
  }

  test.each(['loop', 'never'])(titled('one that hangs: %s'), async (how) => {
    const driven = await driver.ready('hostile_hang.ts', {}, runtime);
    const first = driven.pid();
    const thrown = await look(driven, { how }, 100);
    expect(isPluginsFault(thrown)).toBe(true);
    expect(driven.plugin.last_error).toBe("did not answer 'check' in time, nor when it was told to stop");
    expect(driven.reasons).toMatchObject([{ code: 'PLUGIN_FAILED', evidence: { fault: 'deadline' } }]);
    expect(await look(driven, { how: 'not' })).toMatchObject({ status: 'pass' });
    expect(driven.pid()).not.toBe(first);
  });

  test.each(['throw', 'throw_nothing'])(titled('one that throws: %s'), async (how) => {
    const driven = await driver.ready('hostile_end.ts', {}, runtime);
    const thrown = await look(driven, { how });
    expect(thrown).toBeInstanceOf(Error);
    expect((thrown as Error).message.length).toBeLessThan(3_000);
    // That it cannot look is an answer.
    expect(driven.plugin).toMatchObject({ faults: 0, last_error: (thrown as Error).message });
    expect(await look(driven, { how: 'not' })).toMatchObject({ status: 'pass' });
  });

  test.each(['exit', 'later', 'reject', 'abort', 'close'])(
    titled('one that ends its process: %s'),
    async (how) => {
      const driven = await always('hostile_end.ts');
      const before = driven.reasons.length;
      expect(await look(driven, { how })).toMatchObject({ name: 'PluginFault', kind: 'crash' });
      expect(driven.reasons.slice(before)).toMatchObject([
        { code: 'PLUGIN_FAILED', evidence: { fault: 'crash' } },
      ]);
      expect(await look(driven, { how: 'not' })).toMatchObject({ status: 'pass' });
    },
  );

  test.each(['lines', 'messages', 'one', 'wishes'])(titled('one that floods: %s'), async (how) => {
    const driven = await driver.ready('hostile_flood.ts', { run: ['sleep'] }, runtime);
    const before = process.memoryUsage().rss;
    const kind = how === 'lines' ? 'nonsense' : 'flood';
    expect(await look(driven, { how })).toMatchObject({ name: 'PluginFault', kind });
    expect(driven.plugin.faults).toBe(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(GIGABYTE / 10);
  });

  test.each(['heap', 'buffers'])(titled('one that takes memory without end: %s'), async (how) => {
    const driven = await driver.ready('hostile_allocate.ts', {}, runtime);
    let most = 0;
    let over = false;
    const watched = until(() => {
      const pid = driven.pid();
      if (pid !== null && existsSync(`/proc/${pid}`)) most = Math.max(most, residentOf(pid));
      return over;
    });
    const thrown = await look(driven, { how }, 5_000);
    over = true;
    await watched;
    expect(isPluginsFault(thrown)).toBe(true);
    expect(most).toBeLessThan(GIGABYTE / 2);
  });

  test.each([
    ['no_json', 'sends what is no JSON'],
    ['no_message', 'sends what is no message'],
    ['unasked', 'answers what it was not asked'],
    ['deep', 'sends what is nested more than 32 levels deep'],
    ['polluted', 'sends what is no message'],
    ['nothing', "answers 'check' with nonsense: Invalid type: Expected Object but received null"],
    [
      'status',
      'answers \'check\' with nonsense: status: Invalid type: Expected ("pass" | "warn" | "fail") but received "splendid"',
    ],
    ['message', "answers 'check' with nonsense: message: Invalid type: Expected string but received 7"],
    ['extra', 'answers \'check\' with nonsense: restart: Invalid key: Expected never but received "restart"'],
    ['data', "answers 'check' with nonsense: data: Invalid input: Received Object"],
  ])(titled('one that answers nonsense: %s'), async (how, message) => {
    const driven = await always('hostile_nonsense.ts');
    const before = driven.reasons.length;
    expect(await look(driven, { how })).toMatchObject({ name: 'PluginFault', kind: 'nonsense', message });
    expect(driven.reasons.slice(before)).toMatchObject([
      { code: 'PLUGIN_FAILED', evidence: { fault: 'nonsense' } },
    ]);
    expect(await look(driven, { how: 'not' })).toMatchObject({ message: 'sense' });
  });

  test(titled('one that pollutes: no key that means something comes through'), async () => {
    const driven = await driver.ready('hostile_nonsense.ts', {}, runtime);
    expect(await look(driven, { how: 'proto' })).toEqual({ status: 'pass', message: 'sent' });
    const { data } = (await look(driven, { how: 'proto_data' })) as HealthResult;
    expect(data).toEqual({ kept: 1 });
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test(titled('one that is at fault five times in a row is left alone, until that is forgiven'), async () => {
    const driven = await driver.ready('hostile_nonsense.ts', {}, runtime);
    for (let fault = 1; fault <= 4; fault++) await look(driven, { how: 'no_json' });
    await look(driven, { how: 'not' });
    for (let fault = 1; fault <= 5; fault++) await look(driven, { how: 'no_json' });
    expect(driven.plugin.state).toBe('quarantined');
    expect(driven.reasons.map(({ code }) => code)).toEqual([
      ...Array<string>(8).fill('PLUGIN_FAILED'),
      'PLUGIN_QUARANTINED',
    ]);
    expect(await look(driven, { how: 'not' })).toMatchObject({
      name: 'PluginUnavailable',
      message: 'the plugin hostile_nonsense.ts is quarantined: sends what is no JSON',
    });
  });

  test(titled('one that reaches for what it was not granted'), async () => {
    const server = createServer((socket) => void socket.end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    let connected = 0;
    server.on('connection', () => connected++);
    const driven = await driver.ready('hostile_reach.ts', {}, runtime);
    const { data } = (await look(driven, { port })) as HealthResult;
    const { attempts, variables } = data as { attempts: Record<string, string>; variables: string[] };
    const done = Object.entries(attempts).filter(([, how]) => how === 'DONE');
    expect(done).toEqual([]);
    expect(attempts).toMatchObject({
      read: 'ERR_ACCESS_DENIED',
      spawn_now: 'ERR_ACCESS_DENIED',
      connect: 'ERR_ACCESS_DENIED',
      addon: 'ERR_ACCESS_DENIED',
      binding: 'ERR_ACCESS_DENIED',
      worker: 'ERR_ACCESS_DENIED',
      ctx_run: 'ERR_ACCESS_DENIED',
      ctx_read: 'ERR_ACCESS_DENIED',
      ctx_connect: 'ERR_ACCESS_DENIED',
    });
    expect(variables).toEqual([]);
    expect(connected).toBe(0);
    expect(driven.plugin.denied).toBe(6);
    for (const left of ['upkeep-hostile', 'upkeep-hostile.db', 'upkeep-hostile.json']) {
      expect(existsSync(join('/tmp', left))).toBe(false);
    }
    server.close();
  });
});
