/**
 * How a command is refused, beside {@link NotFound}: thrown by what a control is made of, named for callers by `invoke`.
 */
import type { SpecIssue } from '../spec/mod.ts';

/** It cannot be done in the state that things are in. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

/** It cannot be done now; later it may. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** What is to become the service file is none. */
export class InvalidSpec extends Error {
  override readonly name = 'InvalidSpec';
  readonly issues: readonly SpecIssue[];

  constructor(issues: readonly SpecIssue[]) {
    super('not a valid service file; nothing was changed');
    this.issues = issues;
  }
}
