/**
 * What others have written, made fit for a message.
 */

/** Characters of a message that are kept. */
const LONGEST = 200;

/** Control characters, and what stands for bytes that are no text. */
const ILLEGIBLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufffd]+/gu;

/**
 * The beginning of a text on one line, without control characters.
 *
 * @example
 * ```ts
 * excerpt('OK\r\n'); // 'OK'
 * excerpt('\x1b[31mred'); // '[31mred'
 * ```
 */
export function excerpt(text: string, longest = LONGEST): string {
  // Cut before and after: a body of a megabyte is not looked through for the sake of a line.
  const legible = text
    .slice(0, longest * 4)
    .replace(ILLEGIBLE, ' ')
    .trim();
  return legible.length > longest ? `${legible.slice(0, longest - 1).trimEnd()}…` : legible;
}
