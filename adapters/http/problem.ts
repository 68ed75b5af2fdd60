/**
 * Errors in HTTP: RFC 9457 problem documents with types that stay the same.
 */
import type { OperationError, OperationErrorCode } from '../../core/operation/error.ts';
import type { InputIssue } from '../../core/operation/input_issue.ts';

/** What only HTTP can go wrong with. */
export type TransportErrorCode =
  | 'unauthorized'
  | 'rate_limited'
  /** What came is no HTTP request. */
  | 'malformed_request'
  | 'no_route'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'request_timeout'
  | 'too_large'
  | 'unsupported_media_type'
  | 'expectation_failed'
  | 'headers_too_large'
  /** The key of another command that is not answered yet. */
  | 'idempotency_in_flight'
  /** The key of another command. */
  | 'idempotency_mismatch'
  /** More is under way than may be at once. */
  | 'too_busy';

/** The code of a problem. */
export type ProblemCode = OperationErrorCode | TransportErrorCode;

/** A problem document. */
export interface Problem {
  /** `urn:upkeep:problem:` and the code with hyphens. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  /** What is wrong with the input, where that is the problem. */
  readonly issues?: readonly InputIssue[];
  /** The name that was probably meant. */
  readonly suggestion?: string;
}

/** The status and title of every problem. */
export const PROBLEMS = {
  invalid_input: { status: 400, title: 'Invalid input' },
  not_found: { status: 404, title: 'Not found' },
  forbidden: { status: 403, title: 'Forbidden' },
  conflict: { status: 409, title: 'Conflict' },
  unavailable: { status: 503, title: 'Unavailable' },
  internal: { status: 500, title: 'Internal error' },
  malformed_request: { status: 400, title: 'Malformed request' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  rate_limited: { status: 429, title: 'Too many requests' },
  no_route: { status: 404, title: 'No such path' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  not_acceptable: { status: 406, title: 'Not acceptable' },
  request_timeout: { status: 408, title: 'Request timeout' },
  too_large: { status: 413, title: 'Content too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  expectation_failed: { status: 417, title: 'Expectation failed' },
  headers_too_large: { status: 431, title: 'Header fields too large' },
  idempotency_in_flight: { status: 409, title: 'Same key still under way' },
  idempotency_mismatch: { status: 422, title: 'Same key for another command' },
  too_busy: { status: 503, title: 'Too busy' },
} as const satisfies Record<ProblemCode, { status: number; title: string }>;

/**
 * Makes a problem document.
 *
 * @example
 * ```ts
 * problem('not_found', "no service 'wbe'"); // { type: 'urn:upkeep:problem:not-found', status: 404, … }
 * ```
 */
export function problem(code: ProblemCode, detail: string): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: problemType(code), title, status, detail, code };
}

/** The `type` of a problem: the same for ever. */
export function problemType(code: ProblemCode): string {
  return `urn:upkeep:problem:${code.replaceAll('_', '-')}`;
}

/** The problem document of an operation that failed. */
export function problemOf(error: OperationError): Problem {
  return {
    ...problem(error.code, error.message),
    ...(error.issues.length > 0 ? { issues: error.issues } : {}),
    ...(error.suggestion !== null ? { suggestion: error.suggestion } : {}),
  };
}

/** Thrown while a request is being read. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';
  readonly problem: Problem;

  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.problem = problem(code, detail);
  }
}

/** When to come again where something cannot be done now, seconds. */
export const RETRY_AFTER = 1;

/** A problem as a response. */
export function problemResponse(document: Problem, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(document), {
    status: document.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(document.status === 503 ? { 'retry-after': String(RETRY_AFTER) } : {}),
      ...(document.code === 'unauthorized' ? { 'www-authenticate': 'Bearer realm="upkeep"' } : {}),
      ...headers,
    },
  });
}
