/**
 * How an operation fails: a closed list of codes that every face translates, and nothing else.
 */
import type { InputIssue } from './input_issue.ts';

/** Every way in which an operation can fail. */
export const OPERATION_ERROR_CODES = [
  /** The input is not what the operation takes; `issues` says where. */
  'invalid_input',
  /** What the input names is not there. */
  'not_found',
  /** The caller's scope does not reach that far. */
  'forbidden',
  /** It cannot be done in the state that things are in. */
  'conflict',
  /** It cannot be done now; later it may. */
  'unavailable',
  /** A fault of upkeep's own. */
  'internal',
] as const;

/** One of {@link OPERATION_ERROR_CODES}. */
export type OperationErrorCode = (typeof OPERATION_ERROR_CODES)[number];

/** What an {@link OperationError} may carry beside its code and message. */
export interface OperationErrorDetails {
  /** What is wrong with the input, all of it. */
  readonly issues?: readonly InputIssue[];
  /** The name that was probably meant. */
  readonly suggestion?: string;
  /** What was thrown, for upkeep's own log; never shown to the caller. */
  readonly cause?: unknown;
}

/** Thrown by `invoke`, and by what it returns, for every failure. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: OperationErrorCode;
  readonly issues: readonly InputIssue[];
  readonly suggestion: string | null;

  constructor(code: OperationErrorCode, message: string, details: OperationErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.issues = details.issues ?? [];
    this.suggestion = details.suggestion ?? null;
  }
}
