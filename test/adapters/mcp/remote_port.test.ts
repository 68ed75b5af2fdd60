/**
 * What an MCP server in a process of its own may do, by what the daemon tells of itself.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '../../../adapters/client/client.ts';
import { NoDaemon } from '../../../adapters/client/errors.ts';
import { createApp } from '../../../adapters/http/app.ts';
import { serveUnix } from '../../../adapters/http/serve_unix.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { type RemotePort, remotePort } from '../../../adapters/mcp/remote_port.ts';
import { upkeepFace } from '../../../adapters/mcp/upkeep_face.ts';
import { FakeControl, fakeAccess } from '../../core/operation/fake_control.ts';
import { smallHost } from '../http/small_host.ts';
import { connected, textOf } from './connected.ts';

let control: FakeControl;
let dir: string;
let ends: (() => unknown)[];

beforeEach(() => {
  control = new FakeControl();
  dir = fs.mkdtempSync(join(tmpdir(), 'upkeep-remote-'));
  ends = [() => fs.rmSync(dir, { recursive: true, force: true })];
});

afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

async function serve(): Promise<void> {
  const streams = new OpenStreams();
  const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
  const server = await serveUnix(app, join(dir, 'socket'), { host: smallHost, streams });
  ends.push(() => server.close(0));
}

function port(read_only = false): RemotePort {
  const made = remotePort({
    connect: (actor) => createClient(join(dir, 'socket'), { actor }),
    read_only,
    advice: 'Start it',
  });
  ends.push(() => made.close());
  return made;
}

async function offered(remote: RemotePort): Promise<string[]> {
  const { client, close } = await connected(upkeepFace(remote));
  ends.push(close);
  return (await client.listTools()).tools.map(({ name }) => name);
}

test('everything is offered where the daemon takes commands', async () => {
  await serve();
  expect(await offered(port())).toEqual(expect.arrayContaining(['list', 'stop', 'heal', 'apply_spec']));
});

test.each(['the daemon', 'this server'])(
  'nothing destructive where %s is read-only, and it is refused',
  async (who) => {
    const own = who === 'this server';
    if (!own) control.access = fakeAccess({ read_only: true });
    await serve();
    const remote = port(own);
    const tools = await offered(remote);
    expect(tools).toEqual(expect.arrayContaining(['list', 'plan_heal']));
    for (const name of ['start', 'stop', 'restart', 'heal', 'apply_spec']) expect(tools).not.toContain(name);

    const { client, close } = await connected(upkeepFace(remote));
    ends.push(close);
    const stopped = await client.callTool({ name: 'stop', arguments: { name: 'web', confirm: true } });
    expect(stopped._meta).toMatchObject({ 'upkeep/error': { code: 'forbidden' } });
    expect(textOf(stopped)).toContain(`${own ? 'this server' : 'upkeep'} was started with --read-only`);
    expect(control.calls).toEqual([]);
    expect(textOf(await client.callTool({ name: 'plan_heal', arguments: { name: 'web' } }))).toContain(
      'start main now',
    );
  },
);

test.each(['no daemon runs', 'there is not even a state folder'])(
  'where %s everything is offered, and a call tells',
  async (what) => {
    const none = remotePort({
      connect: (actor) => {
        if (what === 'no daemon runs') return createClient(join(dir, 'socket'), { actor });
        throw new NoDaemon(dir);
      },
      read_only: false,
      advice: 'Start it',
    });
    ends.push(() => none.close());
    expect(await offered(none)).toContain('stop');
    const call = none.call('service.list', {}, { actor: 'mcp:x', signal: new AbortController().signal });
    await expect(call).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Start it'),
    });
  },
);
