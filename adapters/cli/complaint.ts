/**
 * What is wrong with a service file, where upkeep refused it.
 */
import { formatIssues, type SpecIssue } from '../../core/spec/issue.ts';
import { ClientError } from '../client/errors.ts';
import { CliError, EXIT } from './exit.ts';

/** A refusal of a service file, line by line; anything else as it is. */
export function withPlaces(error: unknown, file: string): unknown {
  if (!(error instanceof ClientError) || error.problem.issues === undefined) return error;
  const issues = error.problem.issues.map((issue): SpecIssue => ({ line: null, column: null, ...issue }));
  return new CliError(EXIT.usage, `nothing was changed\n${formatIssues(issues, file)}`);
}
