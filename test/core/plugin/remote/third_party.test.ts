/** A plugin of somebody else's of each kind, in a process of its own, through the ports, on every Node there is. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  remoteHealthCheck,
  remoteNotifier,
  remoteProbe,
  remoteRotator,
} from '../../../../core/plugin/remote/adapters.ts';
import type { PluginDescription } from '../../../../core/plugin/remote/boot.ts';
import type { EventRecord } from '../../../../core/store/records.ts';
import { NODES, PLUGINS } from '../../../support/plugins.ts';
import { until } from '../../../support/until.ts';
import { aLook, type Driven, Driver } from './driver.ts';

const EVENT: EventRecord = {
  seq: 1,
  time: 0,
  service: 'shop',
  action: null,
  job_id: null,
  incarnation: null,
  from: null,
  to: null,
  code: 'EXITED',
  message: 'exited',
  evidence: {},
  actor: 'core',
  cause: null,
};

function described({ plugin: { description } }: Driven): PluginDescription {
  if (description === null) throw new Error('it has not said what it is');
  return description;
}

describe.each(NODES)('on $name', ({ runtime, needs }) => {
  const driver = new Driver();
  const test = needs === null ? it : it.skip;
  const titled = (title: string): string => (needs === null ? title : `${title} (needs ${needs})`);
  afterAll(() => driver.end());

  test(titled('a health check in one TypeScript file'), async () => {
    const file = join(driver.dir, 'queue');
    writeFileSync(file, '7');
    const driven = await driver.ready('health_queue.ts', { read: [driver.dir] }, runtime);
    const check = remoteHealthCheck(driven.plugin, described(driven));
    expect(check).toMatchObject({ name: 'queue', summary: 'The queue is not longer than it may be.' });
    expect(await check.look({ file }, aLook())).toEqual({
      status: 'pass',
      message: '7 waiting',
      data: { length: 7, max: 100, pid: process.pid },
    });
    expect(await check.look({ file, max: 6 }, aLook())).toMatchObject({ status: 'fail' });
    await expect(check.look({ file: '/etc/hostname' }, aLook())).rejects.toThrow(
      'needs the permission read: /etc/hostname',
    );
    await expect(check.look({ file, max: 'many' }, aLook())).rejects.toThrow('Expected number');
    expect(driven.plugin).toMatchObject({ calls: 4, faults: 0, denied: 1 });
  });

  test(titled('a health check in JavaScript, which talks over a connection'), async () => {
    const server = createServer((socket) => void socket.on('data', (data) => socket.end(`you say ${data}`)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const driven = await driver.ready('health_greeting.js', { net: [`127.0.0.1:${port}`] }, runtime);
    const check = remoteHealthCheck(driven.plugin, described(driven));
    expect(await check.look({ port, says: 'hello' }, aLook())).toMatchObject({ status: 'pass' });
    expect(await check.look({ port, says: 'bye' }, aLook())).toMatchObject({ status: 'fail' });
    await expect(check.look({ port: 1, says: '' }, aLook())).rejects.toThrow(
      'needs the permission net: 127.0.0.1:1',
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(check.look({ port, says: '' }, aLook())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test(titled('a probe in a folder of two files, which runs a program'), async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const claim = { kind: 'tcp', address: null, port } as const;
    const query = { claims: [claim], suspects: [], exhaustive: true };
    const driven = await driver.ready('probe_folder', { run: ['ss'] }, runtime);
    const probe = remoteProbe(driven.plugin, described(driven), () => ({}));
    expect(await probe.available(driver.host)).toBe(true);
    const { holders, complete } = await probe.holders(query, driver.host);
    expect(complete).toBe(true);
    expect(holders).toMatchObject([
      { claim, process: driver.host.processes.identity(process.pid), address: '127.0.0.1' },
    ]);
    const other = remoteProbe(driven.plugin, described(driven), () => ({ program: 'sh' }));
    await expect(other.holders(query, driver.host)).rejects.toThrow('needs the permission run: sh');
    server.close();
  });

  test(titled('a rotator, whose answer is that to the last look'), async () => {
    const driven = await driver.ready('rotate_half.ts', {}, runtime);
    const rotator = remoteRotator(driven.plugin, described(driven), driver.host.clock);
    const rule = { type: 'half', size: 100_000 };
    const look = { occasion: 'look', size: 200_000, begun_at: 5, now: 6 } as const;
    const asked = async (calls: number): Promise<void> => until(() => driven.plugin.calls >= calls);
    expect(rotator.decide(look, rule)).toEqual({ action: 'keep' });
    await until(() => rotator.decide({ ...look, occasion: 'restart' }, rule).action === 'rotate');
    expect(rotator.decide(look, rule)).toEqual({ action: 'rotate', bytes: 50_000 });
    // It is asked again when it is carried out, and once it is, the log is smaller.
    expect(rotator.decide(look, rule)).toEqual({ action: 'rotate', bytes: 50_000 });
    expect(rotator.decide({ ...look, size: 150_000 }, rule)).toEqual({ action: 'keep' });
    // What was said of one log is said of no other.
    expect(rotator.decide({ ...look, begun_at: 9, size: 3 }, rule)).toEqual({ action: 'keep' });
    await asked(6);
    expect(rotator.decide({ ...look, begun_at: 9, size: 3 }, rule)).toEqual({ action: 'keep' });
  });

  test(titled('a notifier, which sends a request'), async () => {
    const heard: string[] = [];
    const server = createHttpServer((request, response) => {
      request.on('data', (data) => heard.push(String(data)));
      request.on('end', () => response.writeHead(request.url === '/ok' ? 200 : 500).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const driven = await driver.ready('notify_post.ts', { net: ['127.0.0.1'] }, runtime);
    const notifier = remoteNotifier(driven.plugin, described(driven));
    const { signal } = new AbortController();
    await notifier.notify(EVENT, { url: `http://127.0.0.1:${port}/ok` }, signal);
    expect(heard).toEqual(['EXITED']);
    const refused = notifier.notify(EVENT, { url: `http://127.0.0.1:${port}/no` }, signal);
    await expect(refused).rejects.toThrow('answered 500');
    await new Promise((resolve) => server.close(resolve));
  });

  test(titled('a package, by its name, with a package of its own'), async () => {
    const modules = join(driver.dir, 'node_modules');
    cpSync(join(PLUGINS, 'packages'), modules, { recursive: true });
    mkdirSync(join(driver.dir, 'project'), { recursive: true });
    const driven = await driver.ready(join(modules, 'upkeep-health-answer'), {}, runtime);
    const check = remoteHealthCheck(driven.plugin, described(driven));
    expect(await check.look({}, aLook())).toEqual({ status: 'pass', message: 'it is 42' });
  });
});
