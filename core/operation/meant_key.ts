/**
 * Which key of an input was meant by one that is not known.
 */
import * as v from 'valibot';
import { nearest } from '../spec/nearest.ts';
import type { InputIssue } from './input_issue.ts';

/**
 * The key that was meant by an unknown one: one that is not given and is spelled much like it, or else the one that has to
 * be given and is not, where only one of these is missing and the value would do for it.
 *
 * @param schema of the input, an object.
 * @param raw the input as it came.
 * @param issues all that is wrong with it, `unknown` among them.
 * @param names what may be given, where that is not what the schema has.
 * @returns null where nothing is likely.
 *
 * @example
 * ```ts
 * meantKey('service', schema, { service: 'web' }, issues); // 'name', which is required
 * ```
 */
export function meantKey(
  unknown: string,
  schema: v.GenericSchema,
  raw: unknown,
  issues: readonly InputIssue[],
  names?: readonly string[],
): string | null {
  if (typeof raw !== 'object' || raw === null || !('entries' in schema)) return null;
  const entries = schema.entries as Readonly<Record<string, v.GenericSchema>>;
  const known = names ?? Object.keys(entries);
  const near = nearest(
    unknown,
    known.filter((key) => !Object.hasOwn(raw, key)),
  );
  if (near !== null) return near;
  const [missing, ...others] = issues.filter(({ rule, path }) => rule === 'required' && known.includes(path));
  const entry = missing === undefined ? undefined : entries[missing.path];
  if (missing === undefined || entry === undefined || others.length > 0) return null;
  return v.is(entry, (raw as Record<string, unknown>)[unknown]) ? missing.path : null;
}
