/**
 * The OpenRPC document, made from the table of operations.
 */
import type { JsonSchema } from '@valibot/to-json-schema';
import type { OperationErrorCode } from '../../core/operation/error.ts';
import type { Operation } from '../../core/operation/operation.ts';
import { OPERATIONS } from '../../core/operation/table.ts';
import { inputFields } from '../document/input_fields.ts';
import { type JsonSchemas, jsonSchemas } from '../document/json_schemas.ts';
import { PROBLEMS } from '../http/problem.ts';
import { OPERATION_CODES } from './errors.ts';

/** An OpenRPC 1.3 document, as far as others here read it. */
export interface OpenRpcDocument {
  readonly openrpc: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly methods: readonly object[];
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/**
 * The document of `POST /rpc`.
 *
 * @param version upkeep's own.
 */
export function openRpcDocument(version: string): OpenRpcDocument {
  const operations: Operation[] = Object.values(OPERATIONS);
  const calls = operations.filter(({ kind }) => kind !== 'subscription');
  const schemas = jsonSchemas(
    calls.flatMap(({ input, output }) => [input, output]),
    '#/components/schemas/',
  );
  return {
    openrpc: '1.3.2',
    info: { title: 'upkeep', version },
    methods: calls.map((operation) => method(operation, schemas)),
    components: { schemas: schemas.shared },
  };
}

function method(operation: Operation, schemas: JsonSchemas): object {
  const { name, summary, example, errors } = operation;
  const fields = inputFields(schemas.of(operation.input));
  const codes = new Set<OperationErrorCode>(['invalid_input', 'forbidden', ...errors, 'internal']);
  return {
    name,
    summary,
    tags: [{ name: name.split('.', 1)[0] }],
    paramStructure: 'by-name',
    // Required ones come first, as the specification wants it.
    params: [...fields]
      .sort(([, a], [, b]) => Number(b.required) - Number(a.required))
      .map(([field, { schema, required }]) => {
        const { description, ...rest } = schema;
        return {
          name: field,
          required,
          schema: rest,
          ...(description === undefined ? {} : { description }),
        };
      }),
    result: { name: 'answer', schema: schemas.of(operation.output) },
    errors: [...codes].map((code) => ({ code: OPERATION_CODES[code], message: PROBLEMS[code].title })),
    examples: [
      {
        name: 'example',
        params: Object.entries(example.input as object).map(([field, value]) => ({ name: field, value })),
        result: { name: 'answer', value: example.output },
      },
    ],
    'x-kind': operation.kind,
    'x-scope': operation.scope,
    ...(operation.kind === 'subscription' || operation.rehearsal === undefined
      ? {}
      : { 'x-dry-run-scope': operation.rehearsal }),
    'x-idempotent': operation.idempotent,
    'x-destructive': operation.destructive,
  };
}
