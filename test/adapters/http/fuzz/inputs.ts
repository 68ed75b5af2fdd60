/**
 * Inputs from a schema: right ones, and ones that are wrong in one way each.
 */
import type { JsonSchema } from '@valibot/to-json-schema';
import type { Random } from './random.ts';

/** What inputs are made from. */
export interface InputSource {
  readonly schema: JsonSchema;
  /** What the schema refers to, by the last part of the reference. */
  readonly shared: Readonly<Record<string, JsonSchema>>;
  /** Values that are there, by the name of the field. */
  readonly pool: Readonly<Record<string, readonly string[]>>;
  readonly random: Random;
}

/** Text that has broken something somewhere. */
const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u{1f98a}'.repeat(20),
  'e\u0301\u0301\u0301',
  '\u202eabc',
  '\ud800',
  '\ufeff',
  '\r\nX-A: b',
  '../../etc/passwd',
  '..',
  '/',
  '%00',
  '%2e%2e%2f',
  '__proto__',
  'constructor',
  "'; DROP TABLE jobs; --",
  'true',
  'null',
  '1e999',
  '-0',
];

/** A value that the schema takes, as far as the schema can say. */
export function validValue(source: InputSource, schema: JsonSchema = source.schema, field = ''): unknown {
  const { random, shared, pool } = source;
  if (schema.$ref !== undefined) {
    return validValue(source, shared[schema.$ref.split('/').at(-1) ?? ''] ?? {}, field);
  }
  const forms = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter(
    (form) => typeof form !== 'boolean',
  );
  if (forms.length > 0) return validValue(source, random.pick(forms), field);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  switch (schema.type) {
    case 'boolean':
      return random.chance(0.5);
    case 'integer':
    case 'number':
      return validNumber(schema, field, random);
    case 'string': {
      const known = pool[field];
      return known !== undefined && random.chance(0.8) ? random.pick(known) : validText(schema, random);
    }
    case 'array': {
      const { items } = schema;
      if (items === undefined || typeof items === 'boolean' || Array.isArray(items)) return [];
      return Array.from({ length: random.int(schema.minItems ?? 0, 3) }, () => validValue(source, items));
    }
    case 'object': {
      const value: Record<string, unknown> = {};
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        if (typeof property === 'boolean') continue;
        if (schema.required?.includes(name) !== true && random.chance(0.6)) continue;
        value[name] = validValue(source, property, name);
      }
      return value;
    }
    case 'null':
      return null;
    default:
      return random.pick<unknown>([null, 1, 'x', {}, []]);
  }
}

function validNumber(
  { minimum = 0, maximum = 1e6, type }: JsonSchema,
  field: string,
  random: Random,
): number {
  // A wait that is right and lasts a day would end no test.
  const most = field === 'timeout' ? 100 : Math.min(maximum, Number.MAX_SAFE_INTEGER);
  const least = Math.max(minimum, -1e6);
  const value = random.pick([least, most, random.int(least, Math.min(most, least + 1000))]);
  return type === 'integer' ? Math.trunc(value) : value;
}

function validText({ minLength = 0, maxLength = 100, pattern }: JsonSchema, random: Random): string {
  const candidates = [
    '/run/nobody.sock',
    '@nobody',
    'abc',
    'a'.repeat(maxLength > 4096 ? 4096 : maxLength),
    ...TEXTS,
  ];
  const fitting = candidates.filter(
    (text) =>
      text.length >= minLength &&
      text.length <= maxLength &&
      (pattern === undefined || new RegExp(pattern, 'u').test(text)),
  );
  return fitting.length === 0 ? '' : random.pick(fitting);
}

/** The ways in which an input can be wrong. */
export const DAMAGES = ['type', 'bounds', 'missing', 'extra', 'unicode', 'huge', 'deep'] as const;

/** One of {@link DAMAGES}. */
export type Damage = (typeof DAMAGES)[number];

/** The input with one thing about it wrong. */
export function damagedInput(
  input: Readonly<Record<string, unknown>>,
  damage: Damage,
  { schema, random }: InputSource,
): Record<string, unknown> {
  const fields = [...Object.keys(schema.properties ?? {}), ...Object.keys(input)];
  const field = fields.length === 0 ? 'nothing' : random.pick(fields);
  switch (damage) {
    case 'type':
      return {
        ...input,
        [field]: random.pick<unknown>([null, true, 1, -1.5, 'x', [], ['x'], {}, { toString: 1 }, [[[]]], 0]),
      };
    case 'bounds':
      return {
        ...input,
        [field]: random.pick<unknown>([
          -1,
          0,
          1.5,
          65_536,
          1e9,
          2 ** 53,
          1e308,
          -1e308,
          '',
          'x'.repeat(1025),
        ]),
      };
    case 'missing':
      return Object.fromEntries(Object.entries(input).filter(([name]) => name !== field));
    case 'extra':
      return {
        ...input,
        [random.pick(['colour', 'Name', 'name ', '', 'constructor', 'toString', '\u{1f98a}'])]: 1,
      };
    case 'unicode':
      return { ...input, [field]: random.pick(TEXTS) };
    case 'huge':
      return { ...input, [field]: 'x'.repeat(random.pick([5000, 20_000, 70_000, 300_000])) };
    case 'deep': {
      let value: unknown = 'x';
      for (let depth = random.pick([50, 2000]); depth > 0; depth--)
        value = random.chance(0.5) ? [value] : { a: value };
      return { ...input, [field]: value };
    }
  }
}
