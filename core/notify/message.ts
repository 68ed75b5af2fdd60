/**
 * What may be said of a notifier's failure.
 */

/** Shorter ones are not taken out: they would stand in any message. */
const SHORTEST_SECRET = 4;
/** The longest message, in characters. */
const LONGEST = 300;

/** The message of what a notifier has thrown, without anything of its options, which may all be secret. */
export function failureMessage(error: unknown, options: Readonly<Record<string, unknown>>): string {
  const message = error instanceof Error ? error.message : String(error);
  const secrets = textsIn(options).filter((text) => text.length >= SHORTEST_SECRET);
  // The longest first: one may be a part of another.
  const cleaned = secrets
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, secret) => text.replaceAll(secret, '[hidden]'), message);
  return cleaned.slice(0, LONGEST);
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
