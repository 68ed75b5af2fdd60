/**
 * What a run can be told, by variables of the environment, so that every measure takes them in the same way.
 */

/**
 * A number from the environment.
 *
 * @throws TypeError if the variable is set to something else.
 * @example
 * ```ts
 * const kills = setting('KILLS', 200);
 * ```
 */
export function setting(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new TypeError(`${name} must be a number: it is ${text}`);
  return value;
}

/** A list of words from the environment, by commas; null where the variable is not set. */
export function listSetting(name: string): readonly string[] | null {
  const words = (process.env[name] ?? '').split(',').filter((word) => word !== '');
  return words.length === 0 ? null : words;
}
