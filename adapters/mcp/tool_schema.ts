/**
 * How a tool is listed: its schemas and hints, made from the operation that it calls.
 */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { Operation } from '../../core/operation/operation.ts';
import { OPERATIONS } from '../../core/operation/table.ts';
import type { JsonObject, ToolListing } from './face.ts';
import { TOOL_CALL_SCHEMA, withToolCallSchemas } from './next_call.ts';
import type { Tool } from './tool.ts';
import { UNTRUSTED_NOTE } from './untrusted.ts';

const listings = new WeakMap<Tool, ToolListing>();

/** A tool as it is listed. The same object each time: a server is made for each request where there are no sessions. */
export function toolListing(tool: Tool): ToolListing {
  let listing = listings.get(tool);
  if (listing === undefined) {
    listing = listingOf(tool);
    listings.set(tool, listing);
  }
  return listing;
}

/** Whether the tool changes nothing. */
export function isReadOnly(tool: Tool): boolean {
  return tool.dry === true || OPERATIONS[tool.operation].kind === 'query';
}

/** Whether the tool may interrupt something that works. */
export function isDestructive(tool: Tool): boolean {
  return !isReadOnly(tool) && OPERATIONS[tool.operation].destructive;
}

/** How the caller of a destructive tool says that it means it; null for any other tool. */
export function confirmation(tool: Tool): 'confirm' | 'plan' | null {
  return isDestructive(tool) ? (tool.confirmed_by ?? 'confirm') : null;
}

/** The names of the arguments that a tool takes. */
export function argumentNames(tool: Tool): string[] {
  return Object.keys((toolListing(tool).inputSchema['properties'] as object | undefined) ?? {});
}

function listingOf(tool: Tool): ToolListing {
  const { idempotent }: Operation = OPERATIONS[tool.operation];
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: inputSchema(tool),
    outputSchema: outputSchema(tool),
    annotations: {
      title: tool.title,
      readOnlyHint: isReadOnly(tool),
      destructiveHint: isDestructive(tool),
      idempotentHint: isReadOnly(tool) || idempotent,
      // What is reached is this one machine.
      openWorldHint: false,
    },
  };
}

function inputSchema(tool: Tool): JsonObject {
  const schema = converted(OPERATIONS[tool.operation].input);
  const taken = new Set([...Object.keys(tool.preset ?? {}), ...(tool.hidden ?? [])]);
  const properties: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (taken.has(name)) continue;
    const value: unknown = (tool.defaults as JsonObject | undefined)?.[name];
    const most: unknown = (tool.most as JsonObject | undefined)?.[name];
    properties[name] = {
      ...(property as object),
      ...(value === undefined ? {} : { default: value }),
      ...(most === undefined ? {} : { maximum: most }),
    };
  }
  if (confirmation(tool) === 'confirm') {
    properties['confirm'] = {
      type: 'boolean',
      description: 'True to do it, once you are sure that it is wanted: it may interrupt what works.',
    };
  }
  const required = [...new Set([...(schema.required ?? []), ...(tool.required ?? [])])];
  return {
    type: 'object',
    properties,
    ...(required.length > 0 ? { required: required.filter((name) => !taken.has(name)) } : {}),
    additionalProperties: false,
  };
}

function outputSchema(tool: Tool): JsonObject {
  const schema = converted(tool.output ?? OPERATIONS[tool.operation].output);
  const untrusted = { type: 'array', items: { type: 'string' }, description: UNTRUSTED_NOTE };
  const said = {
    ...schema,
    properties: {
      ...schema.properties,
      ...(tool.next === undefined ? {} : { next: TOOL_CALL_SCHEMA }),
      ...(tool.untrusted === undefined ? {} : { untrusted }),
    },
    required: [...(schema.required ?? []), ...(tool.untrusted === undefined ? [] : ['untrusted'])],
  };
  return withToolCallSchemas(said, tool.calls ?? []);
}

/** What cannot be said in JSON Schema is checked by the operation all the same. */
function converted(schema: v.GenericSchema): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' });
  return rest;
}
