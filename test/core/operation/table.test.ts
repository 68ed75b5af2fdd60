import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { healthSchema } from '../../../core/operation/daemon_schemas.ts';
import { eventSchema } from '../../../core/operation/event_schemas.ts';
import { holderSchema } from '../../../core/operation/holder_schemas.ts';
import { jobSchema, runSchema } from '../../../core/operation/job_schemas.ts';
import { hasSecretOutput, type Operation, SCOPES } from '../../../core/operation/operation.ts';
import { serviceSchema } from '../../../core/operation/service_schemas.ts';
import { OPERATIONS } from '../../../core/operation/table.ts';
import { whySchema } from '../../../core/operation/why_schemas.ts';
import { FakeControl, fakeEvent, fakeJob, fakeService } from './fake_control.ts';

const table: [string, Operation][] = Object.entries(OPERATIONS);

describe('the table of operations', () => {
  test.each(table)('%s is declared under its own name, with a sentence and a scope', (name, operation) => {
    expect(operation.name).toBe(name);
    expect(name).toMatch(/^[a-z]+\.[a-z]+$/);
    expect(operation.summary).toMatch(/^[A-Z].*\.$/s);
    expect(SCOPES).toContain(operation.scope);
  });

  test.each(table)('%s refuses keys it does not know', (_, operation) => {
    const parsed = v.safeParse(operation.input, { nobody_knows_this: 1 });
    const rules = parsed.issues?.map((issue) => issue.expected);
    expect(parsed.success).toBe(false);
    expect(rules?.length).toBeGreaterThan(0);
  });

  test.each(table)('%s shows an example that its schemas take as it is', (_, { input, output, example }) => {
    expect(v.parse(input, example.input)).toEqual(example.input);
    // An object schema drops the keys it does not name: what comes out equal was described whole.
    expect(v.parse(output, example.output)).toEqual(example.output);
  });

  test.each(table)('%s says of every field what it is, in a sentence', (_, { input, output }) => {
    for (const schema of [input, output]) {
      // Bytes have no form in JSON; they are told by their own description.
      const document = toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' });
      expect(wordless(document)).toEqual([]);
    }
  });

  test('what changes something needs more than read, and what only looks at services does not', () => {
    for (const [, operation] of table) {
      // Who has access, and who did what, is the owner's business alone.
      if (/^(token|audit)\./.test(operation.name)) {
        expect(operation.scope, operation.name).toBe('admin');
        continue;
      }
      expect(operation.scope === 'read', operation.name).toBe(operation.kind !== 'command');
      if (operation.kind !== 'command') expect(operation.destructive, operation.name).toBe(false);
    }
  });

  test.each(table)('%s says what it takes to be told what it would do, if it can tell', (_, operation) => {
    const { properties = {} } = toJsonSchema(operation.input, { typeMode: 'input', errorMode: 'ignore' });
    const rehearsal = operation.kind === 'subscription' ? undefined : operation.rehearsal;
    expect('dry_run' in properties).toBe(rehearsal !== undefined);
    if (rehearsal !== undefined) expect(operation.kind).toBe('command');
    // Never more than the deed.
    expect(SCOPES.indexOf(rehearsal ?? 'read')).toBeLessThanOrEqual(SCOPES.indexOf(operation.scope));
  });

  test('a secret is told by what says so', () => {
    const telling = table.filter(([, operation]) => hasSecretOutput(operation)).map(([name]) => name);
    expect(telling).toEqual(['token.create']);
    for (const [name, { output }] of table) {
      const { properties = {} } = toJsonSchema(output, { typeMode: 'input', errorMode: 'ignore' });
      expect('secret' in properties, name).toBe(telling.includes(name));
    }
  });

  test('subscriptions are told apart from calls by their type as by their kind', () => {
    const subscriptions = table
      .filter(([, operation]) => operation.kind === 'subscription')
      .map(([name]) => name);
    expect(subscriptions.sort()).toEqual(['event.stream', 'job.log']);
  });
});

/** The paths of the fields that say nothing of themselves. */
function wordless(schema: JsonSchema, path = ''): string[] {
  const { properties = {}, items, anyOf = [], oneOf = [] } = schema;
  const parts = [...anyOf, ...oneOf, ...(items === undefined || Array.isArray(items) ? [] : [items])];
  return [
    ...Object.entries(properties).flatMap(([key, field]) => {
      const at = `${path}.${key}`;
      if (typeof field === 'boolean') return [at];
      return [...(/^\S.*\.$/.test(field.description ?? '') ? [] : [at]), ...wordless(field, at)];
    }),
    ...parts.flatMap((part) => (typeof part === 'boolean' ? [] : wordless(part, path))),
  ];
}

describe('the schemas of answers', () => {
  // An object schema drops the keys it does not name: what comes out equal was described whole.
  test.each([
    ['service', serviceSchema, fakeService('web')],
    ['job', jobSchema, fakeJob('web')],
    ['event', eventSchema, fakeEvent(1, { actor: 'mcp:someone' })],
    ['run', runSchema, new FakeControl().runRows[0]],
    ['health', healthSchema, new FakeControl().health()],
    [
      'holder',
      holderSchema,
      {
        claim: { kind: 'socket', path: '@x' },
        process: null,
        address: null,
        command: '',
        fd: 3,
        inode: '12',
        class: 'foreign',
        service: null,
        action: null,
      },
    ],
  ] as const)('%s describes every field', (_, schema: v.GenericSchema, view) => {
    expect(v.parse(schema, view)).toEqual(view);
  });

  test('why describes every field', async () => {
    const why = await new FakeControl().why('web');
    expect(v.parse(whySchema, why)).toEqual(why);
  });
});
