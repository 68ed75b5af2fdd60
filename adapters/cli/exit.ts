/**
 * How a command ends: the exit codes, and what is said about a failure.
 */
import { ClientError, NoDaemon } from '../client/errors.ts';
import type { Problem } from '../http/problem.ts';
import { SocketPathTooLong } from '../http/socket_path.ts';

/** What each exit code says. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong use, or a bad service file. */
  usage: 2,
  not_found: 3,
  no_daemon: 4,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Thrown by a command that fails, with words for people. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit_code: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exit_code = exitCode;
  }
}

/** How a command that threw `error` ends. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exit_code;
  if (error instanceof NoDaemon) return EXIT.no_daemon;
  if (error instanceof SocketPathTooLong) return EXIT.usage;
  if (!(error instanceof ClientError)) return EXIT.failed;
  if (error.problem.code === 'not_found') return EXIT.not_found;
  return error.problem.code === 'invalid_input' ? EXIT.usage : EXIT.failed;
}

/** What people are told of a failure: what happened, and what upkeep found wrong where that does not say so already. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const issues = error instanceof ClientError ? (error.problem.issues ?? []) : [];
  const further = issues.filter(({ message }) => !error.message.includes(message));
  const lines = further.map(({ path, message, value }) => `\n  ${path} ${message}, and is now: ${value}`);
  return `${error.message}${lines.join('')}`;
}

/** A failure for programs; where upkeep itself told it, its whole problem document. */
export interface FailureDocument {
  readonly exit_code: ExitCode;
  readonly message: string;
  readonly problem: Problem | null;
}

/** What `--json` says of a failure. */
export function failureDocument(error: unknown): FailureDocument {
  return {
    exit_code: exitCodeOf(error),
    message: error instanceof Error ? error.message : String(error),
    problem: error instanceof ClientError ? error.problem : null,
  };
}
