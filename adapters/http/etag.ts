/**
 * Entity tags: whether an answer is what the caller already has.
 */
import { createHash } from 'node:crypto';

/**
 * The tag of a body: the same for the same bytes, whichever upkeep wrote them.
 *
 * @example
 * ```ts
 * etagOf('{}'); // '"vyGp6PvFo4RvsFtPoIWeCReyIC8"'
 * ```
 */
export function etagOf(body: string | Uint8Array): string {
  return `"${createHash('sha1').update(body).digest('base64url')}"`;
}

/**
 * Whether an `If-None-Match` names this tag. It compares weakly, as it is about what the answer says.
 */
export function namesTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((each) => {
    const tag = each.trim();
    return tag === '*' || tag.replace(/^W\//, '') === etag;
  });
}

/** A body as it is sent, and its tag. */
export interface Tagged {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** A body with its tag. */
export function tagged(body: string): Tagged {
  return { body, etag: etagOf(body) };
}

/** What frozen answers were written down as. */
const written = new WeakMap<object, Tagged>();

/**
 * An answer as JSON with its tag. A frozen one will never say anything else, so it is written down once, for as long as
 * it is given.
 */
export function taggedJson(answer: object): Tagged {
  if (!Object.isFrozen(answer)) return tagged(JSON.stringify(answer));
  const known = written.get(answer);
  if (known !== undefined) return known;
  // Bytes and no string: they are sent as they are, each time.
  const body = new TextEncoder().encode(JSON.stringify(answer));
  const fresh = { body, etag: etagOf(body) };
  written.set(answer, fresh);
  return fresh;
}

/**
 * A successful answer with a tag, or the short one where the caller has it.
 */
export function taggedResponse(
  ifNoneMatch: string | undefined,
  { body, etag }: Tagged,
  contentType: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  // Kept by whoever wants to, and asked about each time.
  const headers = { etag, 'cache-control': 'no-cache', ...more };
  return namesTag(ifNoneMatch, etag)
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers: { 'content-type': contentType, ...headers } });
}
