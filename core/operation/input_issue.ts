/**
 * What is wrong with an input, told without giving away what should stay secret.
 */
import type * as v from 'valibot';

/** One fault of an input. */
export interface InputIssue {
  /** Where: keys joined by dots; empty for the input as a whole. */
  readonly path: string;
  /** Which rule was broken: `required`, `unknown_key`, `number`, `min_value` … */
  readonly rule: string;
  /** What the rule asks for. */
  readonly message: string;
  /** What was there: a short scalar as it is, anything else by its kind only. */
  readonly value: string;
  /** Where in a text that was given, both from 1; null, or left out, where it is no place in one. */
  readonly line?: number | null;
  readonly column?: number | null;
}

/** Strings longer than this are not repeated in an answer. */
const SHOWN_LENGTH = 60;

const SECRET_KEY = /pass|secret|token|credential|authorization|api_?key|private|\benv\b/i;

/**
 * Turns a schema's issues into what callers are told.
 *
 * @example
 * ```ts
 * inputIssues(v.safeParse(schema, { tail: 'x' }).issues ?? []);
 * // [{ path: 'tail', rule: 'number', message: 'must be a number', value: '"x"' }]
 * ```
 */
export function inputIssues(issues: readonly v.BaseIssue<unknown>[]): InputIssue[] {
  return issues.map(inputIssue);
}

function inputIssue(issue: v.BaseIssue<unknown>): InputIssue {
  const path = (issue.path ?? []).map((item) => String(item.key)).join('.');
  if (issue.type === 'strict_object' && issue.path !== undefined) {
    return issue.expected === 'never'
      ? {
          path,
          rule: 'unknown_key',
          message: 'is not known here',
          value: describe(path, issue.path.at(-1)?.value),
        }
      : { path, rule: 'required', message: 'is required', value: 'nothing' };
  }
  if (issue.type === 'strict_object') {
    return { path, rule: 'object', message: 'must be an object', value: describe(path, issue.input) };
  }
  return { path, rule: issue.type, message: issue.message, value: describe(path, issue.input) };
}

function describe(path: string, value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== 'string') return 'an object';
  if (SECRET_KEY.test(path) || value.length > SHOWN_LENGTH) return `a string of ${value.length} characters`;
  return JSON.stringify(value);
}
