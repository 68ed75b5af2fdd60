/**
 * What checks of plain connections have in common: connect, say something, and wait for an answer.
 */
import type { Connection, NetTarget } from '../host/host.ts';
import { formatDuration } from '../spec/units.ts';
import type { PluginContext } from './context.ts';
import type { HealthResult } from './definition.ts';
import { excerpt } from './excerpt.ts';
import { elapsed, failedLook } from './service_fault.ts';
import { hasPattern, patternText } from './text_pattern.ts';

/** Bytes of an answer among which the pattern must be. */
const MAX_ANSWER = 16 * 1024;

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
  try {
    connection = await ctx.connect(target);
    if (send !== undefined) await connection.write(send);
    if (expect !== undefined) return await answered(connection, expect, ctx, begun);
    const response_ms = elapsed(ctx, begun);
    return {
      status: 'pass',
      message: `connected in ${formatDuration(response_ms)}`,
      data: { response_ms },
    };
  } catch (error) {
    return failedLook(error, ctx, begun, connection === undefined ? 'connection' : 'right answer');
  } finally {
    await connection?.close();
  }
}

/** Reads until the pattern is there, or can come no more. */
async function answered(
  connection: Connection,
  expect: string,
  ctx: PluginContext,
  begun: number,
): Promise<HealthResult> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = await connection.read();
    if (chunk !== null) bytes = Buffer.concat([bytes, chunk]);
    const answer = bytes.toString('utf8', 0, MAX_ANSWER);
    const response_ms = elapsed(ctx, begun);
    const data = { response_ms, answer: excerpt(answer) };
    if (hasPattern(expect, answer)) {
      return {
        status: 'pass',
        message: `answered ${patternText(expect)} in ${formatDuration(response_ms)}`,
        data,
      };
    }
    if (chunk !== null && bytes.length < MAX_ANSWER) continue;
    const said = answer === '' ? 'nothing' : JSON.stringify(excerpt(answer));
    return { status: 'fail', message: `answered ${said}, without ${patternText(expect)}`, data };
  }
}
