/**
 * The suite on a real HTTP server and a real program.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { nodeHost } from '../../core/host/node_host.ts';
import { inProcessNotifier } from '../../core/plugin/notifier.ts';
import { execNotifier } from '../../plugins/notify_exec.ts';
import { webhookNotifier } from '../../plugins/notify_webhook.ts';
import { freePort } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { type NotifierWorld, notifierCases } from './notifier.ts';
import { describeContract } from './vitest.ts';

const host = nodeHost();

const webhook: NotifierWorld = {
  notifier: inProcessNotifier(webhookNotifier, host),
  nobody: { url: `http://127.0.0.1:${await freePort()}/` },
  async listen(mood) {
    const heard: unknown[] = [];
    const sockets = new Set<Socket>();
    const kept: ServerResponse[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      heard.push(JSON.parse(body));
      if (mood === 'hangs') kept.push(response);
      else response.writeHead(mood === 'takes' ? 204 : 500).end();
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      options: { url: `http://127.0.0.1:${port}/hook` },
      heard: () => heard,
      begun: () => until(() => kept.length > 0),
      async left() {
        // The other end hears of it a moment later.
        await until(() => sockets.size === 0);
        return [];
      },
      async close() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};

const exec: NotifierWorld = {
  notifier: inProcessNotifier(execNotifier, host),
  nobody: { run: ['/no/such/program'] },
  async listen(mood) {
    const dir = mkdtempSync(join(tmpdir(), 'upkeep-notify-'));
    const marker = `upkeep-notify-test-${dir.slice(-6)}`;
    const program = join(dir, 'listen.mjs');
    const after = {
      takes: '',
      refuses: 'process.exitCode = 3;',
      // A child of its own, which must not be left behind either.
      hangs: `spawn('sleep', ['1000'], { argv0: '${marker}', stdio: 'inherit' }).on('spawn', () => writeFileSync('${dir}/begun', ''));`,
    }[mood];
    writeFileSync(
      program,
      `import { appendFileSync, writeFileSync } from 'node:fs';
       import { spawn } from 'node:child_process';
       appendFileSync('${dir}/heard', process.env.UPKEEP_EVENT + '\\n');
       ${after}`,
    );
    const names = () => readdirSync(dir);
    return {
      options: { run: [process.execPath, program] },
      heard: () =>
        readFileSync(join(dir, 'heard'), 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line)),
      begun: () => until(() => names().includes('begun')),
      async left() {
        const alive = () =>
          host.processes
            .list()
            .map((pid) => host.processes.argv(pid)?.join(' ') ?? '')
            .filter((line) => line.includes(marker) || line.includes(program));
        await until(() => alive().length === 0);
        return alive();
      },
      close: async () => rmSync(dir, { recursive: true, force: true }),
    };
  },
};

describe('the notifier webhook', () => describeContract(notifierCases(webhook)));

describe('the notifier exec', () => describeContract(notifierCases(exec)));
