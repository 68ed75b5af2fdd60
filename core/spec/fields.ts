/**
 * The kinds of value that the fields of a service file have: what each accepts, what it becomes, and what is said when
 * it is refused. Each tells editors its form too, as `metadata` that goes into the JSON Schema as it is.
 */
import { constants } from 'node:os';
import * as v from 'valibot';
import type { PortClaim } from '../reclaim/claim.ts';
import { PORT_RULE, PORT_TEXT, PORT_TEXT_RULE, parsePort } from './address.ts';
import { nearest } from './nearest.ts';
import { byKind, didYouMean, LIST_RULE, type Reads, rule } from './schema_kit.ts';
import { DURATION_RULE, DURATION_TEXT, parseDuration, parseSize, SIZE_RULE, SIZE_TEXT } from './units.ts';

/** Yes or no. */
export const flagField = v.boolean('must be true or false');

/** A size: text with its unit, or bytes; more than nothing. Becomes bytes. */
export const sizeField: Reads<string | number, number> = byKind(
  {
    text: v.pipe(
      v.string(),
      v.metadata({ pattern: SIZE_TEXT.source }),
      rule<string, number>('size', readSize),
    ),
    number: v.pipe(
      v.number(),
      v.metadata({ type: 'integer', minimum: 1 }),
      rule<number, number>('size', readSize),
    ),
  },
  SIZE_RULE,
);

const TIMEOUT_RULE = 'must be a duration with its unit such as 100ms, 30s, 5m or 1m30s, and longer than 0';

/** A duration: text with its unit, or 0. Becomes ms. */
export const durationField: Reads<string | number, number> = durationFrom(0);

/** A duration that is more than nothing. Becomes ms. */
export const timeoutField: Reads<string | number, number> = durationFrom(1);

/** A name of a service or an action: it becomes the name of a folder, and a part of markers and addresses. */
export const nameField = textField(
  'name',
  /^[a-z0-9][a-z0-9_-]{0,62}$/,
  'must be a name: lower-case letters, digits, _ and -, the first a letter or a digit, 63 at most',
);

/** The name of an environment variable. */
export const envNameField = textField('env_name', /^(?!UPKEEP_)[A-Za-z_][A-Za-z0-9_]*$/, (name) =>
  name.startsWith('UPKEEP_')
    ? 'must not begin with UPKEEP_: such variables are set by upkeep'
    : 'must be the name of a variable: letters, digits and _, the first no digit',
);

/** A path, absolute or relative. */
export const pathField = textField(
  'path',
  /^(?!~)[^\0]+$/,
  'must be a path: not empty, without NUL bytes, and without ~ in front, which is not expanded',
);

/** A Unix socket: a path, or `@name` for an abstract one. */
export const socketField = textField(
  'socket',
  /^(?!~|@$)[^\0]+$/,
  'must be a path, or @name for an abstract socket: not empty, without NUL bytes, and without ~ in front',
);

/** A Unix socket that can be connected to: a path. */
export const socketPathField = textField(
  'socket_path',
  /^(?![~@])[^\0]+$/,
  'must be a path: not empty, without NUL bytes, without ~ in front, and no abstract socket',
);

/** The name or the address of a host. */
export const hostField = textField(
  'host',
  /^[0-9A-Za-z.:%_-]+$/,
  'must be the name or the address of a host, without a port and without brackets',
);

/** A pattern for command lines. */
export const processFilterField = textField(
  'process_filter',
  /^(?=[\s\S]*[^*?\s])[^\0]+$/,
  'must have more to it than *, ? and blanks, which match every process, and no NUL bytes',
);

/** A command line for the shell. */
export const commandField = textField(
  'command',
  /^(?=[\s\S]*\S)[^\0]+$/,
  'must be a command: not blank, without NUL bytes',
);

/** Text, or a number or a yes or no that becomes text: what a variable, or a word of a command line, can be. */
export const wordField = byKind(
  {
    text: textField('word', /^[^\0]*$/, 'must be text without NUL bytes'),
    number: v.pipe(v.number(), v.transform(String)),
    boolean: v.pipe(v.boolean(), v.transform(String)),
  },
  'must be text, a number, true or false ("" for empty text)',
);

const commandLine = v.pipe(
  v.array(wordField, LIST_RULE),
  v.metadata({ minItems: 1 }),
  rule('program', (words: string[]) => {
    if ((words[0] ?? '').trim() === '')
      throw new RangeError('must begin with the name or the path of a program');
    return words;
  }),
);

/** A command: text for `/bin/sh -c`, or a list that is run as it is. */
export const runField = byKind(
  { text: commandField, list: commandLine },
  'must be a command: text for /bin/sh -c, or a list of the program and its arguments',
);

const SUSPENDING: readonly string[] = ['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCONT'];

const SIGNALS = Object.keys(constants.signals).filter((name) => !SUSPENDING.includes(name));

const SIGNAL_NAMES = SIGNALS.flatMap((name) => [name, name.slice(3)]);

/** A signal that asks a process to end, with or without `SIG`. Becomes the name with it. */
export const signalField = v.pipe(
  v.string('must be the name of a signal'),
  v.metadata({ enum: SIGNAL_NAMES }),
  rule('signal', readSignal),
);

/** A port that becomes a claim of one kind. */
export function portField(kind: PortClaim['kind']): Reads<string | number, PortClaim> {
  return portBy((text) => ({ kind, ...parsePort(text) }), PORT_TEXT);
}

/** A port that may name its kind, as in `udp:53`; of TCP where it does not. */
export const grantedPortField: Reads<string | number, PortClaim> = portBy(
  (text) => {
    const [, kind = 'tcp', rest = ''] = /^(?:(tcp|udp):)?(.*)$/.exec(text) ?? [];
    return { kind: kind as PortClaim['kind'], ...parsePort(rest) };
  },
  new RegExp(PORT_TEXT.source.replace('^', '^(?:(?:tcp|udp):)?')),
);

/** A whole number in a range. */
export function countField(minimum: number, maximum: number): Reads<number, number> {
  const message = `must be a whole number from ${minimum} to ${maximum}`;
  return v.pipe(
    v.number(message),
    v.metadata({ type: 'integer', minimum, maximum }),
    rule('range', (value: number) => inRange(value, Number.isInteger(value), minimum, maximum, message)),
  );
}

/** A number in a range. */
export function numberField(minimum: number, maximum: number): Reads<number, number> {
  const message = `must be a number from ${minimum} to ${maximum}`;
  return v.pipe(
    v.number(message),
    v.metadata({ minimum, maximum }),
    rule('range', (value: number) => inRange(value, true, minimum, maximum, message)),
  );
}

function inRange(value: number, whole: boolean, minimum: number, maximum: number, message: string): number {
  if (!whole || value < minimum || value > maximum) throw new RangeError(message);
  return value;
}

/**
 * Text of one form.
 *
 * @param message what it must be; or what is to be said of a text that is not.
 */
export function textField(
  name: string,
  form: RegExp,
  message: string | ((text: string) => string),
): Reads<string, string> {
  return v.pipe(
    v.string('must be text'),
    v.metadata({ pattern: form.source }),
    rule(name, (text: string) => {
      if (form.test(text)) return text;
      throw new RangeError(typeof message === 'string' ? message : message(text));
    }),
  );
}

function readSize(written: string | number): number {
  const bytes = parseSize(written);
  if (bytes < 1) throw new RangeError('must be more than 0 bytes');
  return bytes;
}

function durationFrom(minimum: 0 | 1): Reads<string | number, number> {
  const message = minimum === 0 ? DURATION_RULE : TIMEOUT_RULE;
  const read = (written: string | number): number => {
    const ms = parseDuration(written);
    if (ms < minimum) throw new RangeError(message);
    return ms;
  };
  const text = v.pipe(
    v.string(),
    v.metadata({ pattern: DURATION_TEXT.source }),
    rule<string, number>('duration', read),
  );
  // Of all numbers only 0 means the same in seconds and milliseconds; where it is too short there is none to take.
  const number = v.pipe(v.number(), v.metadata({ const: 0 }), rule<number, number>('duration', read));
  return byKind(minimum === 0 ? { text, number } : { text }, message);
}

function portBy(read: (text: string) => PortClaim, form: RegExp): Reads<string | number, PortClaim> {
  const number = rule('port', (port: number): PortClaim => {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(PORT_RULE);
    return read(String(port));
  });
  return byKind(
    {
      number: v.pipe(v.number(), v.metadata({ type: 'integer', minimum: 1, maximum: 65_535 }), number),
      text: v.pipe(v.string(), v.metadata({ pattern: form.source }), rule('port', read)),
    },
    PORT_TEXT_RULE,
  );
}

function readSignal(written: string): NodeJS.Signals {
  const name = written.startsWith('SIG') ? written : `SIG${written}`;
  if (SUSPENDING.includes(name))
    throw new RangeError(`must be a signal that ends a process: ${name} does not`);
  if (SIGNALS.includes(name)) return name as NodeJS.Signals;
  const meant = nearest(written.toUpperCase(), SIGNAL_NAMES);
  throw new RangeError(`must be the name of a signal such as SIGTERM or INT${didYouMean(meant)}`);
}
