/**
 * Requests from inputs: sent as they should be, or wrong in one way more.
 */
import { type Route, takesBody } from '../../../../adapters/http/routes.ts';
import { DAMAGES, damagedInput, type InputSource, validValue } from './inputs.ts';

/** A request to be sent. */
export interface FuzzRequest {
  /** What is wrong with it; `valid` where nothing should be. */
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** The connection ends before the body does. */
  readonly cut: boolean;
  /** What arrives as the input, where that is known for certain. */
  readonly input: unknown;
}

/** Ways for a request to be wrong beside its input. */
const MISSENT = [
  'content_type',
  'truncated',
  'cut',
  'no_json',
  'no_object',
  'twice',
  'method',
  'accept',
  'path',
  'key',
  'last_event_id',
] as const;

/** One request, right or wrong as chance has it. */
export function fuzzRequest(route: Route, source: InputSource): FuzzRequest {
  const { random } = source;
  const valid = mostlyRehearsed(objectOf(validValue(source)), source);
  const share = random.next();
  if (share < 0.15) return sent(route, valid, 'valid');
  if (share < 0.65) {
    const damage = random.pick(DAMAGES);
    return sent(route, damagedInput(valid, damage, source), damage);
  }
  return missent(sent(route, valid, random.pick(MISSENT)), source);
}

/** Where a command can be rehearsed it mostly is: each that is carried out stops and starts processes, which takes long. */
function mostlyRehearsed(
  input: Record<string, unknown>,
  { schema, random }: InputSource,
): Record<string, unknown> {
  const { dry_run, plan_id } = schema.properties ?? {};
  if (dry_run === undefined || plan_id !== undefined) return input;
  return random.next() < 0.95 ? { ...input, dry_run: true } : input;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function sent(route: Route, input: Record<string, unknown>, kind: string): FuzzRequest {
  const rest = new Map(Object.entries(input));
  let path = route.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
    const value = rest.get(field);
    rest.delete(field);
    return escaped(textOf(value));
  });
  const inBody = takesBody(route);
  if (!inBody && rest.size > 0) {
    path += `?${[...rest].map(([field, value]) => `${escaped(field)}=${escaped(textOf(value))}`).join('&')}`;
  }
  return {
    kind,
    method: route.method,
    path,
    headers: inBody ? { 'content-type': 'application/json' } : {},
    body: inBody ? JSON.stringify(Object.fromEntries(rest)) : null,
    cut: false,
    // A path and a query turn everything into text, so only what came in a body is as it was made.
    input:
      inBody && [...route.path.matchAll(/\{(\w+)\}/g)].every(([, field = '']) => isName(input[field]))
        ? input
        : null,
  };
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[\w-]+$/.test(value);
}

function missent(request: FuzzRequest, { random }: InputSource): FuzzRequest {
  const { path, headers, body } = request;
  const changed = (changes: Partial<FuzzRequest>): FuzzRequest => ({ ...request, ...changes, input: null });
  switch (request.kind) {
    case 'content_type': {
      const type = random.pick([
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        '',
        'json',
      ]);
      return changed({ headers: { ...headers, 'content-type': type } });
    }
    case 'truncated':
      return changed({ body: body === null ? null : `${body.slice(0, random.int(1, body.length - 1))}` });
    case 'cut':
      return changed({ cut: body !== null });
    case 'no_json':
      return changed({
        body: body === null ? null : random.pick(['{', 'null x', '{"a":}', '\0', '{"a":1,}', 'NaN', '{{}']),
      });
    case 'no_object':
      return changed({
        body: body === null ? null : random.pick(['null', '[]', '1', '"x"', 'true', '[{}]']),
      });
    case 'twice': {
      const field = random.pick(['limit', 'name', 'id', 'after', 'wait']);
      const separator = path.includes('?') ? '&' : '?';
      return changed({ path: `${path}${separator}${field}=1&${field}=1` });
    }
    case 'method':
      return changed({ method: random.pick(['PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) });
    case 'accept':
      return changed({
        headers: { ...headers, accept: random.pick(['text/html', 'image/*', 'x', '*/*;q=0', ';;,']) },
      });
    case 'path':
      return changed({
        path: path + random.pick(['/', '//', '/..', '/%2e%2e', '%zz', '%', '/%00', ';a=b', '%c0%af', '/x']),
      });
    case 'key': {
      const key = random.pick(['', 'x'.repeat(300), 'a b', '\xfc', 'same']);
      return changed({ headers: { ...headers, 'idempotency-key': key } });
    }
    default:
      return changed({
        headers: { ...headers, 'last-event-id': random.pick(['-1', 'x', '1.5', '99999999999999999999', '']) },
      });
  }
}

function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** Escaped, what is no character as U+FFFD. */
function escaped(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}
