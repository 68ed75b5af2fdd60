import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { openRpcDocument } from '../../../adapters/openrpc/document.ts';
import type { Operation } from '../../../core/operation/operation.ts';
import { OPERATIONS } from '../../../core/operation/table.ts';

// Required and not imported: its types are sources, which do not pass the checks of this project.
const { validateOpenRPCDocument } = createRequire(import.meta.url)('@open-rpc/schema-utils-js') as {
  validateOpenRPCDocument: (document: unknown) => unknown;
};

// As it is sent, without what JSON leaves out.
const document = JSON.parse(JSON.stringify(openRpcDocument('1.2.3')));
const calls = (Object.values(OPERATIONS) as Operation[]).filter(({ kind }) => kind !== 'subscription');

test('a validator of others takes it', () => {
  expect(validateOpenRPCDocument(document)).toBe(true);
  expect(validateOpenRPCDocument({ ...document, methods: [{ name: 1 }] })).not.toBe(true);
});

test('every operation that has one answer is a method', () => {
  expect(document.methods.map(({ name }: { name: string }) => name)).toEqual(calls.map(({ name }) => name));
});

test.each(calls)('$name says what it takes, in the order that the specification wants', (operation) => {
  const method = document.methods.find(({ name }: { name: string }) => name === operation.name);
  expect(method).toMatchObject({
    summary: operation.summary,
    paramStructure: 'by-name',
    'x-scope': operation.scope,
  });
  const { entries = {} } = operation.input as unknown as { entries?: object };
  expect(method.params.map(({ name }: { name: string }) => name).sort()).toEqual(Object.keys(entries).sort());
  const required = method.params.map((param: { required: boolean }) => param.required);
  expect(required).toEqual([...required].sort((a, b) => Number(b) - Number(a)));
  expect(method.examples[0].result.value).toEqual(JSON.parse(JSON.stringify(operation.example.output)));
});
