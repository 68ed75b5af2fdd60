/**
 * An MCP client and a server in one process, over the SDK's own pair of transports.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { CallToolResult, ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'vitest';
import type { Face } from '../../../adapters/mcp/face.ts';
import { mcpServer, type ServerOptions } from '../../../adapters/mcp/server.ts';
import { smallHost } from '../http/small_host.ts';

/** Both ends. */
export interface Connected {
  readonly client: Client;
  /** What upkeep would have written into its own log. */
  readonly reported: unknown[];
  close(): Promise<void>;
}

export async function connected(
  face: Face,
  capabilities: ClientCapabilities = {},
  options: Partial<ServerOptions> = {},
): Promise<Connected> {
  const reported: unknown[] = [];
  const server = mcpServer(face, {
    version: '1.2.3',
    clock: smallHost.clock,
    lasting: true,
    report: (error) => reported.push(error),
    ...options,
  });
  const client = new Client({ name: 'a test', version: '1' }, { capabilities });
  const [here, there] = InMemoryTransport.createLinkedPair();
  await server.connect(there);
  await client.connect(here);
  return { client, reported, close: () => client.close() };
}

/** All the text of an answer. */
export function textOf(result: unknown): string {
  return (result as CallToolResult).content
    .map((block) => (block.type === 'text' ? block.text : `(${block.type})`))
    .join('\n');
}

/** Expects something of what is asked again and again. A slow machine is no failure: the limit is nearly the test's own. */
export function eventually<T>(ask: () => T | Promise<T>): ReturnType<typeof expect.poll<T>> {
  return expect.poll(ask, { timeout: 50_000 });
}
