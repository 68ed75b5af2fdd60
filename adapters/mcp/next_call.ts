/**
 * What to call next. The operations say it as a call to an operation; an agent knows tools, so here it becomes a call to
 * the tool that makes it.
 */
import type { NextCall } from '../../core/supervisor/next_step.ts';
import type { JsonObject } from './face.ts';
import type { Tool } from './tool.ts';

/** A tool, and what to call it with. */
export interface ToolCall {
  readonly tool: string;
  readonly arguments: JsonObject;
}

/** A {@link ToolCall} in the schema of an answer. */
export const TOOL_CALL_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    tool: { type: 'string', description: 'The tool to call.' },
    arguments: { type: 'object', description: 'Its arguments.' },
  },
  required: ['tool', 'arguments'],
  description: 'The tool to call next.',
};

/**
 * The tool that makes a call.
 *
 * @param tools those that the caller may use.
 * @returns null where none of them does.
 *
 * @example
 * ```ts
 * toolCall({ operation: 'service.heal', input: { name: 'web', dry_run: true } }, TOOLS);
 * // { tool: 'plan_heal', arguments: { name: 'web' } }
 * ```
 */
export function toolCall({ operation, input }: NextCall, tools: readonly Tool[]): ToolCall | null {
  const tool = tools.find(
    (candidate) => candidate.operation === operation && makes(candidate, input as JsonObject),
  );
  if (tool === undefined) return null;
  const preset = tool.preset ?? {};
  return {
    tool: tool.name,
    arguments: Object.fromEntries(Object.entries(input).filter(([name]) => !Object.hasOwn(preset, name))),
  };
}

function makes({ preset = {}, hidden = [] }: Tool, input: JsonObject): boolean {
  return (
    Object.entries(preset).every(([name, value]) => input[name] === value) &&
    hidden.every((name) => !Object.hasOwn(input, name))
  );
}

/**
 * An answer with the calls at `paths`, such as `actions[].next`, made into calls of tools. Only there: what programs
 * have had a say in may look like a call, and is none.
 */
export function withToolCalls(
  answer: JsonObject,
  paths: readonly string[],
  tools: readonly Tool[],
): JsonObject {
  return paths.reduce(
    (value, path) =>
      replaced(value, path.split('.'), (call) =>
        call === null ? null : toolCall(call as NextCall, tools),
      ) as JsonObject,
    answer,
  );
}

function replaced(
  value: unknown,
  [step, ...rest]: readonly string[],
  by: (old: unknown) => unknown,
): unknown {
  if (step === undefined) return by(value);
  const name = step.replace('[]', '');
  const inner = (value as JsonObject)[name];
  const into = (item: unknown): unknown => replaced(item, rest, by);
  return {
    ...(value as JsonObject),
    [name]: step.endsWith('[]') ? (inner as unknown[]).map(into) : into(inner),
  };
}

/** The schema of an answer whose calls at `paths` have become calls of tools, or null. */
export function withToolCallSchemas(schema: JsonObject, paths: readonly string[]): JsonObject {
  return paths.reduce((whole, path) => schemaReplaced(whole, path.split('.')), schema);
}

function schemaReplaced(schema: JsonObject, [step, ...rest]: readonly string[]): JsonObject {
  if (step === undefined) {
    return { anyOf: [TOOL_CALL_SCHEMA, { type: 'null' }], description: schema['description'] };
  }
  const name = step.replace('[]', '');
  const properties = schema['properties'] as Record<string, JsonObject>;
  const inner = properties[name] as JsonObject;
  const now = step.endsWith('[]')
    ? { ...inner, items: schemaReplaced(inner['items'] as JsonObject, rest) }
    : schemaReplaced(inner, rest);
  return { ...schema, properties: { ...properties, [name]: now } };
}
