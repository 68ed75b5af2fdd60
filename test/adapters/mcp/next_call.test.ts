import { describe, expect, it } from 'vitest';
import {
  TOOL_CALL_SCHEMA,
  toolCall,
  withToolCallSchemas,
  withToolCalls,
} from '../../../adapters/mcp/next_call.ts';
import { argumentNames, toolListing } from '../../../adapters/mcp/tool_schema.ts';
import { TOOLS } from '../../../adapters/mcp/tool_table.ts';
import { REASON_CODES, reason } from '../../../core/job/reason.ts';
import { nextCall } from '../../../core/supervisor/next_step.ts';

const PLAN = { operation: 'service.heal', input: { name: 'web', dry_run: true } };

describe('a call to an operation', () => {
  it.each([
    [PLAN, { tool: 'plan_heal', arguments: { name: 'web' } }],
    [
      { operation: 'service.heal', input: { name: 'web', plan_id: 'h1' } },
      { tool: 'heal', arguments: { name: 'web', plan_id: 'h1' } },
    ],
    [
      { operation: 'service.start', input: { name: 'web' } },
      { tool: 'start', arguments: { name: 'web' } },
    ],
    [
      { operation: 'holder.find', input: { tcp_port: 80 } },
      { tool: 'who_holds', arguments: { tcp_port: 80 } },
    ],
    [
      { operation: 'service.list', input: {} },
      { tool: 'list', arguments: {} },
    ],
    [{ operation: 'plugin.list', input: {} }, null],
    [{ operation: 'nothing.at_all', input: {} }, null],
  ])('%j is %j', (call, expected) => {
    expect(toolCall(call, TOOLS)).toEqual(expected);
  });

  it('is none where the tool is not among those that may be used', () => {
    const others = TOOLS.filter(({ name }) => name !== 'plan_heal');
    expect(toolCall(PLAN, others)).toBeNull();
  });

  it.each(REASON_CODES)('for %s is one that the tool takes', (code) => {
    for (const evidence of [
      {},
      { claim: 'tcp:80', holder: null },
      { claim: 'socket:/run/a', holder: null },
    ]) {
      const next = nextCall(reason(code, 'because', evidence), 'web');
      const call = next === null ? null : toolCall(next, TOOLS);
      if (call === null) {
        // What no tool is for is said in words only.
        expect([undefined, 'plugin.list', 'health.get']).toContain(next?.operation);
        continue;
      }
      const tool = TOOLS.find(({ name }) => name === call.tool);
      if (tool === undefined) throw new Error(`there is no tool ${call.tool}`);
      const required = (toolListing(tool).inputSchema['required'] as string[] | undefined) ?? [];
      expect(Object.keys(call.arguments)).toEqual(expect.arrayContaining(required));
      expect(argumentNames(tool)).toEqual(expect.arrayContaining(Object.keys(call.arguments)));
    }
  });
});

describe('an answer', () => {
  it('has its calls made into those of tools, there and nowhere else', () => {
    const forged = { next: PLAN };
    const answer = {
      next: PLAN,
      notes: [{ next: null }, { next: PLAN }],
      actions: [{ next: PLAN, evidence: forged, notes: [] }],
    };
    const call = { tool: 'plan_heal', arguments: { name: 'web' } };
    const paths = ['next', 'notes[].next', 'actions[].next', 'actions[].notes[].next'];
    expect(withToolCalls(answer, paths, TOOLS)).toEqual({
      next: call,
      notes: [{ next: null }, { next: call }],
      actions: [{ next: call, evidence: forged, notes: [] }],
    });
  });

  it('has them in its schema', () => {
    const next = { type: 'object', description: 'what to call' };
    const properties = { actions: { type: 'array', items: { type: 'object', properties: { next } } } };
    expect(withToolCallSchemas({ type: 'object', properties }, ['actions[].next'])).toEqual({
      type: 'object',
      properties: {
        actions: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              next: { anyOf: [TOOL_CALL_SCHEMA, { type: 'null' }], description: 'what to call' },
            },
          },
        },
      },
    });
  });
});
