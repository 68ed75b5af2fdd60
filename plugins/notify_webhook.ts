/**
 * Tells of events by HTTP.
 */
import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import { defineNotifier, GiveUp } from '../core/plugin/definition.ts';
import { pathField } from '../core/spec/fields.ts';
import { namedMap, rule } from '../core/spec/schema_kit.ts';

const URL_RULE = 'must be a URL that begins with http:// or https://';
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Too slow to be taken now, or too many: of all refusals these two are worth another try. */
const TRY_AGAIN = [408, 429];
/** Nobody reads the answer's body. */
const MAX_BODY = 1024;

const urlField = v.pipe(
  v.string(URL_RULE),
  v.metadata({ pattern: '^https?://', description: 'Where to post it. Redirections are not followed.' }),
  rule('url', (text: string) => {
    if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
    throw new RangeError(URL_RULE);
  }),
);

const headerNameField = v.pipe(
  v.string(),
  v.metadata({ pattern: HEADER_NAME.source }),
  rule('header_name', (name: string) => {
    if (HEADER_NAME.test(name)) return name;
    throw new RangeError('must be the name of an HTTP header');
  }),
);

const headerField = v.pipe(
  v.string('must be text'),
  v.metadata({ pattern: HEADER_VALUE.source }),
  rule('header', (value: string) => {
    if (HEADER_VALUE.test(value)) return value;
    throw new RangeError('must be text on one line, as HTTP headers are');
  }),
);

const absoluteField = v.pipe(
  pathField,
  v.metadata({ pattern: '^/' }),
  rule('absolute', (path: string) => {
    if (path.startsWith('/')) return path;
    throw new RangeError('must be an absolute path');
  }),
);

/**
 * Posts the event as JSON. With a secret the request is signed: `X-Upkeep-Signature` is `sha256=` and the HMAC-SHA256,
 * in hexadecimal, of the timestamp in `X-Upkeep-Timestamp` (seconds since the epoch), a dot, and the body.
 *
 * Any 2xx says that it arrived. What a 4xx refuses is not tried again, but for 408 and 429.
 */
export const webhookNotifier = defineNotifier({
  name: 'webhook',
  api: 1,
  summary: 'Posts the event as JSON, signed where there is a secret.',
  options: v.strictObject({
    url: urlField,
    headers: v.optional(
      namedMap(headerNameField, headerField, 'Headers to send with it, such as one that says who is asking.'),
      {},
    ),
    secret: v.pipe(
      v.optional(v.pipe(v.string('must be text'), v.minLength(1, 'must not be empty'))),
      v.description('What the request is signed with.'),
    ),
    secret_file: v.pipe(
      v.optional(absoluteField),
      v.description(
        'A file that holds the secret, an absolute path, read each time; a line end after it does not count. It outdoes `secret`.',
      ),
    ),
  }),
  permissions: { net: ['*'], read: ['*'] },
  async notify(event, { url, headers, secret: given, secret_file }, ctx) {
    const body = JSON.stringify(event);
    const secret = secret_file === undefined ? given : secretIn(await ctx.readFile(secret_file));
    const signature = secret === undefined ? {} : signed(body, secret, ctx.now());
    const { status } = await ctx.fetch(url, {
      method: 'POST',
      body,
      max_body: MAX_BODY,
      headers: {
        'User-Agent': 'upkeep',
        ...headers,
        'Content-Type': 'application/json',
        'X-Upkeep-Event': String(event.seq),
        ...signature,
      },
    });
    if (status >= 200 && status < 300) return;
    if (status >= 400 && status < 500 && !TRY_AGAIN.includes(status)) throw new GiveUp(`answered ${status}`);
    throw new Error(`answered ${status}`);
  },
});

function secretIn(text: string): string {
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new Error('the file of the secret is empty');
  return secret;
}

function signed(body: string, secret: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'X-Upkeep-Timestamp': timestamp, 'X-Upkeep-Signature': `sha256=${digest}` };
}
