/**
 * A service that answers HTTP.
 */
import { resolve } from 'node:path';
import * as v from 'valibot';
import type { HttpResponse } from '../core/host/host.ts';
import { defineHealthCheck, type HealthResult } from '../core/plugin/definition.ts';
import { excerpt } from '../core/plugin/excerpt.ts';
import {
  headerNameField,
  headerValueField,
  METHODS,
  statusField,
  statusText,
  urlField,
} from '../core/plugin/http_fields.ts';
import { elapsed, failedLook } from '../core/plugin/service_fault.ts';
import { hasPattern, patternField, patternText } from '../core/plugin/text_pattern.ts';
import { flagField, socketPathField } from '../core/spec/fields.ts';
import { choice, namedMap } from '../core/spec/schema_kit.ts';
import { formatDuration } from '../core/spec/units.ts';

/** Ms: longer than any look. What ends the request is the look's own deadline. */
const NO_TIMEOUT = 2 ** 31 - 1;

const options = v.strictObject({
  url: v.pipe(
    urlField,
    v.description('What to ask for: http://… or https://…. Redirections are answers and are not followed.'),
  ),
  method: v.pipe(v.optional(choice(METHODS), 'GET'), v.description('How to ask.')),
  headers: v.pipe(
    v.optional(namedMap(headerNameField, headerValueField, 'Headers.'), {}),
    v.description('Headers to send.'),
  ),
  expect_status: v.pipe(
    v.optional(statusField, '200-399'),
    v.description('The statuses that are well: a number, a range such as 200-299, or a list of these.'),
  ),
  expect_headers: v.pipe(
    v.optional(namedMap(headerNameField, patternField, 'Headers.'), {}),
    v.description('Headers that must come back, each with text that is contained in it, or a /regex/.'),
  ),
  expect_body: v.pipe(
    v.optional(patternField),
    v.description('What the first mebibyte of the answer must contain: text, or /regex/.'),
  ),
  socket: v.pipe(
    v.optional(socketPathField),
    v.description(
      "A Unix socket to ask, in place of the URL's host and port; relative to the action's folder.",
    ),
  ),
  insecure: v.pipe(
    v.optional(flagField, false),
    v.description('true: any certificate is taken. Else it must be valid for the host and trusted.'),
  ),
});

/** Sends one request on a connection of its own, and reads the answer: all of it, or its first mebibyte. */
export const httpCheck = defineHealthCheck({
  name: 'http',
  api: 1,
  summary: 'A URL is answered with the right status, headers and body.',
  options,
  permissions: { net: ['*'] },
  async check({ url, method, headers, socket, insecure, ...expected }, ctx) {
    const begun = ctx.now();
    const where = socket === undefined ? {} : { socket: resolve(ctx.job.cwd, socket) };
    let response: HttpResponse;
    try {
      response = await ctx.fetch(url, { method, headers, insecure, timeout: NO_TIMEOUT, ...where });
    } catch (error) {
      return failedLook(error, ctx, begun, 'whole answer');
    }
    return judge(response, expected, elapsed(ctx, begun));
  },
});

type Expected = Pick<v.InferOutput<typeof options>, 'expect_status' | 'expect_headers' | 'expect_body'>;

function judge(response: HttpResponse, expected: Expected, response_ms: number): HealthResult {
  const { status, headers, body } = response;
  const { expect_status, expect_headers, expect_body } = expected;
  const data = { response_ms, status };
  const fail = (what: string, more: object = {}): HealthResult => ({
    status: 'fail',
    message: `answered ${status}${what}`,
    data: { ...data, ...more },
  });
  if (!expect_status.some(({ from, to }) => from <= status && status <= to)) {
    return fail(`, not ${statusText(expect_status)}`, { body: excerpt(body) });
  }
  for (const [name, pattern] of Object.entries(expect_headers)) {
    const value = headers[name.toLowerCase()];
    if (value === undefined) return fail(`, without the header ${name}`);
    if (!hasPattern(pattern, value)) {
      return fail(`, with ${name}: ${excerpt(value)}, without ${patternText(pattern)}`);
    }
  }
  if (expect_body !== undefined && !hasPattern(expect_body, body)) {
    return fail(`, without ${patternText(expect_body)} in its body`, { body: excerpt(body) });
  }
  return { status: 'pass', message: `answered ${status} in ${formatDuration(response_ms)}`, data };
}
