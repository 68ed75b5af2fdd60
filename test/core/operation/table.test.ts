import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { type Operation, SCOPES } from '../../../core/operation/operation.ts';
import * as schemas from '../../../core/operation/schemas.ts';
import { OPERATIONS } from '../../../core/operation/table.ts';
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

  test('what changes something needs more than read, and what only looks does not', () => {
    for (const [, operation] of table) {
      expect(operation.scope === 'read', operation.name).toBe(operation.kind !== 'command');
      if (operation.kind !== 'command') expect(operation.destructive, operation.name).toBe(false);
    }
  });

  test('subscriptions are told apart from calls by their type as by their kind', () => {
    const subscriptions = table
      .filter(([, operation]) => operation.kind === 'subscription')
      .map(([name]) => name);
    expect(subscriptions.sort()).toEqual(['event.stream', 'job.log']);
  });
});

describe('examples', () => {
  const given = table.filter(([, { example }]) => example !== undefined);

  test.each(given)('that of %s is what it takes and what it answers', (_, { example, input, output }) => {
    expect(v.safeParse(input, example?.input).issues).toBeUndefined();
    if (example?.output === undefined) return;
    // What comes out equal was described whole.
    expect(v.parse(output, example.output)).toEqual(example.output);
  });

  test.each(given)('the schemas of %s can be published', (_, { input, output }) => {
    const options = { typeMode: 'input', errorMode: 'ignore' } as const;
    expect(toJsonSchema(input, options)).toMatchObject({ type: 'object' });
    expect(toJsonSchema(output, options)).toMatchObject({ type: 'object' });
  });
});

describe('the schemas of answers', () => {
  // An object schema drops the keys it does not name: what comes out equal was described whole.
  test.each([
    ['service', schemas.serviceSchema, fakeService('web')],
    ['job', schemas.jobSchema, fakeJob('web')],
    ['event', schemas.eventSchema, fakeEvent(1, { actor: 'mcp:someone' })],
    ['run', schemas.runSchema, new FakeControl().runRows[0]],
    ['health', schemas.healthSchema, new FakeControl().health()],
    [
      'holder',
      schemas.holderSchema,
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
    expect(v.parse(schemas.whySchema, why)).toEqual(why);
  });
});
