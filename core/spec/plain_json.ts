/**
 * The short way for files that programs write: JSON.parse is many times as fast as a YAML parser, which matters where a
 * thousand services are to be started.
 */
import { isTooDeep } from './nesting.ts';

/**
 * The value of a text that is JSON and would be the same text again, blanks apart; undefined for any other. So no key
 * stands in it twice, no number is spelt in a way of its own, and a YAML parser would find the same in it.
 */
export function plainJson(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (isTooDeep(value)) return undefined;
  // Where a key stands twice the first value is gone; escapes, 1.10 and 1e3 are written differently.
  return JSON.stringify(value) === withoutBlanks(text) ? value : undefined;
}

function withoutBlanks(text: string): string {
  return text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g, '$1');
}
