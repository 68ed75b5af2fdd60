/**
 * The fields of an input, wherever HTTP has them: path, query or body.
 */
import type { JsonSchema } from '@valibot/to-json-schema';

/** A field of an input. */
export interface InputField {
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/**
 * The fields of an input's schema. Of alternatives all are told, and required is what all of them require.
 */
export function inputFields(input: JsonSchema): Map<string, InputField> {
  const fields = new Map<string, InputField>();
  for (const [name, schema] of Object.entries(input.properties ?? {})) {
    if (typeof schema === 'boolean') continue;
    fields.set(name, { schema, required: input.required?.includes(name) === true });
  }
  const forms = alternatives(input).map(inputFields);
  for (const name of new Set(forms.flatMap((form) => [...form.keys()]))) {
    const found = forms.flatMap((form) => form.get(name) ?? []);
    const [first] = found;
    if (first === undefined || fields.has(name)) continue;
    const required = found.length === forms.length && found.every((field) => field.required);
    fields.set(name, { schema: first.schema, required });
  }
  return fields;
}

/** The schema without some of its fields: those that are told elsewhere. */
export function withoutFields(input: JsonSchema, gone: readonly string[]): JsonSchema {
  const rest = { ...input };
  if (input.properties !== undefined) {
    rest.properties = Object.fromEntries(
      Object.entries(input.properties).filter(([name]) => !gone.includes(name)),
    );
    rest.required = (input.required ?? []).filter((name) => !gone.includes(name));
  }
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const) {
    const forms = input[key];
    if (forms !== undefined) {
      rest[key] = forms.map((form) => (typeof form === 'boolean' ? form : withoutFields(form, gone)));
    }
  }
  return rest;
}

function alternatives({ anyOf = [], oneOf = [], allOf = [] }: JsonSchema): JsonSchema[] {
  return [...anyOf, ...oneOf, ...allOf].filter((form) => typeof form !== 'boolean');
}
