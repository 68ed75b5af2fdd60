/**
 * Following events across lost connections and restarts of upkeep.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { EventRecord } from '../../core/store/records.ts';
import { AnswerTooLarge, BrokenAnswer, ClientError, NoDaemon } from './errors.ts';

/** The pause before the first new try, and what it grows to by doubling, ms. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** Where a stream is to go on, and who wants to know that it does. */
export interface Position {
  readonly last_event_id?: string;
  connected?(): void;
}

/**
 * Events without a gap and without repetition, until the signal ends it.
 *
 * @param read a stream from a position on.
 * @param newest the number of the newest event there is: without a number to begin from, what happens before the first
 *   event arrives would be missed if the connection broke in between.
 * @param after the number to begin after.
 * @throws what `read` does at first; later only what is no matter of the connection.
 */
export async function* resumed(
  read: (position: Position) => AsyncIterable<EventRecord>,
  newest: () => Promise<number>,
  after: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventRecord, void, undefined> {
  let last: number;
  try {
    last = after ?? (await newest());
  } catch (error) {
    if (signal?.aborted === true) return;
    throw error;
  }
  let reached = false;
  let pause = FIRST_PAUSE;
  while (signal?.aborted !== true) {
    try {
      const connected = (): void => {
        reached = true;
        pause = FIRST_PAUSE;
      };
      for await (const event of read({ last_event_id: String(last), connected })) {
        last = event.seq;
        yield event;
      }
    } catch (error) {
      if (!reached || !isPassing(error)) throw error;
    }
    // Aborted meanwhile: the loop ends.
    await wait(pause, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** The connection, or an upkeep on its way up or down: not what is refused, or what would come again. */
function isPassing(error: unknown): boolean {
  if (error instanceof ClientError) return error.status >= 500 || error.status === 429;
  if (error instanceof AnswerTooLarge) return false;
  return error instanceof NoDaemon || error instanceof BrokenAnswer;
}
