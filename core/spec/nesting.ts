/**
 * How deep data from outside may be nested.
 *
 * Whatever walks through data by calling itself can overflow the stack. That is an error that can be caught, but for
 * one case: where V8 is just about to compile a regular expression it ends the process. So depth is bounded before
 * anything of the kind begins, by walks that call nothing.
 */
import type { CST } from 'yaml';

/** How many levels of maps and lists there may be. */
export const DEEPEST = 100;

/** True where data is nested more than {@link DEEPEST} levels deep, or holds itself. */
export function isTooDeep(data: unknown): boolean {
  return exceeds(data, DEEPEST, (value) =>
    typeof value === 'object' && value !== null ? Object.values(value) : null,
  );
}

/** The same of a YAML text that was only taken apart so far. */
export function isTooDeepYaml(token: CST.Token): boolean {
  // The document is a level of its own.
  return exceeds<CST.Token | null | undefined>(token, DEEPEST + 1, (each) => {
    if (each?.type === 'document') return [each.value];
    if (each === null || each === undefined || !('items' in each)) return null;
    return each.items.flatMap(({ key, value }) => [key, value]);
  });
}

function exceeds<T>(root: T, deepest: number, partsOf: (value: T) => readonly T[] | null): boolean {
  let level: T[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return true;
    const next: T[] = [];
    for (const value of level) for (const part of partsOf(value) ?? []) next.push(part);
    level = next;
  }
  return false;
}
