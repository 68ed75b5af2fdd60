/**
 * Asking the person behind the client before something is interrupted, where the client can.
 */
import type { Call, JsonObject } from './face.ts';
import type { Tool } from './tool.ts';

const AGREEMENT = {
  type: 'object',
  properties: {
    proceed: { type: 'boolean', title: 'Do it', description: 'It may interrupt what works.' },
  },
  required: ['proceed'],
} as const;

/** Whether the user agrees; true without a question where there is nobody to ask. */
export async function userAgrees(tool: Tool, input: JsonObject, call: Call): Promise<boolean> {
  if (!call.can('elicitation')) return true;
  const target = typeof input['name'] === 'string' ? ` '${input['name']}'` : '';
  const { action, content } = await call.ask('elicitation/create', {
    mode: 'form',
    message: `${call.client} wants to ${tool.name.replaceAll('_', ' ')}${target}. Shall upkeep do it?`,
    requestedSchema: AGREEMENT,
  });
  return action === 'accept' && (content as JsonObject | undefined)?.['proceed'] === true;
}
