/**
 * From a request to an operation's raw input: gathered from the path, the query and the body, text turned into
 * numbers where the route says so, and judged nowhere but in `invoke`.
 */
import type { HonoRequest } from 'hono';
import { RequestProblem } from './problem.ts';
import { hasBody, type Route } from './routes.ts';

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
  if (hasBody(route)) {
    for (const [field, value] of Object.entries(await jsonObject(request))) add(field, value);
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

async function jsonObject(request: HonoRequest): Promise<object> {
  const text = await request.text().catch(() => {
    throw new RequestProblem('invalid_input', 'the body ended early');
  });
  if (text === '') return {};
  const type = request.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new RequestProblem('unsupported_media_type', 'a body must be application/json');
  }
  const body = parsed(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RequestProblem('invalid_input', 'the body must be a JSON object');
  }
  return body;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new RequestProblem('invalid_input', 'the body is not valid JSON');
  }
}
