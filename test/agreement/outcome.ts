/**
 * What came of a call, told alike for every face.
 */
import type { OperationErrorCode } from '../../core/operation/error.ts';
import type { InputIssue } from '../../core/operation/input_issue.ts';

/** A failure, as whatever face it came through. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly issues: readonly InputIssue[];
  readonly suggestion: string | null;
}

/** What came of a call. */
export type Outcome =
  | { readonly answer: unknown }
  | { readonly failure: Failure }
  /** The face refused by itself what it was given, in its own words. */
  | { readonly refused: OperationErrorCode }
  /** The face has no way to say this. */
  | { readonly unsaid: string };

/** A failure from the fields of a problem document. */
export function failed(problem: {
  readonly code: string;
  readonly detail: string;
  readonly issues?: readonly InputIssue[];
  readonly suggestion?: string;
}): Outcome {
  const { code, detail, issues = [], suggestion = null } = problem;
  return { failure: { code, message: detail, issues, suggestion } };
}

/** Fields that the looking itself changes. */
const COUNTED = /^(?:last_used_at|calls|last_call_ms)$/;

/** Fields that are another each time a command is carried out. */
const EACH_TIME =
  /(?:^|_)(?:at|id|time|pid|seq|cause|secret|duration|count)$|^(?:process|identity|events|incarnation)$/;

/**
 * An outcome without what may differ between two equal calls: of a query next to nothing, of a command times, ids and
 * numbers that count how often it was given.
 */
export function normalised(outcome: Outcome, kind: 'query' | 'command'): Outcome {
  return walk(outcome, kind === 'query' ? COUNTED : EACH_TIME) as Outcome;
}

function walk(value: unknown, volatile: RegExp): unknown {
  if (typeof value === 'string') return value.replaceAll(/\bpid \d+/g, 'pid N');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => walk(item, volatile));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      // Whether there is one is no accident.
      volatile.test(key) && item !== null ? `(${key})` : walk(item, volatile),
    ]),
  );
}
