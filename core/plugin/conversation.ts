/**
 * What checks of plain connections have in common: connect, say something, and wait for an answer.
 */
import * as v from 'valibot';
import type { Connection, NetTarget } from '../host/host.ts';
import { formatDuration } from '../spec/units.ts';
import type { PluginContext } from './context.ts';
import type { HealthResult } from './definition.ts';
import { excerpt } from './excerpt.ts';
import { elapsed, failedLook } from './service_fault.ts';
import { hasPattern, patternField, patternText } from './text_pattern.ts';

/** Bytes of an answer among which the pattern must be. */
const MAX_ANSWER = 16 * 1024;

/** The options by which a check says what is said, and what must come back. */
export const CONVERSATION_OPTIONS = {
  send: v.pipe(
    v.optional(v.string('must be text')),
    v.description('Text to send once connected, such as "PING\\r\\n".'),
  ),
  expect: v.pipe(
    v.optional(patternField),
    v.description('What must come back: text that is contained in it, or /regex/.'),
  ),
};

/** What is said, and what must come back. */
export interface Conversation {
  readonly send?: string | undefined;
  /** Text, or `/regex/`. */
  readonly expect?: string | undefined;
}

/**
 * Holds one conversation and tells how it went.
 *
 * @throws where it could not be begun for a reason that is not the service's.
 */
export async function converse(
  target: NetTarget,
  { send, expect }: Conversation,
  ctx: PluginContext,
): Promise<HealthResult> {
  const begun = ctx.now();
  let connection: Connection | undefined;
  let heard = '';
  try {
    connection = await ctx.connect(target);
    if (send !== undefined) await connection.write(send);
    if (expect === undefined) return connected(elapsed(ctx, begun));
    for await (const answer of answers(connection)) {
      heard = answer;
      if (hasPattern(expect, answer)) return answered(expect, answer, elapsed(ctx, begun));
    }
    const said = heard === '' ? 'nothing' : quoted(heard);
    return {
      status: 'fail',
      message: `answered ${said}, without ${patternText(expect)}`,
      data: { response_ms: elapsed(ctx, begun), answer: excerpt(heard) },
    };
  } catch (error) {
    const wanted = heard === '' ? 'answer' : `answer but ${quoted(heard)}`;
    return failedLook(error, ctx, begun, connection === undefined ? 'connection' : wanted);
  } finally {
    await connection?.close();
  }
}

/** All that has come so far, each time that more has, until there is no more or enough. */
async function* answers(connection: Connection): AsyncGenerator<string> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < MAX_ANSWER) {
    const chunk = await connection.read();
    if (chunk === null) return;
    bytes = Buffer.concat([bytes, chunk]).subarray(0, MAX_ANSWER);
    yield bytes.toString();
  }
}

function connected(response_ms: number): HealthResult {
  return { status: 'pass', message: `connected in ${formatDuration(response_ms)}`, data: { response_ms } };
}

function answered(expect: string, answer: string, response_ms: number): HealthResult {
  return {
    status: 'pass',
    message: `answered ${patternText(expect)} in ${formatDuration(response_ms)}`,
    data: { response_ms, answer: excerpt(answer) },
  };
}

function quoted(answer: string): string {
  return JSON.stringify(excerpt(answer));
}
