/**
 * Command lines as answers show them.
 */

/** The longest that is shown, in characters. */
const LONGEST = 200;

/**
 * The arguments joined by a space and bounded. Where there are none, the program's short name in brackets, as `ps`
 * shows it.
 *
 * @param name called only where it is needed; empty where that cannot be told either.
 */
export function commandLine(argv: readonly string[] | null, name: () => string): string {
  const line = argv?.join(' ') ?? '';
  if (line !== '') return line.slice(0, LONGEST);
  const short = name();
  return short === '' ? '' : `[${short}]`;
}
