/**
 * What stands before the app on TCP, where anybody on the machine can connect, and any web page can make a browser
 * connect.
 *
 * The Host must be one that upkeep listens at, or a name that an attacker's DNS points here would be of the same origin
 * as the page (DNS rebinding). The Origin, where a browser tells one, must be that same host. Then the token decides. No
 * CORS header is ever sent.
 */
import type { IncomingMessage } from 'node:http';
import type { Tokens } from '../../core/access/tokens.ts';
import type { Clock } from '../../core/host/host.ts';
import type { Caller } from './caller.ts';
import { FailureLimit } from './failure_limit.ts';
import { problem, problemResponse } from './problem.ts';

/** What a guard looks at. */
export interface GuardOptions {
  /** The values of `Host` that are answered, in lower case: `127.0.0.1:8080`. */
  readonly hosts: readonly string[];
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly clock: Pick<Clock, 'mono'>;
}

/** Who calls, null for nobody known at a public path; or the answer for who may not. */
export type Admission = { readonly caller: Caller | null } | { readonly refusal: Response };

/** What of a request a guard sees. */
export type Arrival = Pick<IncomingMessage, 'method' | 'headers' | 'rawHeaders'>;

/** Looks at a request. */
export type Guard = (arrival: Arrival, path: string) => Admission;

/** No token is longer; more is not even looked at. */
const LONGEST_TOKEN = 256;

/** Pages that are the same on every machine: a browser fetches them before it has shown its token. */
const PUBLIC = /^\/(?:$|favicon\.ico$|openapi\.json$|docs(?:\/|$)|assets\/)/;

/** Whether a request needs no token. */
export function isPublic(method: string | undefined, path: string): boolean {
  return (method === 'GET' || method === 'HEAD') && PUBLIC.test(path);
}

/**
 * A guard.
 *
 * @example
 * ```ts
 * const guard = createGuard({ hosts: ['127.0.0.1:8080'], tokens, clock });
 * const admission = guard(incoming, '/v1/services');
 * ```
 */
export function createGuard({ hosts, tokens, clock }: GuardOptions): Guard {
  const limit = new FailureLimit();

  function byToken(header: string): Admission {
    const [, secret] = /^bearer +([^\s]+) *$/i.exec(header) ?? [];
    const verdict =
      secret === undefined || secret.length > LONGEST_TOKEN
        ? { fault: 'unknown' as const }
        : tokens.verify(secret);
    if ('token' in verdict) {
      return { caller: { scope: verdict.token.scope, principal: verdict.token.name } };
    }
    const wait = limit.failed(clock.mono());
    if (wait > 0) {
      const detail = 'too many requests with a token that is not good; the good ones are not held up';
      const seconds = String(Math.ceil(wait / 1000));
      return { refusal: problemResponse(problem('rate_limited', detail), { 'retry-after': seconds }) };
    }
    const detail =
      verdict.fault === 'unknown' ? 'the token is not known here' : `the token is ${verdict.fault}`;
    const challenge = `Bearer realm="upkeep", error="invalid_token", error_description="${detail}"`;
    return {
      refusal: problemResponse(problem('unauthorized', detail), { 'www-authenticate': challenge }),
    };
  }

  return ({ method, headers, rawHeaders }, path) => {
    const host = only('host', rawHeaders)?.toLowerCase();
    if (host === undefined || !hosts.includes(host)) {
      return { refusal: forbidden(`the Host must be one of ${hosts.join(', ')}`) };
    }
    if (headers.origin !== undefined && only('origin', rawHeaders)?.toLowerCase() !== `http://${host}`) {
      return { refusal: forbidden(`the Origin must be http://${host}`) };
    }
    if (headers.authorization !== undefined) return byToken(only('authorization', rawHeaders) ?? '');
    if (isPublic(method, path)) return { caller: null };
    const detail = 'a token is needed: Authorization: Bearer …';
    return { refusal: problemResponse(problem('unauthorized', detail)) };
  };
}

/** The value of a header that is there exactly once: what is there twice, two programs may read in two ways. */
function only(name: string, rawHeaders: readonly string[]): string | undefined {
  const values: (string | undefined)[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1]);
  }
  return values.length === 1 ? values[0] : undefined;
}

/** What was there instead is not repeated: the answer may be read by a page. */
function forbidden(detail: string): Response {
  return problemResponse(problem('forbidden', detail));
}
