/**
 * MCP over standard input and output: one client, for as long as its pipe is open.
 */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Clock } from '../../core/host/host.ts';
import type { Face } from './face.ts';
import { mcpServer } from './server.ts';

/** What serving needs. */
export interface StdioOptions {
  readonly version: string;
  readonly clock: Pick<Clock, 'timer'>;
  readonly report: (error: unknown) => void;
}

/** Serves the process's own input and output; resolves when the client has left. */
export async function serveStdio(face: Face, options: StdioOptions): Promise<void> {
  const { stdin, stdout } = process;
  const server = mcpServer(face, {
    ...options,
    lasting: true,
    // More than a pipe holds: whoever does not read gets no more than that.
    keepsUp: () => stdout.writableLength < 1024 * 1024,
  });
  // The transport does not notice by itself that nobody will ever write again.
  const left = new Promise<void>((resolve) => {
    stdin.once('end', resolve);
    stdin.once('close', resolve);
    stdout.once('error', () => resolve());
  });
  await server.connect(new StdioServerTransport());
  await left;
  await server.close();
}
