/**
 * Text that is looked for in what a service answers or prints: itself, or a `/regex/`.
 *
 * What is searched comes from the service, and from whoever talks to it, so a regex that takes for ever on some text
 * must not stop upkeep: it is run with a limit.
 */
import { type Context, createContext, Script } from 'node:vm';
import * as v from 'valibot';
import { type Reads, rule } from '../spec/schema_kit.ts';

/** Ms that a regex may take over everything that it is asked about at once. */
const LIMIT = 250;

const REGEX = /^\/(.+)\/([imsu]*)$/s;

/** A regex took longer than it may. */
export class PatternTooSlow extends Error {
  override readonly name = 'PatternTooSlow';
}

/** A pattern in a service file: text that must be contained, or `/regex/` with the flags `i`, `m`, `s`, `u`. */
export const patternField: Reads<string, string> = v.pipe(
  v.string('must be text'),
  v.metadata({ minLength: 1 }),
  rule('pattern', (pattern: string) => {
    if (pattern === '') throw new RangeError('must be text to look for, or /regex/: not empty');
    regexOf(pattern);
    return pattern;
  }),
);

/**
 * Which of several texts contains a pattern, or is matched by it.
 *
 * @returns the index of the first; -1 where none does.
 * @throws where a regex takes longer than a tenth of a second.
 *
 * @example
 * ```ts
 * findPattern('ready', ['starting', 'ready now']); // 1
 * findPattern('/^READY/i', ['not ready']); // -1
 * ```
 */
export function findPattern(pattern: string, texts: readonly string[]): number {
  const regex = regexOf(pattern);
  if (regex === null) return texts.findIndex((text) => text.includes(pattern));
  return runLimited<number>('first', regex, texts, LIMIT);
}

/**
 * Which of several texts contain a pattern, or are matched by it: their indices, rising.
 *
 * @param limit Ms that a regex may take over all of them.
 * @throws where it takes longer.
 *
 * @example
 * ```ts
 * matchingTexts('/^e/', ['error', 'warning', 'end'], 50); // [0, 2]
 * ```
 */
export function matchingTexts(pattern: string, texts: readonly string[], limit: number): number[] {
  const regex = regexOf(pattern);
  if (regex === null) return texts.flatMap((text, index) => (text.includes(pattern) ? [index] : []));
  return Array.from(runLimited<number[]>('all', regex, texts, limit));
}

/** What is wrong with a pattern; null where nothing is. */
export function patternFault(pattern: string): string | null {
  if (pattern === '') return 'must be text to look for, or /regex/: not empty';
  try {
    regexOf(pattern);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Whether a text contains a pattern, or is matched by it. Throws as {@link findPattern} does. */
export function hasPattern(pattern: string, text: string): boolean {
  return findPattern(pattern, [text]) === 0;
}

/** How a pattern is shown in a message: a regex as it is, text in quotes. */
export function patternText(pattern: string): string {
  return REGEX.test(pattern) ? pattern : JSON.stringify(pattern);
}

/** Null where the pattern is plain text. Throws a `RangeError` where it is no regex that there can be. */
function regexOf(pattern: string): RegExp | null {
  const [, source, flags] = REGEX.exec(pattern) ?? [];
  if (source === undefined) return null;
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const why = (error as Error).message.replace(/^Invalid regular expression: /, '');
    throw new RangeError(`must be text or a regular expression: ${why}`);
  }
}

const SEARCHES = {
  first: 'texts.findIndex((text) => regex.test(text))',
  all: 'texts.flatMap((text, index) => (regex.test(text) ? [index] : []))',
} as const;

type Search = keyof typeof SEARCHES;

let sandbox: { readonly scripts: Readonly<Record<Search, Script>>; readonly context: Context } | undefined;

/** Only a script can be given a limit; the context is made once, as that takes a millisecond. */
function runLimited<T>(search: Search, regex: RegExp, texts: readonly string[], limit: number): T {
  sandbox ??= {
    scripts: { first: new Script(SEARCHES.first), all: new Script(SEARCHES.all) },
    context: createContext(),
  };
  const { scripts, context } = sandbox;
  Object.assign(context, { regex, texts });
  try {
    return scripts[search].runInContext(context, { timeout: limit }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new PatternTooSlow(`Cannot look for ${regex} as it must take less than ${limit} ms`);
  } finally {
    Object.assign(context, { regex: undefined, texts: undefined });
  }
}
