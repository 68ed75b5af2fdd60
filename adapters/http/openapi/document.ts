/**
 * The OpenAPI document, made from the table of operations and the table of routes.
 */
import type { JsonSchema } from '@valibot/to-json-schema';
import { hasSecretOutput, type Operation } from '../../../core/operation/operation.ts';
import { OPERATIONS, type OperationName } from '../../../core/operation/table.ts';
import { inputFields, withoutFields } from '../../document/input_fields.ts';
import { type JsonSchemas, jsonSchemas } from '../../document/json_schemas.ts';
import type { ProblemCode } from '../problem.ts';
import { ROUTES, type Route, takesBody } from '../routes.ts';
import { OTHER_PATHS } from './other_paths.ts';
import { HEADER_PARAMETERS, headerParameter } from './parameters.ts';
import { problemResponses, problemSchema } from './problem_schema.ts';

/** An OpenAPI 3.1 document, as far as others here read it. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly [field: string]: unknown };
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly [part: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/**
 * The document of this HTTP interface.
 *
 * @param version upkeep's own.
 */
export function openApiDocument(version: string): OpenApiDocument {
  const operations: Operation[] = Object.values(OPERATIONS);
  const schemas = jsonSchemas(
    operations.flatMap(({ input, output }) => [input, output]),
    '#/components/schemas/',
  );
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(ROUTES) as [OperationName, Route][]) {
    const item = paths[route.path] ?? {};
    item[route.method.toLowerCase()] = describeOperation(OPERATIONS[name], route, schemas);
    paths[route.path] = item;
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'upkeep',
      version,
      summary: 'The services of this machine: what they are at, why, and what can be done.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    // Whoever may open the Unix socket needs no token.
    security: [{ bearer: [] }, {}],
    tags: [...new Set(operations.map(tagOf))].map((name) => ({ name })),
    paths: { ...paths, ...OTHER_PATHS },
    components: {
      schemas: { ...schemas.shared, Problem: problemSchema },
      parameters: HEADER_PARAMETERS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token; needed over TCP only.' },
      },
    },
  };
}

function describeOperation(operation: Operation, route: Route, schemas: JsonSchemas): object {
  const input = schemas.of(operation.input);
  const fields = inputFields(input);
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, field = '']) => field);
  const inBody = takesBody(route) && [...fields.keys()].some((field) => !inPath.includes(field));
  const { example } = operation;
  const exampleInput = example.input as Readonly<Record<string, unknown>>;

  const parameters: object[] = inPath.map((field) => ({
    name: field,
    in: 'path',
    required: true,
    ...parameterOf(fields.get(field)?.schema ?? {}, exampleInput[field]),
  }));
  if (!takesBody(route)) {
    for (const [field, { schema, required }] of fields) {
      if (inPath.includes(field)) continue;
      parameters.push({ name: field, in: 'query', required, ...parameterOf(schema, exampleInput[field]) });
    }
  }
  if (route.resume !== undefined) parameters.push(headerParameter('last_event_id'));
  if (cacheable(route)) parameters.push(headerParameter('if_none_match'));
  if (takesKey(operation)) parameters.push(headerParameter('idempotency_key'));

  return {
    operationId: operation.name,
    summary: operation.summary,
    tags: [tagOf(operation)],
    parameters,
    ...(inBody ? { requestBody: requestBody(input, fields, inPath, exampleInput) } : {}),
    responses: {
      [route.status]: success(operation, route, schemas),
      ...(cacheable(route)
        ? { 304: { description: 'As it was: the `ETag` is the one that was given.' } }
        : {}),
      ...problemResponses(problemCodes(operation, route)),
    },
    'x-kind': operation.kind,
    'x-scope': operation.scope,
    ...rehearsalOf(operation),
    'x-idempotent': operation.idempotent,
    'x-destructive': operation.destructive,
  };
}

/** What a scope must include for `dry_run: true`, where that is a call of its own. */
function rehearsalOf(operation: Operation): object {
  if (operation.kind === 'subscription' || operation.rehearsal === undefined) return {};
  return { 'x-dry-run-scope': operation.rehearsal };
}

/** Whether an `Idempotency-Key` means something. */
function takesKey(operation: Operation): boolean {
  return operation.kind === 'command' && !hasSecretOutput(operation);
}

/** Whether answers of a route have an ETag. */
function cacheable(route: Route): boolean {
  return route.method === 'GET' && route.body === 'json';
}

function tagOf({ name }: { readonly name: string }): string {
  return name.split('.', 1)[0] ?? name;
}

function parameterOf(schema: JsonSchema, example: unknown): object {
  const { description, ...rest } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    schema: rest,
    ...(example === undefined ? {} : { example }),
  };
}

function requestBody(
  input: JsonSchema,
  fields: ReturnType<typeof inputFields>,
  inPath: readonly string[],
  example: Readonly<Record<string, unknown>>,
): object {
  const inBody = ([field]: readonly [string, unknown]): boolean => !inPath.includes(field);
  return {
    required: [...fields].filter(inBody).some(([, { required }]) => required),
    content: {
      'application/json': {
        schema: withoutFields(input, inPath),
        example: Object.fromEntries(Object.entries(example).filter(inBody)),
      },
    },
  };
}

function success({ output, example }: Operation, route: Route, schemas: JsonSchemas): object {
  const schema = schemas.of(output);
  switch (route.body) {
    case 'json':
      return {
        description: 'Done.',
        ...(cacheable(route)
          ? {
              headers: {
                ETag: { description: 'Changes whenever the answer does.', schema: { type: 'string' } },
              },
            }
          : {}),
        content: { 'application/json': { schema, example: example.output } },
      };
    case 'events':
      return {
        description: 'Server-sent events, one for each item: `id`, and `data` with one line of JSON.',
        content: {
          'text/event-stream': {
            schema: { type: 'string', contentMediaType: 'application/json', contentSchema: schema },
            example: `id: 41\ndata: ${JSON.stringify(example.output)}\n\n`,
          },
        },
      };
    case 'log': {
      const text = Buffer.from(example.output as Uint8Array).toString();
      return {
        description:
          'The bytes as they were written; to whoever follows and does not ask for text/plain, server-sent events of whole ' +
          'lines, whose `id` is a time, ms since 1970.',
        content: {
          'text/plain': { schema: { type: 'string' }, example: text },
          'text/event-stream': {
            schema: { type: 'string' },
            example: `id: 1764153600002\ndata: ${text.trimEnd()}\n\n`,
          },
        },
      };
    }
  }
}

function problemCodes(operation: Operation, route: Route): ProblemCode[] {
  return [
    'malformed_request',
    'invalid_input',
    // Over TCP, where a token is needed.
    'unauthorized',
    'rate_limited',
    'forbidden',
    'not_acceptable',
    ...(takesBody(route) ? (['too_large', 'unsupported_media_type'] as const) : []),
    ...(takesKey(operation) ? (['idempotency_in_flight', 'idempotency_mismatch'] as const) : []),
    ...operation.errors,
    'too_busy',
    'internal',
  ];
}
