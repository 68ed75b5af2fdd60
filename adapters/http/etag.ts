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

/**
 * A successful answer with a tag, or the short one where the caller has it.
 */
export function taggedResponse(
  ifNoneMatch: string | undefined,
  body: string,
  contentType: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  const etag = etagOf(body);
  // Kept by whoever wants to, and asked about each time.
  const headers = { etag, 'cache-control': 'no-cache', ...more };
  return namesTag(ifNoneMatch, etag)
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers: { 'content-type': contentType, ...headers } });
}
