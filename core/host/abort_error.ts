/**
 * What is thrown where a signal has put an end to something.
 */

/** An `AbortError`, as Node makes it: with the signal's reason as its cause. */
export function abortError(signal: Pick<AbortSignal, 'reason'>): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' });
}
