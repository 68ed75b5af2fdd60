/**
 * A failed call as an answer that a model can act on: what was wrong, and what to do next.
 */
import type { OperationError } from '../../core/operation/error.ts';
import type { JsonObject, ToolAnswer } from './face.ts';
import { toolCall } from './next_call.ts';
import type { Tool } from './tool.ts';
import { argumentNames, confirmation } from './tool_schema.ts';
import { nextLine } from './words.ts';

/** An answer that says what failed, and which of `tools` to call next. */
export function errorAnswer(
  error: OperationError,
  tool: Tool,
  input: JsonObject,
  tools: readonly Tool[],
): ToolAnswer {
  const { code, message, issues, suggestion } = error;
  const call = tool.instead?.(error, input as never) ?? null;
  const next = call === null ? null : toolCall(call, tools);
  // An agent knows the tool by its own name.
  const called = `${tool.operation}: `;
  const about = message.startsWith(called) ? message.slice(called.length) : message;
  const lines = [
    `${code}: ${about}.`.replace(/([.?!])\.$/, '$1'),
    ...(next === null ? nextSteps(error, tool) : [nextLine(next)]),
  ];
  return {
    isError: true,
    content: [{ type: 'text', text: lines.join('\n') }],
    // The whole of it, for programs: what is structured must be what the tool answers where it succeeds.
    _meta: {
      'upkeep/error': {
        code,
        message,
        ...(issues.length > 0 ? { issues } : {}),
        ...(suggestion !== null ? { suggestion } : {}),
        ...(next !== null ? { next } : {}),
      },
    },
  };
}

/** The answer to a destructive call that does not say that it is meant. */
export function notConfirmed(tool: Tool, input: JsonObject, tools: readonly Tool[]): ToolAnswer {
  const sure = `if you are sure that this is wanted, call ${tool.name} again with confirm: true.`;
  const { name } = input;
  const plan =
    confirmation(tool) === 'plan'
      ? toolCall({ operation: tool.operation, input: { name, dry_run: true } }, tools)
      : null;
  return refusal(
    'not_confirmed',
    `Nothing was done: ${tool.name} may interrupt what works. ${
      plan === null
        ? `Next: ${sure}`
        : `${nextLine(plan)} It shows what would be done, and gives the plan_id for ${tool.name}. Or ${sure}`
    }`,
  );
}

/** The answer where the person behind the client was asked and did not agree. */
export function declined(tool: Tool): ToolAnswer {
  return refusal(
    'declined',
    `Nothing was done: the user was asked and did not agree. Next: do not try ${tool.name} again unless the user says so.`,
  );
}

function refusal(code: string, message: string): ToolAnswer {
  return {
    isError: true,
    content: [{ type: 'text', text: message }],
    _meta: { 'upkeep/error': { code, message } },
  };
}

function nextSteps(error: OperationError, tool: Tool): string[] {
  switch (error.code) {
    case 'invalid_input':
      return [
        `Next: call ${tool.name} again; its arguments are: ${argumentNames(tool).join(', ') || 'none'}.`,
      ];
    case 'not_found':
      return [
        error.suggestion === null
          ? 'Next: call list; it shows every service, and inspect the jobs of one.'
          : `Next: call ${tool.name} again with ${JSON.stringify(error.suggestion)}, if that was meant.`,
      ];
    case 'forbidden':
      return ['Next: report what you found and what you would have done; somebody who may has to do it.'];
    case 'conflict':
      return ['Next: look at how things are now, and decide again.'];
    case 'unavailable':
      return ['Nothing is known to have changed. Try again later.'];
    case 'internal':
      return [
        'This is a fault of upkeep itself. Do not repeat it blindly; call inspect to see how things are.',
      ];
  }
}
