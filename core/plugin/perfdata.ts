/**
 * What a monitoring plugin prints: a line for people, more lines, and figures behind a `|`. Pure, and never at a loss:
 * what is no figure is passed over.
 */

/** One figure. */
export interface Perfdatum {
  readonly label: string;
  /** Null where the plugin could not tell it (`U`). */
  readonly value: number | null;
  /** As it was written: `s`, `ms`, `%`, `B`, `c` for a counter; empty for a plain number. */
  readonly unit: string;
  /** The range outside of which it warns, as it was written: `10`, `10:`, `~:10`, `@10:20`. */
  readonly warn: string | null;
  /** The range outside of which it is critical. */
  readonly crit: string | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** What a plugin has said. */
export interface PluginOutput {
  /** Its first line, without the figures; may be empty. */
  readonly message: string;
  /** The lines below it, without the figures. */
  readonly details: string;
  readonly perfdata: readonly Perfdatum[];
}

/**
 * Takes the output of a plugin apart. On the first line figures stand behind a `|`; below it, a `|` ends the text, and all
 * that follows is figures.
 *
 * @example
 * ```ts
 * parsePluginOutput('DISK OK | /=2643MB;5948;5958;0;5968\n/ 15272 MB\n| /boot=68MB').details; // '/ 15272 MB'
 * ```
 */
export function parsePluginOutput(stdout: string): PluginOutput {
  const [first = '', ...rest] = stdout.split(/\r?\n/);
  const [message, figures] = cut(first);
  const [details, more] = cut(rest.join('\n'));
  return { message: message.trim(), details: details.trim(), perfdata: parsePerfdata(`${figures}\n${more}`) };
}

const BLANKS = /\s*/y;
/** `label=` or `'label'=`, in which `''` is a quote, and all up to the next blank. */
const FIGURE = /(?:'((?:[^']|'')+)'|([^\s'=][^\s=]*))=(\S+)/y;
const WORD = /\S+/y;

/**
 * Reads figures: `label=value[UOM];[warn];[crit];[min];[max]`, with blanks between them.
 *
 * @example
 * ```ts
 * parsePerfdata("'free space'=12.5%;20:;10:;0;100");
 * ```
 */
export function parsePerfdata(text: string): Perfdatum[] {
  const figures: Perfdatum[] = [];
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const match = form.exec(text);
    if (match !== null) at = form.lastIndex;
    return match;
  };
  while (at < text.length) {
    take(BLANKS);
    const match = take(FIGURE);
    if (match === null) {
      take(WORD);
      continue;
    }
    const [, quoted, plain = '', written = ''] = match;
    const figure = figureOf(quoted?.replaceAll("''", "'") ?? plain, written);
    if (figure !== null) figures.push(figure);
  }
  return figures;
}

const NUMBER = String.raw`[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?`;
const VALUE = new RegExp(`^(?:U|(${NUMBER}))([^\\d;'"=,.+-]*)$`);
const BOUND = new RegExp(`^${NUMBER}`);

function figureOf(label: string, written: string): Perfdatum | null {
  const [value = '', warn = '', crit = '', min = '', max = ''] = written.split(';');
  const match = VALUE.exec(value);
  if (match === null) return null;
  const [, number, unit = ''] = match;
  return {
    label,
    value: number === undefined ? null : finite(number),
    unit,
    warn: warn === '' ? null : warn,
    crit: crit === '' ? null : crit,
    min: finite(BOUND.exec(min)?.[0]),
    max: finite(BOUND.exec(max)?.[0]),
  };
}

function finite(text: string | undefined): number | null {
  const number = Number(text ?? Number.NaN);
  return Number.isFinite(number) ? number : null;
}

/** What stands before the first `|`, and what behind it. */
function cut(text: string): [string, string] {
  const bar = text.indexOf('|');
  return bar < 0 ? [text, ''] : [text.slice(0, bar), text.slice(bar + 1)];
}
