/**
 * What is wrong with a service file, told so that it can be found and mended, and without giving secrets away.
 */
import type * as v from 'valibot';
import { COMMON_NOTIFY_FIELDS } from './notify_field.ts';
import { kindOf } from './schema_kit.ts';

/** Keys and indices that lead to a value. */
export type Path = readonly (string | number)[];

/** Something wrong, before its place in the text is known. */
export interface Fault {
  readonly path: Path;
  readonly rule: string;
  readonly message: string;
  /** What is there, fit to be shown: see {@link shown}. */
  readonly value: string;
  /** True where it is the last key of the path that is wrong, not what stands under it. */
  readonly about_key?: boolean;
  /** Where in the text, where the path does not tell. */
  readonly offset?: number;
}

/** Something wrong with a service file. */
export interface SpecIssue {
  /** `services.shop.actions.web.tcp_ports[1]`; empty for the file as a whole. */
  readonly path: string;
  /** The rule that is broken: `required`, `unknown_key`, `port`, `cycle` … */
  readonly rule: string;
  /** What is there: a short scalar as it is, anything else, and all that may be secret, by its kind. Empty: nothing to show. */
  readonly value: string;
  /** From 1; null where it is no place in the text. */
  readonly line: number | null;
  readonly column: number | null;
  /** What the rule asks for: the rest of a sentence about the path. */
  readonly message: string;
}

/** Strings longer than this are not repeated. */
const SHOWN_LENGTH = 60;

const SECRET = /pass|secret|token|credential|api_?key|private/i;

/** A value, fit to be shown to anybody: variables, headers, and what is or may be a secret, by kind only. */
export function shown(path: Path, value: unknown): string {
  const kind = kindOf(value);
  if (kind === 'nothing') return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (kind === 'map') return 'a map';
  const secret = isSecret(path);
  if (typeof value !== 'string') return secret ? `a ${kind}` : String(value);
  return secret || value.length > SHOWN_LENGTH ? `text of ${value.length} characters` : JSON.stringify(value);
}

/** True for what stands at a path that is, or may be, a secret: variables, headers, what a notifier takes. */
export function isSecret(path: Path): boolean {
  return (
    path.includes('env') ||
    path.includes('headers') ||
    isNotifyOption(path) ||
    SECRET.test(String(path.at(-1)))
  );
}

/** What a notifier takes of its own: many an address to be told at is a secret as a whole. */
function isNotifyOption([first, , option]: Path): boolean {
  return first === 'notify' && option !== undefined && !COMMON_NOTIFY_FIELDS.includes(String(option));
}

/** `services.shop.actions.web.tcp_ports[1]`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    if (!/^[\w$-]+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/**
 * Issues for people, a line each.
 *
 * @param file How the file is to be called.
 *
 * @example
 * ```ts
 * formatIssues(issues, 'upkeep.yaml');
 * // upkeep.yaml:12:7 services.shop.actions.web.tcp_ports[0]: must be a port from 1 to 65535: current value is 70000
 * ```
 */
export function formatIssues(issues: readonly SpecIssue[], file: string): string {
  return issues
    .map(({ path, line, column, message, value }) => {
      const place = line === null ? file : `${file}:${line}:${column}`;
      return `${place} ${path || '(file)'}: ${message}${value === '' ? '' : `: current value is ${value}`}`;
    })
    .join('\n');
}

/** From what a schema complains about. */
export function schemaFault(issue: v.BaseIssue<unknown>): Fault {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const last = issue.path?.at(-1);
  // Only maps complain about an entry of their own: the key is there without a value, or is not there.
  if (issue.type === 'loose_object' && last !== undefined) {
    return { path, rule: 'required', message: 'is required', value: shown(path, undefined) };
  }
  const about_key = last?.type === 'object' && 'origin' in last && last.origin === 'key';
  const value = about_key ? JSON.stringify(last.key) : shown(path, issue.input);
  return { path, rule: ruleOf(issue), message: issue.message, value, about_key };
}

function ruleOf({ kind, type, expected }: v.BaseIssue<unknown>): string {
  if (type === 'picklist') return 'choice';
  if (kind === 'schema') return 'type';
  // A rule of our own brings its name along.
  return type.startsWith('raw_') ? (expected ?? type) : type;
}
