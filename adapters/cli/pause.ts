/**
 * Waiting, for commands that look again and again.
 */
import { setTimeout } from 'node:timers/promises';

/**
 * Resolves after `ms`.
 *
 * @throws an `AbortError` once the signal aborts.
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, signal === undefined ? {} : { signal });
}
