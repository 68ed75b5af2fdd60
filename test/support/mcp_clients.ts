/**
 * MCP clients that others wrote, to test with: the conformance suite and the inspector. They stand apart from the
 * project's own packages (`npm ci --prefix test/mcp_clients`), and need a newer Node.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { otherNode } from './other_nodes.ts';

const node = otherNode(24);

/** A program. */
export interface McpClientProgram {
  /** What is missing for it to be run; null where nothing is. */
  readonly needs: string | null;
  /** Runs it to its end. */
  run(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
}

/** The conformance suite. */
export const conformance = program('@modelcontextprotocol/conformance/dist/index.js');

/** The inspector, by its command line. */
export const inspector = program('@modelcontextprotocol/inspector/clients/launcher/build/index.js', '--cli');

/** What the name of a test says that it lacks. */
export function needing({ needs }: McpClientProgram): string {
  return needs === null ? '' : ` (needs ${needs})`;
}

function program(file: string, ...first: string[]): McpClientProgram {
  const path = fileURLToPath(new URL(`../mcp_clients/node_modules/${file}`, import.meta.url));
  const installed = existsSync(path);
  return {
    needs: !installed ? 'npm ci --prefix test/mcp_clients' : node.installed ? null : node.need,
    run: (...args) =>
      ended(spawn(node.path, [path, ...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })),
  };
}

function ended(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
