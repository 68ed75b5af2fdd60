import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { OpenStreams } from '../../../../adapters/http/stream_body.ts';
import { McpHttp } from '../../../../adapters/mcp/http.ts';
import { conformance, needing } from '../../../support/mcp_clients.ts';
import { smallHost } from '../../http/small_host.ts';
import { fixtureFace } from './fixture_face.ts';

/** The suite's own list of what a server must pass for this version of the protocol. */
const REVISION = '2025-11-25';
const REQUIREMENTS = new URL(
  `../../../mcp_clients/node_modules/@modelcontextprotocol/conformance/requirements/${REVISION}.yaml`,
  import.meta.url,
);

const streams = new OpenStreams();
const faults: unknown[] = [];
const http = new McpHttp({
  version: '1',
  clock: smallHost.clock,
  streams,
  report: (error) => faults.push(error),
});
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer(
    getRequestListener((request) => {
      // Stands for what stands before `/mcp` in the daemon: only the names of this machine are answered.
      const host = request.headers.get('host') ?? '';
      if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) return new Response(null, { status: 403 });
      return http.handle(request, { face: fixtureFace, key: 'anybody' });
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}/mcp`;
});

afterAll(async () => {
  http.close();
  streams.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe.skipIf(conformance.needs !== null)(`MCP's conformance suite${needing(conformance)}`, () => {
  // No exceptions: every scenario that is scored passes.
  test(`requirements ${REVISION}`, async () => {
    const { code, output } = await conformance.run(
      'server',
      ...['--url', url, '--requirements', REVISION, '--timeout', '600000'],
    );
    expect(code, output).toBe(0);
    const { server: scored } = parse(readFileSync(REQUIREMENTS, 'utf8')) as { server: string[] };
    expect(scored).toHaveLength(30);
    // By name, as a scenario that was left out or looked at nothing would not fail either.
    for (const scenario of scored) {
      expect(output).toMatch(new RegExp(`✓ ${scenario}: [1-9]\\d* passed, 0 failed`));
    }
    expect(faults).toEqual([]);
  });

  test('a session ends as it should', async () => {
    const { code, output } = await conformance.run(
      'server',
      ...['--url', `${url}?session`, '--scenario', 'server-session-lifecycle', '--timeout', '600000'],
    );
    expect(code, output).toBe(0);
    expect(output).toMatch(/[1-9]\d* passed|Passed: [1-9]/i);
  });
});
