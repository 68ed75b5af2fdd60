/**
 * An agent that has never seen the machine: it knows the protocol and what the server says of itself, and nothing of
 * upkeep's tools, nor of what is wrong. It does what each answer says should come next, within bounds of its own: it
 * needs to have seen a plan before it does what may interrupt something.
 */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { expect } from 'vitest';
import type { HealPlan, HealResult } from '../../core/heal/heal_control.ts';
import type { Why } from '../../core/supervisor/control.ts';
import { textOf } from '../adapters/mcp/connected.ts';

/** So many calls must do. */
export const MOST_CALLS = 5;

/** What fits into a model's attention beside everything else, in characters. */
const SHORT_TEXT = 6_000;
const SHORT_ANSWER = 30_000;

/** What should be called. */
interface Next {
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
}

/** A call, and what came of it. */
export interface Called extends Next {
  readonly text: string;
  readonly answer: Record<string, unknown>;
}

/** What the agent has done and found. */
export interface Report {
  readonly calls: readonly Called[];
  /** The names of the tools, in the order in which they were called. */
  readonly tools: readonly string[];
  /** What the answer that came last says should follow, and was not done any more. */
  readonly left: Next | null;
  /** The first answer of its kind; null where there was none. */
  readonly diagnosis: Why | null;
  readonly plan: HealPlan | null;
  readonly result: HealResult | null;
}

/** Looks for what is ill, and mends it as far as it is told how. */
export async function mend(client: Client): Promise<Report> {
  const { tools } = await client.listTools();
  const calls: Called[] = [];
  const first = tools.find(({ description = '' }) => description.includes('Begin here'));
  let next: Next | null = first === undefined ? null : { tool: first.name, arguments: {} };
  while (next !== null && calls.length < MOST_CALLS) {
    const called: Called = await make(client, tools, next, calls.at(-1));
    calls.push(called);
    next = nextOf(called);
  }
  const answerWith = (...fields: readonly string[]): unknown =>
    calls.find(({ answer }) => fields.every((field) => Object.hasOwn(answer, field)))?.answer ?? null;
  return {
    calls,
    tools: calls.map(({ tool }) => tool),
    left: next,
    diagnosis: answerWith('summary', 'actions') as Why | null,
    plan: answerWith('steps', 'blocked') as HealPlan | null,
    result: answerWith('outcome', 'verification') as HealResult | null,
  };
}

async function make(
  client: Client,
  tools: readonly Tool[],
  next: Next,
  before: Called | undefined,
): Promise<Called> {
  const tool = tools.find(({ name }) => name === next.tool);
  if (tool === undefined) throw new Error(`there is no tool ${next.tool}`);
  // What may interrupt something is done by a plan that was just seen, and by nothing else.
  if (tool.annotations?.destructiveHint === true) {
    expect(before?.answer).toMatchObject({ id: next.arguments['plan_id'], steps: expect.any(Array) });
  }
  const result = (await client.callTool({
    name: next.tool,
    arguments: next.arguments,
  })) as CallToolResult;
  const text = textOf(result);
  expect(result.isError, text).toBeUndefined();
  const answer = result.structuredContent ?? {};
  expect(text.length).toBeLessThan(SHORT_TEXT);
  expect(JSON.stringify(answer).length).toBeLessThan(SHORT_ANSWER);
  return { ...next, text, answer };
}

/** What the answer says should follow: to who reads the text, and to who reads the structure, the same. */
function nextOf({ text, answer }: Called): Next | null {
  const [, tool, args = '{}'] =
    /^Next: call (\w+)(?: with (\{.*\}))?\.$/.exec(text.split('\n').at(-1) ?? '') ?? [];
  const told = tool === undefined ? null : { tool, arguments: JSON.parse(args) as Record<string, unknown> };
  expect(answer['next'] ?? null).toEqual(told);
  return told;
}
