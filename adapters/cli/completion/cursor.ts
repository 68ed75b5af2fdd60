/**
 * Where the cursor stands in a command line. Pure.
 */
import type { Argument, Command, Option } from 'commander';

/** What may stand at the cursor. */
export interface Cursor {
  readonly command: Command;
  /** What is there of it already. */
  readonly current: string;
  /** What stays before each candidate: `--state=` where a value follows its option in one word. */
  readonly prefix: string;
  /** The option whose value it is; null where it is none. */
  readonly option: Option | null;
  /** The argument that it is; null where there are enough of them. */
  readonly argument: Argument | null;
  /** Whether the name of a command may stand there. */
  readonly subcommand: boolean;
  /** Whether an option may. */
  readonly options: boolean;
  /** The state folder that the line names. */
  readonly state: string | null;
}

/**
 * Finds out what may stand at the cursor.
 *
 * @param words what follows the program's name, the last one unfinished.
 *
 * @example
 * ```ts
 * cursorIn(program, ['logs', 'sh']); // { command: logs, current: 'sh', argument: 'service[/action]|job', … }
 * ```
 */
export function cursorIn(program: Command, words: readonly string[]): Cursor {
  let command = program;
  let position = 0;
  let awaited: Option | null = null;
  let noOptions = false;
  let state: string | null = null;
  for (const word of words.slice(0, -1)) {
    // Bash parts words there.
    if (word === '=') continue;
    if (awaited !== null) {
      if (awaited.long === '--state') state = word;
      if (!awaited.variadic) awaited = null;
    } else if (!noOptions && word === '--') noOptions = true;
    else if (!noOptions && isOption(word)) {
      const [name, value] = parted(word);
      const option = optionNamed(command, name);
      if (option?.long === '--state' && value !== null) state = value;
      awaited = option !== null && takesValue(option) && value === null ? option : null;
    } else {
      const sub = position === 0 ? subcommandNamed(command, word) : null;
      if (sub !== null) command = sub;
      else position += 1;
    }
  }

  const last = words.at(-1) ?? '';
  const at = { command, state, argument: null, subcommand: false, options: false };
  if (awaited !== null) return { ...at, current: last === '=' ? '' : last, prefix: '', option: awaited };
  if (!noOptions && isOption(last)) {
    const [name, value] = parted(last);
    if (value === null) return { ...at, current: last, prefix: '', option: null, options: true };
    return { ...at, current: value, prefix: `${name}=`, option: optionNamed(command, name) };
  }
  const given = command.registeredArguments;
  const argument = given[position] ?? (given.at(-1)?.variadic === true ? given.at(-1) : undefined) ?? null;
  return { ...at, current: last, prefix: '', option: null, argument, subcommand: position === 0 };
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

function parted(word: string): [name: string, value: string | null] {
  const at = word.indexOf('=');
  return at < 0 || !word.startsWith('--') ? [word, null] : [word.slice(0, at), word.slice(at + 1)];
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function optionNamed({ options }: Command, name: string): Option | null {
  return options.find(({ short, long }) => short === name || long === name) ?? null;
}

function subcommandNamed({ commands }: Command, name: string): Command | null {
  return commands.find((command) => command.name() === name) ?? null;
}
