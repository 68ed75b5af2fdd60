/**
 * The schemas of operations as JSON Schema, for the documents that describe them (OpenAPI, OpenRPC).
 */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';

/** JSON Schemas that refer to shared ones. */
export interface JsonSchemas {
  /** Each schema that has a name, once. */
  readonly shared: Readonly<Record<string, JsonSchema>>;
  /** The form of a schema; what of it has a name is referred to. Bytes have no form and become `{}`. */
  of(schema: v.GenericSchema): JsonSchema;
}

/** What a valibot schema may hold other schemas in; which of these it has depends on its type. */
interface Parts {
  readonly entries?: Readonly<Record<string, Node>>;
  readonly options?: readonly unknown[];
  readonly items?: readonly Node[];
  readonly item?: Node;
  readonly wrapped?: Node;
  readonly key?: Node;
  readonly value?: Node;
  readonly rest?: Node | null;
  readonly pipe?: readonly (Node & { readonly title?: string })[];
}

type Node = Parts & { readonly kind: string; readonly type: string };

/**
 * Converts schemas to JSON Schema 2020-12.
 *
 * @param schemas everything that will be asked for: the schemas with a name are found in these.
 * @param prefix what a reference to a shared one begins with.
 * @throws where two different schemas have the same name.
 *
 * @example
 * ```ts
 * const schemas = jsonSchemas([serviceSchema], '#/components/schemas/');
 * schemas.of(v.array(serviceSchema)); // { type: 'array', items: { $ref: '#/components/schemas/Service' } }
 * ```
 */
export function jsonSchemas(schemas: Iterable<v.GenericSchema>, prefix: string): JsonSchemas {
  const definitions: Record<string, v.GenericSchema> = {};
  const seen = new Set<unknown>();
  for (const schema of schemas) collect(schema as unknown as Node, definitions, seen);

  const convert = (
    schema: v.GenericSchema,
  ): { readonly form: JsonSchema; readonly shared: JsonSchema['$defs'] } => {
    const {
      $schema: _,
      $defs: shared,
      ...form
    } = toJsonSchema(schema, {
      target: 'draft-2020-12',
      typeMode: 'input',
      // What cannot be said in JSON Schema (a check over several fields, bytes) is said in words.
      errorMode: 'ignore',
      definitions,
      overrideRef: ({ referenceId }) => prefix + referenceId,
    });
    return { form, shared };
  };
  const [first] = Object.values(definitions);
  const shared = first === undefined ? {} : (convert(first).shared as Record<string, JsonSchema>);
  return { shared, of: (schema) => convert(schema).form };
}

/** Enters every schema in `node` that has a name of its own. */
function collect(node: Node, definitions: Record<string, v.GenericSchema>, seen: Set<unknown>): void {
  if (seen.has(node)) return;
  seen.add(node);
  // Its own and not that of what it wraps: what is described anew is written out.
  const title = node.pipe?.find((part) => part.type === 'title')?.title;
  if (title !== undefined) {
    const schema = node as unknown as v.GenericSchema;
    if (definitions[title] !== undefined) {
      throw new Error(`Cannot name two schemas alike: current value is ${title}`);
    }
    definitions[title] = schema;
  }
  const { entries = {}, options = [], items = [], item, wrapped, key, value, rest, pipe = [] } = node;
  for (const part of [
    ...Object.values(entries),
    ...options,
    ...items,
    ...pipe.filter((each) => each !== node),
    item,
    wrapped,
    key,
    value,
    rest,
  ]) {
    if (isNode(part)) collect(part, definitions, seen);
  }
}

function isNode(part: unknown): part is Node {
  return typeof part === 'object' && part !== null && 'kind' in part && part.kind === 'schema';
}
