/**
 * A tool call: from arguments to the operation, from its answer to content. It translates and decides nothing but
 * whether a destructive step was confirmed.
 */
import { OperationError } from '../../core/operation/error.ts';
import { checkedInput } from '../../core/operation/invoke.ts';
import { type Operation, rehearsalScope, SCOPES } from '../../core/operation/operation.ts';
import { OPERATIONS } from '../../core/operation/table.ts';
import { mcpActor } from '../http/client_actor.ts';
import { ANSWER_LIMIT, bounded, clip, fitting, TEXT_LIMIT } from './bounds.ts';
import { userAgrees } from './elicitation.ts';
import type { Call, JsonObject, ToolAnswer } from './face.ts';
import { type ToolCall, toolCall, withToolCalls } from './next_call.ts';
import type { Port, PortContext, Rights } from './port.ts';
import type { Tool } from './tool.ts';
import { declined, errorAnswer, notConfirmed } from './tool_error.ts';
import { argumentNames, confirmation } from './tool_schema.ts';
import { eventLine, nextLine } from './words.ts';

/**
 * Whether a tool is there for callers with these rights.
 *
 * @param input what it is called with, where that is known.
 */
export function isAllowed(tool: Tool, { scope, read_only }: Rights, input: unknown = tool.preset): boolean {
  const operation: Operation = OPERATIONS[tool.operation];
  const rehearsal = rehearsalScope(operation, input);
  if (read_only && operation.kind === 'command' && rehearsal === null) return false;
  return SCOPES.indexOf(scope) >= SCOPES.indexOf(rehearsal ?? operation.scope);
}

/**
 * Calls a tool. Whatever goes wrong is an answer that says so, and what to do next.
 *
 * @param tools every tool: an answer names others.
 */
export async function callOperationTool(
  tool: Tool,
  args: JsonObject,
  call: Call,
  port: Port,
  tools: readonly Tool[],
): Promise<ToolAnswer> {
  const context: PortContext = { actor: mcpActor(call.client), signal: call.signal };
  let input: JsonObject = args;
  try {
    const asked = { ...args, ...tool.preset };
    const rights = await port.rights(context);
    if (!isAllowed(tool, rights, asked)) {
      await port.refuse(tool.operation, asked, context);
    }
    const taken = inputOf(tool, args);
    input = taken.input;
    checkedInput(tool.operation, input, argumentNames(tool));
    if (confirmation(tool) !== null && input['dry_run'] !== true) {
      if (!taken.confirmed) return notConfirmed(tool, input, tools);
      if (!(await userAgrees(tool, input, call))) return declined(tool);
    }
    const output = await tellingProgress(tool, input, call, port, context, () =>
      port.call(tool.operation, input, context),
    );
    return answer(tool, input, output as JsonObject, tools, rights);
  } catch (error) {
    if (error instanceof OperationError) return errorAnswer(error, tool, input, tools);
    throw error;
  }
}

/** What the operation gets, and whether a tool that has to be confirmed was. */
function inputOf(tool: Tool, args: JsonObject): { input: JsonObject; confirmed: boolean } {
  const given: Record<string, unknown> = { ...args };
  for (const name of [...Object.keys(tool.preset ?? {}), ...(tool.hidden ?? [])]) {
    if (name in given) throw invalid(name, 'is not known here', 'unknown_key');
  }
  for (const name of tool.required ?? []) {
    if (!(name in given)) throw invalid(name, 'is required', 'required');
  }
  const how = confirmation(tool);
  const confirmed = how === null || given['confirm'] === true || (how === 'plan' && 'plan_id' in given);
  if (how === 'confirm') delete given['confirm'];
  // What would be done, so that the rest can be checked before anybody is asked to confirm it.
  if (how === 'plan' && !confirmed) given['confirm'] = true;
  const input: Record<string, unknown> = { ...tool.defaults, ...given, ...tool.preset };
  for (const [name, most] of Object.entries<number>({ ...tool.most })) {
    const value = input[name];
    if (typeof value === 'number' && value > most) input[name] = most;
  }
  return { input, confirmed };
}

function invalid(path: string, message: string, rule: string): OperationError {
  return new OperationError('invalid_input', `${path} ${message}`, {
    issues: [{ path, rule, message, value: rule === 'required' ? 'nothing' : 'something' }],
  });
}

/** Tells the client of each event of the service while `run` waits for it. */
async function tellingProgress<T>(
  tool: Tool,
  input: JsonObject,
  call: Call,
  port: Port,
  context: PortContext,
  run: () => Promise<T>,
): Promise<T> {
  const { progress } = call;
  const service = input['name'];
  if (tool.waits !== true || progress === null || typeof service !== 'string') return run();
  // From the last event on, so that none is missed between the listening and the command.
  const last = (await port.call('event.list', { limit: 1 }, context)).items.at(-1)?.seq ?? 0;
  const done = new AbortController();
  const signal = AbortSignal.any([call.signal, done.signal]);
  const telling = (async () => {
    let at = 0;
    const events = port.subscribe('event.stream', { service, after: last }, { ...context, signal });
    for await (const event of events) {
      if (signal.aborted) break;
      await progress(++at, eventLine(event));
    }
  })().catch(() => {
    // Whether it is told how it goes changes nothing about how it goes.
  });
  try {
    return await run();
  } finally {
    done.abort();
    await telling;
  }
}

function answer(
  tool: Tool,
  input: JsonObject,
  output: JsonObject,
  tools: readonly Tool[],
  rights: Rights,
): ToolAnswer {
  const allowed = tools.filter((other) => isAllowed(other, rights));
  const { output: cut, left_out } = cutList(tool, input, output);
  const { value, shortened } = bounded(cut, ANSWER_LIMIT);
  const lines = [tool.text(value as never, input as never)];
  if (left_out > 0) lines.push(`${left_out} items did not fit into this answer and were left out.`);
  if (shortened) lines.push('Long texts and lists in this answer were shortened.');
  const following = tool.next?.(output as never, input as never) ?? null;
  const next = following === null ? null : toolCall(following, allowed);
  // What to do next is never what is cut off.
  const text = [clip(lines.join('\n'), TEXT_LIMIT)];
  if (next !== null) text.push(nextLine(next));
  else if (following !== null) text.push(...forbiddenLine(toolCall(following, tools)));
  return {
    content: [{ type: 'text', text: text.join('\n') }],
    structuredContent: {
      ...withToolCalls(value, tool.calls ?? [], allowed),
      ...(next === null ? {} : { next }),
      ...(tool.untrusted === undefined ? {} : { untrusted: tool.untrusted }),
    },
    ...(shortened || left_out > 0 ? { _meta: { 'upkeep/shortened': true } } : {}),
  };
}

/** Says that the tool is there for others. */
function forbiddenLine(call: ToolCall | null): string[] {
  if (call === null) return [];
  return [
    `Next: ${call.tool} would follow, which is more than you may do here: report what you found and what you would have done.`,
  ];
}

/** A list without what does not fit; the cursor says where to go on. */
function cutList(
  tool: Tool,
  input: JsonObject,
  output: JsonObject,
): { output: JsonObject; left_out: number } {
  const { items } = output;
  if (tool.list === undefined || !Array.isArray(items)) return { output, left_out: 0 };
  const keep = tool.list.keep(input);
  const kept = fitting<unknown>(items, keep === 'first' ? 'first' : 'last', ANSWER_LIMIT * 0.9);
  const left_out = items.length - kept.length;
  if (left_out === 0) return { output, left_out };
  const edge = keep === 'first' ? kept.at(-1) : kept[0];
  const next = keep === 'newest' ? {} : { next_cursor: tool.list.cursor(edge as never) };
  return { output: { ...output, items: kept, ...next }, left_out };
}
