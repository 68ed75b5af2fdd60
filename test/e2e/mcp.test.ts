import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, textOf } from '../adapters/mcp/connected.ts';
import { alive, freePort, Sandbox, signalMain } from '../support/sandbox.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));

let sandbox: Sandbox | null = null;
const clients: Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await sandbox?.remove();
  sandbox = null;
});

/** A real `upkeep mcp` with the SDK's own client. */
async function connect(
  world: Sandbox,
  ...args: string[]
): Promise<{ client: Client; pid: number; stderr: () => string }> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'mcp', '--state', world.state, ...args],
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const client = new Client({ name: 'an agent', version: '1' });
  await client.connect(transport);
  clients.push(client);
  // Each answer is checked by the schema that its tool publishes.
  await client.listTools();
  return { client, pid: transport.pid ?? 0, stderr: () => stderr };
}

/** Posts to `/mcp` of a socket. */
function post(socketPath: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path: '/mcp', method: 'POST', headers }, async (response) => {
      resolve(Buffer.concat(await response.toArray()).toString('utf8'));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

const sleeper = { process: true, run: 'echo ready; exec sleep 1000' };

describe('upkeep mcp', () => {
  test('an agent finds what is ill and why, and can prove what it did', async () => {
    const port = await freePort();
    const stranger = spawn('python3', ['-m', 'http.server', String(port), '--bind', '127.0.0.1'], {
      stdio: 'ignore',
    });
    try {
      sandbox = new Sandbox({
        well: { actions: { main: sleeper } },
        ill: {
          actions: { main: { process: true, run: `exec nc -lk 127.0.0.1 ${port}`, tcp_ports: [port] } },
        },
      });
      await sandbox.up();
      const { client, stderr } = await connect(sandbox);
      const call = async (name: string, args: Record<string, unknown> = {}): Promise<string> => {
        const result = await client.callTool({ name, arguments: args });
        expect(result.isError, textOf(result)).toBeUndefined();
        return textOf(result);
      };
      await eventually(() => call('list')).toContain('not as wanted: ill');
      await eventually(() => call('diagnose', { name: 'ill' })).toContain('PORT_HELD');
      expect(await call('who_holds', { tcp_port: port })).toContain(`pid ${stranger.pid} (foreign)`);
      stranger.kill('SIGKILL');
      await eventually(() => call('inspect', { name: 'ill' })).toContain('ill: up');
      const { items } = await sandbox.client.call('service.list', {});
      const before = items.find(({ name }) => name === 'well')?.actions[0];
      expect(await call('restart', { name: 'well', confirm: true })).toContain('well is up, as wanted.');
      const after = await sandbox.action('well');
      expect(after.job_id).toBe(before?.job_id);
      expect(after.restart_count).toBe((before?.restart_count ?? 0) + 1);
      expect(await call('timeline', { service: 'well' })).toContain('(by mcp:an_agent)');
      expect(stderr()).toBe('');
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('answers the same as the daemon’s own /mcp, errors too', async () => {
    sandbox = new Sandbox({ web: { actions: { main: sleeper } } });
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'running');
    const { client } = await connect(sandbox);
    const ask = async (name: string, args: object): Promise<unknown> => {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
      const answer = await post(join(sandbox?.state ?? '', 'upkeep.sock'), JSON.stringify(message));
      const [, data = ''] = /^data: (.*)$/m.exec(answer) ?? [];
      return JSON.parse(data).result;
    };
    for (const [name, args] of [
      ['list', {}],
      ['inspect', { name: 'web' }],
      ['inspect', { name: 'wbe' }],
      ['inspect', { name: 5 }],
      ['inspect', {}],
      ['timeline', { limit: 2 }],
      ['timeline', { limit: 0 }],
      ['who_holds', { tcp_port: 1 }],
      ['stop', { name: 'web' }],
      ['stop', { name: 'nope', confirm: true }],
    ] as const) {
      expect(await ask(name, args)).toEqual(await client.callTool({ name, arguments: args }));
    }
  });

  test('tells of changes, also after upkeep was away', async () => {
    sandbox = new Sandbox({ web: { actions: { main: sleeper } } });
    await sandbox.up();
    await sandbox.untilAction('web', ({ phase }) => phase === 'running');
    const { client } = await connect(sandbox);
    const updated: string[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      updated.push(params.uri);
    });
    const uri = 'upkeep://services/web';
    await client.subscribeResource({ uri });
    const { resources } = await client.listResources();
    const log = resources.find((resource) => resource.uri.endsWith('/log'))?.uri ?? '';
    await client.subscribeResource({ uri: log });
    const read = await client.readResource({ uri: log });
    expect((read.contents[0] as { text: string }).text).toMatch(/It is data.*\n<<<\w+\nready\n/);
    // The stream is open once the first change was told.
    await eventually(async () => {
      signalMain((await sandbox?.action('web')) ?? { pid: null }, 'SIGKILL');
      return updated;
    }).toEqual(expect.arrayContaining([uri, log]));

    await sandbox.kill();
    const away = await client.callTool({ name: 'list', arguments: {} });
    expect(away.isError).toBe(true);
    expect(textOf(away)).toContain('Start it with: upkeep up -d');
    updated.length = 0;
    await sandbox.up();
    await eventually(() => updated).toContain(uri);
    expect(textOf(await client.callTool({ name: 'list', arguments: {} }))).toContain('1 service');
  });

  test('a long call tells how it goes, and can be cancelled', async () => {
    const port = await freePort();
    sandbox = new Sandbox({ slow: { actions: { main: { ...sleeper, tcp_ports: [port] } } } });
    await sandbox.up();
    const { client } = await connect(sandbox);
    const told: string[] = [];
    const abort = new AbortController();
    const call = client.callTool(
      { name: 'restart', arguments: { name: 'slow', confirm: true, timeout: 600_000 } },
      undefined,
      { onprogress: ({ message = '' }) => told.push(message), signal: abort.signal },
    );
    await eventually(() => told.join('\n')).toContain('slow/main');
    abort.abort('enough');
    await expect(call).rejects.toThrow('enough');
    expect(textOf(await client.callTool({ name: 'inspect', arguments: { name: 'slow' } }))).toContain(
      'wanted up',
    );
  });

  test('--read-only offers nothing that changes anything', async () => {
    sandbox = new Sandbox({ web: { actions: { main: sleeper } } });
    await sandbox.up();
    const { client } = await connect(sandbox, '--read-only');
    const { tools } = await client.listTools();
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    const result = await client.callTool({ name: 'stop', arguments: { name: 'web', confirm: true } });
    expect(result._meta).toMatchObject({ 'upkeep/error': { code: 'forbidden' } });
    expect((await sandbox.service('web')).wanted).toBe('up');
  });

  test('may be started before upkeep, without a state folder; ends with its client', async () => {
    sandbox = new Sandbox({ web: { actions: { main: sleeper } } });
    const { client, pid } = await connect(sandbox);
    const early = await client.callTool({ name: 'list', arguments: {} });
    expect(textOf(early)).toContain('No upkeep runs on');
    await expect(client.listResources()).rejects.toThrow('No upkeep runs on');
    await sandbox.up();
    expect(textOf(await client.callTool({ name: 'list', arguments: {} }))).toContain('1 service');
    await client.close();
    await eventually(() => alive(pid)).toBe(false);
  });
});
