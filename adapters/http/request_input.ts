/**
 * From a request to an operation's raw input: gathered from the path, the query and the body, text turned into
 * numbers where the route says so, and judged nowhere but in `invoke`.
 */
import type { HonoRequest } from 'hono';
import { DEEPEST, isTooDeep } from '../../core/spec/nesting.ts';
import { RequestProblem } from './problem.ts';
import { type Route, takesBody } from './routes.ts';

/** The largest body that is read where a route does not say otherwise, bytes. */
export const BODY_LIMIT = 64 * 1024;

/**
 * The raw input that a request carries.
 *
 * @throws {@link RequestProblem} for a body that is no JSON object, and for a field that is given twice.
 */
export async function requestInput(request: HonoRequest, route: Route): Promise<Record<string, unknown>> {
  const input = new Map<string, unknown>(Object.entries(request.param()));
  const add = (field: string, value: unknown): void => {
    if (input.has(field)) throw new RequestProblem('invalid_input', `${field} is given more than once`);
    input.set(field, value);
  };
  for (const [field, values] of Object.entries(request.queries())) {
    for (const value of values) add(field, converted(value, route.convert[field]));
  }
  if (takesBody(route)) {
    for (const [field, value] of Object.entries(await jsonObject(request, route.limit ?? BODY_LIMIT)))
      add(field, value);
  }
  const last = request.header('last-event-id');
  if (last !== undefined && route.resume !== undefined) {
    // Newer than what the query says: a browser that connects again sends the same query each time.
    input.set(route.resume, converted(last, 'number'));
    // What was cut off the head once must not be cut off what was missed.
    input.delete('tail');
  }
  return Object.fromEntries(input);
}

/** What is not a number or a yes or no stays text, for the schema to refuse by name. */
function converted(value: string, kind: 'number' | 'boolean' | undefined): unknown {
  if (kind === 'number' && /^-?\d{1,16}(\.\d{1,9})?$/.test(value)) return Number(value);
  if (kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

/**
 * The body of a request that says that it is JSON; empty where there is none.
 *
 * @param limit bytes.
 * @throws {@link RequestProblem} for a body that is too large or of another type, and for one that ended early.
 */
export async function bodyText(request: HonoRequest, limit: number): Promise<string> {
  const text = await limitedText(request, limit);
  if (text === '') return text;
  const type = request.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new RequestProblem('unsupported_media_type', 'a body must be application/json');
  }
  return text;
}

async function limitedText(request: HonoRequest, limit: number): Promise<string> {
  const tooLarge = new RequestProblem('too_large', `a body has ${limit} bytes at most`);
  const length = request.header('content-length');
  if (Number(length ?? 0) > limit) throw tooLarge;
  // With a length Node reads that much and no more, in one piece. Chunks have to be counted as they come.
  if (length !== undefined && request.header('transfer-encoding') === undefined) {
    return endingWhole(request.text());
  }
  const reader = request.raw.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  for (let size = 0; ; ) {
    const { done, value } = await endingWhole(reader.read());
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > limit) {
      // Not awaited: it may wait for what the other side never sends.
      reader.cancel().catch(() => {});
      throw tooLarge;
    }
    text += decoder.decode(value, { stream: true });
  }
}

async function endingWhole<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch {
    throw new RequestProblem('invalid_input', 'the body ended early');
  }
}

async function jsonObject(request: HonoRequest, limit: number): Promise<object> {
  const text = await bodyText(request, limit);
  if (text === '') return {};
  const body = parsed(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RequestProblem('invalid_input', 'the body must be a JSON object');
  }
  return body;
}

function parsed(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new RequestProblem('invalid_input', 'the body is not valid JSON');
  }
  if (isTooDeep(body)) {
    throw new RequestProblem('invalid_input', `the body must not be nested more than ${DEEPEST} levels deep`);
  }
  return body;
}
