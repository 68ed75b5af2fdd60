/**
 * Files of environment variables (`.env`).
 *
 * Node's own `util.parseEnv` refuses nothing: a line without `=` runs on into the next one, an open quote swallows the
 * rest of the file, and the service starts with variables that nobody wrote.
 */

// A byte order mark is blank too.
const BLANK = /[^\S\n]*(?:#.*)?(?:\n|$)/;
const NAME = /[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_]\w*)[^\S\n]*=/;
const QUOTE = /[^\S\n]*["'`]/;
const QUOTED = /[^\S\n]*(?:"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|`([^`]*)`)[^\S\n]*(?:#.*)?(?:\n|$)/;
const PLAIN = /(.*)(?:\n|$)/;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Reads the lines of a `.env` file: `NAME=value`, with or without `export` in front; blank lines and comments. Where a
 * name stands twice the later one counts. Nothing is expanded.
 *
 * A value without quotes ends with its line, or before ` #`. Quotes of any kind ("…", '…', `…`) keep what is between
 * them, line ends too; in double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes.
 *
 * @param path Where the text is from, for messages.
 * @throws {SyntaxError} naming the file, the line and the rule, never the value, which may be a secret.
 *
 * @example
 * ```ts
 * parseEnvFile('export PORT=8080 # for now\nNAME="a b"', '/srv/.env'); // { PORT: '8080', NAME: 'a b' }
 * ```
 */
export function parseEnvFile(text: string, path: string): Record<string, string> {
  const source = text.replaceAll('\r\n', '\n');
  const variables = new Map<string, string>();
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | null => {
    const found = matchAt(form, source, at);
    at += found?.[0].length ?? 0;
    return found;
  };
  const refuse = (rule: string): SyntaxError => {
    return new SyntaxError(`${path}:${source.slice(0, at).split('\n').length}: ${rule}`);
  };
  if (source.includes('\0')) throw new SyntaxError(`${path}: must not hold NUL bytes`);
  while (at < source.length) {
    if (take(BLANK) !== null) continue;
    const name = matchAt(NAME, source, at)?.[1];
    if (name === undefined)
      throw refuse('must be NAME=value, the name of letters, digits and _, the first no digit');
    if (name.startsWith('UPKEEP_')) throw refuse('must not set UPKEEP_ variables: they are set by upkeep');
    take(NAME);
    if (matchAt(QUOTE, source, at) === null) {
      const [, plain = ''] = take(PLAIN) ?? [];
      variables.set(name, plain.replace(/\s#.*$/, '').trim());
      continue;
    }
    const quoted = take(QUOTED);
    if (quoted === null) throw refuse('must have a closing quote, and nothing but a comment after it');
    const [, double, single, back] = quoted;
    variables.set(name, double === undefined ? (single ?? back ?? '') : unescaped(double));
  }
  return Object.fromEntries(variables);
}

function matchAt(form: RegExp, text: string, at: number): RegExpExecArray | null {
  // A sticky expression remembers where it was, so each gets a new one.
  const sticky = new RegExp(form, 'y');
  sticky.lastIndex = at;
  return sticky.exec(text);
}

function unescaped(text: string): string {
  return text.replace(/\\([nrt"\\$])/g, (_, key: string) => ESCAPES[key] ?? key);
}
