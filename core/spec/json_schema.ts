/**
 * The service file's form for editors.
 */
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { fileSchema } from './file_schema.ts';
import type { SpecRegistry } from './registry.ts';

/**
 * The JSON Schema (draft-07, which editors know best) of a service file, made from what checks it: the same keys, forms,
 * defaults and texts. What spans several fields cannot be said in it.
 */
export function serviceFileJsonSchema(registry: SpecRegistry): JsonSchema {
  // Unknown keys are refused by a check of our own; `additionalProperties: false` says the same to editors.
  const schema = toJsonSchema(fileSchema(registry), { typeMode: 'input', ignoreActions: ['raw_check'] });
  return { title: 'upkeep service file', ...schema };
}
