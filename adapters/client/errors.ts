/**
 * How a call to upkeep fails, seen from outside.
 */
import type { Problem } from '../http/problem.ts';

/** Thrown where upkeep answers with a problem. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly status: number;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.status = problem.status;
    this.problem = problem;
  }
}

/** Thrown where nobody serves the socket. */
export class NoDaemon extends Error {
  override readonly name = 'NoDaemon';

  constructor(path: string, options?: { cause: unknown }) {
    super(`no upkeep answers at ${path}`, options);
  }
}

/** Thrown where the connection broke, or the answer was none of upkeep's. */
export class BrokenAnswer extends Error {
  override readonly name = 'BrokenAnswer';
}

/** Thrown where an answer is larger than any of upkeep's: asking again would bring the same. */
export class AnswerTooLarge extends BrokenAnswer {}
