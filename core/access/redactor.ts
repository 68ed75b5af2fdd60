/**
 * Keeps the secrets of services out of what upkeep says: reasons, events, command lines, log lines in explanations.
 *
 * A variable's value is a secret where its name or its form says so: `PORT=8080` must stay readable in a message about
 * that port. The same holds of what is passed as an argument. What a service writes into its own log stays as it is.
 */
import type { Reason } from '../job/reason.ts';
import type { ActionSpec } from '../spec/mod.ts';

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

const SECRET_NAME =
  /pass(?:word|wd|phrase|code)?|pwd|secret|token|credential|auth|api_?key|access_?key|private|encryption|signing|salt|session|cookie|dsn|\bkey$|_key$|-key$/i;

/** Shorter values would be found everywhere. */
const SHORTEST = 4;

/** A secret that is told by its looks has at least so many characters. */
const RANDOM_LENGTH = 16;

// Each repetition below is bounded: a service may write lines of any length.

/** `scheme://user:password@host` */
const USERINFO = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@:]{0,256}:[^\s/@]{1,256}@/gi;

/** The option `--password x`, or `DB_PASSWORD=x`: the name, what is between, the value. */
const NAMED =
  /((?:--?[\w-]{0,40}(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|api[_-]?key|private[_-]?key)[\w-]{0,40}(?:=|\s+(?=[^\s-])))|(?:\b\w{0,40}(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|api_?key|private_?key)\w{0,40}=))("[^"]*"|'[^']*'|[^\s"',;&]+)/gi;

/** upkeep's own tokens. */
const OWN_TOKEN = /upk_[\w-]{43}/g;

/** Whether the value of a variable or an option is a secret. */
export function isSecretValue(name: string, value: string): boolean {
  if (value.length < SHORTEST) return false;
  if (SECRET_NAME.test(name)) return true;
  if (/:\/\/[^\s/@:]*:[^\s/@]+@/.test(value)) return true;
  const random = /^[\w+/=.~-]+$/.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value);
  return random && value.length >= RANDOM_LENGTH && !/^[/.~]/.test(value);
}

/** The values in an action that are secrets: of its variables, and of options among its arguments. */
export function secretsOf(action: Pick<ActionSpec, 'run'>, env: Readonly<Record<string, string>>): string[] {
  const secrets = Object.entries(env).flatMap(([name, value]) => (isSecretValue(name, value) ? [value] : []));
  const words = typeof action.run === 'string' ? action.run.split(/\s+/) : action.run;
  for (const [index, word] of words.entries()) {
    const [, option = '', value] = /^(--?[\w-]+|[A-Za-z_]\w*)=(.+)$/s.exec(word) ?? [];
    if (value !== undefined && isSecretValue(option, unquoted(value))) secrets.push(unquoted(value));
    const next = words[index + 1];
    if (/^--?[\w-]+$/.test(word) && SECRET_NAME.test(word) && next !== undefined && !next.startsWith('-')) {
      if (next.length >= SHORTEST) secrets.push(unquoted(next));
    }
  }
  return secrets;
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/s, '$2');
}

/** What is known to be secret, by the action that it belongs to. */
export class Redactor {
  readonly #known = new Map<string, readonly string[]>();
  /** Finds any of them; null where there are none, undefined where it has to be made anew. */
  #pattern: RegExp | null | undefined;

  /** From now on these are kept secret, for as long as nothing else is said of the same owner. */
  learn(owner: string, secrets: readonly string[]): void {
    const known = this.#known.get(owner) ?? [];
    if (known.length === secrets.length && known.every((secret, index) => secret === secrets[index])) return;
    this.#known.set(owner, [...secrets]);
    this.#pattern = undefined;
  }

  /** The text without secrets. */
  text(text: string): string {
    if (this.#pattern === undefined) this.#pattern = this.#compiled();
    const known = this.#pattern === null ? text : text.replace(this.#pattern, REDACTED);
    // Most texts have none of these characters, and this is on the restart path.
    const urls = known.includes('@') ? known.replace(USERINFO, `$1${REDACTED}@`) : known;
    const named = /[=-]/.test(urls) ? urls.replace(NAMED, `$1${REDACTED}`) : urls;
    return named.includes('upk_') ? named.replace(OWN_TOKEN, REDACTED) : named;
  }

  /** A value of any depth without secrets in its texts; the same value where there were none. */
  value<T>(value: T): T {
    return this.#walk(value) as T;
  }

  /** A reason without secrets; the same one where there were none. */
  reason(why: Reason): Reason {
    const message = this.text(why.message);
    const evidence = this.value(why.evidence);
    return message === why.message && evidence === why.evidence ? why : { ...why, message, evidence };
  }

  #walk(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#walk(item));
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    // Nearly always there is nothing to be changed, and so nothing to be copied.
    let walked: Record<string, unknown> | null = null;
    for (const [key, part] of Object.entries(value)) {
      const other = this.#walk(part);
      if (other === part) continue;
      walked ??= { ...value };
      walked[key] = other;
    }
    return walked ?? value;
  }

  #compiled(): RegExp | null {
    const secrets = [...new Set([...this.#known.values()].flat())];
    if (secrets.length === 0) return null;
    // The longest first: one may be a part of another.
    secrets.sort((a, b) => b.length - a.length);
    return new RegExp(secrets.map(escaped).join('|'), 'g');
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
