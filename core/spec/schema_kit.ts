/**
 * What valibot's own schemas leave open for a file that people write by hand: a map is no list, every unknown key is
 * told and not the first only, and where several kinds of value are taken, the complaint is about the one that is there.
 * All of it converts to JSON Schema.
 */
import * as v from 'valibot';
import { nearest } from './nearest.ts';

/** What a map must be, for messages. */
export const MAP_RULE = 'must be a map';

/** What a list must be, for messages. */
export const LIST_RULE = 'must be a list';

/** The kinds of value that YAML and JSON know. */
export type Kind = 'text' | 'number' | 'boolean' | 'list' | 'map' | 'nothing';

/** What kind of value something is. */
export function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'object') return 'map';
  if (typeof value === 'number' || typeof value === 'boolean') return typeof value as 'number' | 'boolean';
  return 'text';
}

/** A schema of any kind, by what it takes and gives. */
export type Reads<I, O> = v.GenericSchema<I, O>;

type KindSchemas = { readonly [K in Kind]?: v.GenericSchema };

type Options<S extends KindSchemas> = Extract<S[keyof S], v.GenericSchema>;

/** What `fields` of these entries take, and give. */
type FieldsOf<E extends v.ObjectEntries> = Reads<
  v.InferInput<v.ObjectSchema<E, undefined>>,
  v.InferOutput<v.ObjectSchema<E, undefined>>
>;

/** A map with these keys and no others. */
export function fields<const E extends v.ObjectEntries>(entries: E, description: string): FieldsOf<E> {
  const known = Object.keys(entries);
  return v.pipe(
    onlyMaps(v.looseObject(described(entries), MAP_RULE)),
    v.metadata({ description, additionalProperties: false }),
    v.rawCheck(({ dataset, addIssue }) => {
      if (kindOf(dataset.value) !== 'map') return;
      const input = dataset.value as Record<string, unknown>;
      for (const key of Object.keys(input)) {
        if (known.includes(key)) continue;
        const message = unknownKey(key, known);
        const path = [{ type: 'object', origin: 'key', input, key, value: input[key] }] as const;
        addIssue({ expected: 'unknown_key', message, input: key, path: [...path] });
      }
    }),
  ) as unknown as FieldsOf<E>;
}

/**
 * The same entries, each with its description where JSON Schema sees it: of a value that is turned into another one it
 * takes only what stands before that.
 */
function described<const E extends v.ObjectEntries>(entries: E): E {
  const hoisted = Object.entries(entries).map(([name, schema]) => {
    const text = v.getDescription(schema as v.GenericSchema);
    if (text === undefined || !('pipe' in schema)) return [name, schema];
    const [first, ...rest] = steps(schema);
    return [name, { ...schema, pipe: [first, v.description(text), ...rest] }];
  });
  return Object.fromEntries(hoisted) as E;
}

/** What a pipe is made of, pipes within it taken apart. */
function steps(part: unknown): unknown[] {
  const { pipe } = part as { pipe?: readonly unknown[] };
  return pipe === undefined ? [part] : pipe.flatMap(steps);
}

/** A map with these keys, and any others, which are taken as they are. */
export function openFields<const E extends v.ObjectEntries>(entries: E, description: string): FieldsOf<E> {
  return v.pipe(
    onlyMaps(v.looseObject(entries, MAP_RULE)),
    v.description(description),
  ) as unknown as FieldsOf<E>;
}

/** A map from names to values of one kind. */
export function namedMap<K extends v.GenericSchema<string, string>, I, O>(
  key: K,
  value: Reads<I, O>,
  description: string,
): Reads<Record<string, I>, Record<string, O>> {
  return v.pipe(onlyMaps(v.record(key, value, MAP_RULE)), v.description(description));
}

/** A value of one of several kinds, each with a schema of its own. */
export function byKind<const S extends KindSchemas>(
  schemas: S,
  message: string,
): Reads<v.InferInput<Options<S>>, v.InferOutput<Options<S>>> {
  const none = v.never(message);
  const union = v.union(Object.values(schemas), message);
  return choose(union, (input) => schemas[kindOf(input)] ?? none) as ReturnType<typeof byKind<S>>;
}

/**
 * A map of one of several shapes, told apart by its `type`.
 *
 * @param other the shape of a map with any other `type`; without it that is refused.
 */
export function byType<O>(
  shapes: ReadonlyMap<string, Reads<unknown, O>>,
  other: Reads<unknown, O> | null = null,
): Reads<unknown, O> {
  const types = [...shapes.keys()];
  const known = v.looseObject({ type: choice(types) }, MAP_RULE);
  return choose(v.union([...shapes.values()]), (input) => {
    if (kindOf(input) !== 'map') return v.never(MAP_RULE);
    const { type } = input as { type?: unknown };
    if (typeof type !== 'string') return known;
    return shapes.get(type) ?? other ?? known;
  });
}

/** One of a few words. */
export function choice<const T extends readonly string[]>(
  words: T,
): v.PicklistSchema<T, v.ErrorMessage<v.PicklistIssue>> {
  return v.picklist(words, ({ input }) => {
    const meant = typeof input === 'string' ? nearest(input, words) : null;
    return `must be one of ${words.join(', ')}${didYouMean(meant)}`;
  });
}

/**
 * A rule that is kept by turning the value into what the rest of upkeep works with.
 *
 * @param convert Throws a `RangeError` whose message says what the value must be.
 */
export function rule<I, O>(name: string, convert: (input: I) => O): v.RawTransformAction<I, O> {
  return v.rawTransform<I, O>(({ dataset, addIssue, NEVER }) => {
    try {
      return convert(dataset.value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      addIssue({ expected: name, message: error.message });
      return NEVER;
    }
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  return `is not known here${didYouMean(nearest(key, known))}`;
}

/** ` (did you mean 'x'?)`, or nothing. */
export function didYouMean(meant: string | null): string {
  return meant === null ? '' : ` (did you mean '${meant}'?)`;
}

/** Valibot takes lists for objects, whose keys are numbers. */
function onlyMaps<S extends v.GenericSchema>(schema: S): S {
  const notAMap = v.never(MAP_RULE);
  return choose(schema, (input) => (kindOf(input) === 'map' ? schema : notAMap));
}

/** `schema` to whoever looks at it, JSON Schema above all; what a value is held against is chosen by the value. */
function choose<S extends v.GenericSchema>(schema: S, pick: (input: unknown) => v.GenericSchema): S {
  // Spreading a schema and replacing how it runs is what `v.pipe` does too.
  const run: S['~run'] = (dataset, config) => pick(dataset.value)['~run'](dataset, config);
  return { ...schema, '~run': run };
}
