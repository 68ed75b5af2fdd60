/**
 * The kinds of value by which requests and their answers are described in a service file.
 */
import * as v from 'valibot';
import { textField } from '../spec/fields.ts';
import { byKind, LIST_RULE, type Reads, rule } from '../spec/schema_kit.ts';

/** The methods that a check may ask by. */
export const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Statuses from one to another, both of them too. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

const URL_RULE = 'must be a URL such as http://127.0.0.1:8080/healthz or https://localhost/';

/** An address to ask, of HTTP. */
export const urlField: Reads<string, string> = v.pipe(
  v.string('must be text'),
  v.metadata({ pattern: '^[hH][tT][tT][pP][sS]?://[^\\s]+$' }),
  rule('url', (text: string) => {
    const known = /^https?:\/\/\S+$/i.test(text) && URL.canParse(text);
    if (!known) throw new RangeError(URL_RULE);
    return text;
  }),
);

/** The name of a header. */
export const headerNameField = textField(
  'header',
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
  'must be the name of a header: letters, digits and -',
);

/** The value of a header to send. */
export const headerValueField = byKind(
  {
    text: textField(
      'header_value',
      /^[\t\x20-\x7e\x80-\xff]*$/,
      'must be text on one line, of Latin letters',
    ),
    number: v.pipe(v.number(), v.transform(String)),
    boolean: v.pipe(v.boolean(), v.transform(String)),
  },
  'must be text, a number, true or false',
);

const STATUS_RULE = 'must be a status such as 200, a range such as 200-299, or a list of these';

const LOWEST = 100;
const HIGHEST = 599;

const oneStatus = byKind(
  {
    number: v.pipe(
      v.number(),
      v.metadata({ type: 'integer', minimum: LOWEST, maximum: HIGHEST }),
      rule('status', (status: number) => rangeOf(status, status)),
    ),
    text: v.pipe(
      v.string(),
      v.metadata({ pattern: '^\\d{3}(?:-\\d{3})?$' }),
      rule('status', (text: string) => {
        const [, from = '', to = from] = /^(\d{3})(?:-(\d{3}))?$/.exec(text) ?? [];
        return rangeOf(Number(from), Number(to));
      }),
    ),
  },
  STATUS_RULE,
);

/** Statuses that are well. Becomes a list of ranges. */
export const statusField = byKind(
  {
    number: v.pipe(oneStatus, v.transform(oneOf)),
    text: v.pipe(oneStatus, v.transform(oneOf)),
    list: v.pipe(
      v.array(oneStatus, LIST_RULE),
      v.metadata({ minItems: 1 }),
      rule('status', (ranges: StatusRange[]) => {
        if (ranges.length === 0) throw new RangeError(STATUS_RULE);
        return ranges;
      }),
    ),
  },
  STATUS_RULE,
);

/** Ranges of statuses, as they are written: `200-299, 304`. */
export function statusText(ranges: readonly StatusRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

function rangeOf(from: number, to: number): StatusRange {
  const right = Number.isInteger(from) && LOWEST <= from && from <= to && to <= HIGHEST;
  if (!right) throw new RangeError(STATUS_RULE);
  return { from, to };
}

function oneOf(range: StatusRange): StatusRange[] {
  return [range];
}
