/**
 * MCP: a call as the tool that says the same, where there is one.
 */
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Tool } from '../../../adapters/mcp/tool.ts';
import { confirmation } from '../../../adapters/mcp/tool_schema.ts';
import { type NotOffered, OFFERED, TOOLS } from '../../../adapters/mcp/tool_table.ts';
import type { CallName } from '../../../core/operation/table.ts';
import { failed, type Outcome } from '../outcome.ts';
import type { World } from '../world.ts';
import type { Face, Input } from './face.ts';
import { send, textOf } from './http_face.ts';

const MAIN = fileURLToPath(new URL('../../../dist/adapters/cli/main.js', import.meta.url));

interface ToolCall {
  readonly name: string;
  readonly arguments: Input;
}

interface ToolResult {
  readonly isError?: boolean;
  readonly structuredContent?: Record<string, unknown>;
  readonly _meta?: Record<string, unknown>;
}

/** `/mcp` over TCP, each request for itself. */
export function mcpTcpFace(world: World): Face {
  return mcpFace('mcp tcp', true, async (params, as) => {
    const response = await send(world, 'tcp', as, {
      method: 'POST',
      path: '/mcp',
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      headers: { accept: 'application/json, text/event-stream' },
    });
    const [, data = ''] = /^data: (.*)$/m.exec(await textOf(response)) ?? [];
    return JSON.parse(data).result;
  });
}

/** `upkeep mcp`, with the client of the protocol's own library. */
export async function mcpStdioFace(world: World): Promise<Face> {
  const client = new Client({ name: 'agreement', version: '1' });
  const args = [MAIN, 'mcp', '--state', world.box.state];
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  // From then on each answer is checked by the schema that its tool publishes.
  await client.listTools();
  const face = mcpFace('mcp stdio', false, async (params) => {
    return (await client.callTool({ ...params })) as ToolResult;
  });
  return { ...face, close: () => client.close() };
}

function mcpFace(
  name: string,
  tokens: boolean,
  ask: (call: ToolCall, as: Parameters<Face['call']>[2]) => Promise<ToolResult>,
): Face {
  return {
    name,
    tokens,
    async call(operation, input, as) {
      const call = toolCall(operation, input);
      return 'unsaid' in call ? call : outcomeOf(call.name, await ask(call, as));
    },
  };
}

/** The tool that says this, and its arguments. */
export function toolCall(operation: CallName, input: Input): ToolCall | { readonly unsaid: string } {
  const entry: NotOffered | readonly object[] = OFFERED[operation];
  if ('not_offered' in entry) return { unsaid: entry.not_offered };
  // Each stands beside its own operation.
  const tool = (entry as readonly Tool[]).find((candidate) => fits(candidate, input));
  if (tool === undefined) return { unsaid: 'no tool sets these fields' };
  if (confirmation(tool) === 'plan' && !('plan_id' in input) && !('confirm' in input)) {
    return { unsaid: 'a tool that is not confirmed says how to confirm it' };
  }
  const preset: Input = tool.preset ?? {};
  const left = Object.entries(input).filter(([field]) => !(field in preset));
  return {
    name: tool.name,
    arguments: {
      // What the operation does where nothing is said, where the tool would do something else.
      ...(tool.defaults !== undefined && 'wait' in tool.defaults ? { wait: false } : {}),
      ...Object.fromEntries(left),
      ...(confirmation(tool) === 'confirm' && input['dry_run'] !== true ? { confirm: true } : {}),
    },
  };
}

function fits(tool: Tool, input: Input): boolean {
  const preset: Input = tool.preset ?? {};
  const hidden: readonly string[] = tool.hidden ?? [];
  const required: readonly string[] = tool.required ?? [];
  return (
    Object.entries(preset).every(([field, value]) => input[field] === value) &&
    !hidden.some((field) => field in input) &&
    required.every((field) => field in input)
  );
}

function outcomeOf(name: string, { isError, structuredContent, _meta }: ToolResult): Outcome {
  if (isError !== true) {
    const { untrusted: _, next, ...answer } = structuredContent ?? {};
    const { calls = [] } = toolNamed(name);
    // What to call next: where the operation says it too it is told as a call of a tool, else it is the tool's own word.
    const said = calls.includes('next') ? { ...answer, next } : answer;
    return { answer: calls.reduce<unknown>((value, path) => asOperations(value, path.split('.')), said) };
  }
  const error = _meta?.['upkeep/error'] as { code: string; message: string } | undefined;
  if (error === undefined) throw new Error('a tool failed and does not say how');
  return failed({ ...error, detail: error.message });
}

function toolNamed(name: string): Tool {
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return tool;
}

/** The calls of tools at a path such as `actions[].next`, as the calls of operations that they stand for. */
function asOperations(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) {
    if (value === null) return null;
    const call = value as { tool: string; arguments: Input };
    const { operation, preset } = toolNamed(call.tool);
    return { operation, input: { ...call.arguments, ...preset } };
  }
  const key = step.replace('[]', '');
  const there = (value as Input)[key];
  const under = step.endsWith('[]')
    ? (there as unknown[]).map((item) => asOperations(item, rest))
    : asOperations(there, rest);
  return { ...(value as Input), [key]: under };
}
