import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { openApiDocument } from '../../../../adapters/http/openapi/document.ts';
import { ROUTES, type Route } from '../../../../adapters/http/routes.ts';
import type { Operation } from '../../../../core/operation/operation.ts';
import { OPERATIONS, type OperationName } from '../../../../core/operation/table.ts';

// As it is sent, without what JSON leaves out.
const document = JSON.parse(JSON.stringify(openApiDocument('1.2.3')));
const routes = Object.entries(ROUTES) as [OperationName, Route][];

test('a validator of others takes it as OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document));
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  expect(document.info.version).toBe('1.2.3');
});

test('every reference leads somewhere, and what has a name is referred to', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map(
    ([, path = '']) => path,
  );
  expect(references).toContain('/components/schemas/Service');
  for (const reference of references) {
    const found = reference
      .split('/')
      .slice(1)
      .reduce((at, key) => at?.[key], document);
    expect(found, reference).toBeTypeOf('object');
  }
});

test.each(routes)('%s is described where it lives', (name, route) => {
  const operation: Operation = OPERATIONS[name];
  const described = document.paths[route.path][route.method.toLowerCase()];
  expect(described).toMatchObject({
    operationId: name,
    summary: operation.summary,
    tags: [name.split('.')[0]],
    'x-scope': operation.scope,
    'x-destructive': operation.destructive,
  });
  expect(Object.keys(described.responses)).toEqual(
    expect.arrayContaining([String(route.status), '400', '401', '403', '429', '500']),
  );
  if (operation.errors.includes('not_found')) expect(described.responses['404']).toBeDefined();

  // Every field of the input is somewhere, once, with its words.
  const { entries = {} } = operation.input as unknown as { entries?: object };
  const inParameters = described.parameters
    .filter(({ $ref }: { $ref?: string }) => $ref === undefined)
    .map(({ name: field, description }: { name: string; description: string }) => {
      expect(description, `${name} ${field}`).toMatch(/\.$/);
      return field;
    });
  const inBody = described.requestBody?.content['application/json'].schema.properties ?? {};
  expect([...inParameters, ...Object.keys(inBody)].sort()).toEqual(Object.keys(entries).sort());
});

test('a body says what it must have, and a path what it is', () => {
  const start = document.paths['/v1/services/{name}/start'].post;
  expect(start.requestBody).toMatchObject({
    required: false,
    content: { 'application/json': { example: { wait: true, timeout: 30_000 } } },
  });
  expect(start.parameters[0]).toMatchObject({ name: 'name', in: 'path', required: true, example: 'shop' });
  expect(start.responses['422'].content['application/problem+json'].examples).toHaveProperty(
    'idempotency_mismatch',
  );
  expect(document.paths['/v1/shutdown'].post.requestBody).toBeUndefined();
});

test('a secret answer cannot be asked for twice', () => {
  const { parameters, responses } = document.paths['/v1/tokens'].post;
  expect(parameters).toEqual([]);
  expect(Object.keys(responses)).not.toContain('422');
});

test('what would be done may take less than doing it', () => {
  expect(document.paths['/v1/services/{name}/heal'].post).toMatchObject({
    'x-scope': 'operate',
    'x-dry-run-scope': 'read',
  });
  expect(document.paths['/v1/services/{name}/stop'].post).not.toHaveProperty('x-dry-run-scope');
});

test('every path that needs a token says how it can be refused', () => {
  const open = ['/docs', '/openapi.json'];
  for (const [path, item] of Object.entries<Record<string, { responses: object }>>(document.paths)) {
    for (const { responses } of Object.values(item)) {
      expect('401' in responses && '429' in responses, path).toBe(!open.includes(path));
      expect(responses, path).toHaveProperty('403');
    }
  }
});

test('streams say their media types and how to go on', () => {
  const events = document.paths['/v1/events/stream'].get;
  expect(events.parameters).toContainEqual({ $ref: '#/components/parameters/last_event_id' });
  expect(Object.keys(events.responses['200'].content)).toEqual(['text/event-stream']);
  const log = document.paths['/v1/jobs/{id}/log'].get.responses['200'].content;
  expect(Object.keys(log)).toEqual(['text/plain', 'text/event-stream']);
  expect(log['text/plain'].example).toBe('listening on 8080\n');
});
