import { expect, test } from 'vitest';
import { inputFields, withoutFields } from '../../../adapters/document/input_fields.ts';

const text = { type: 'string' } as const;

test('of alternatives every field is told, and required is what all require', () => {
  const fields = inputFields({
    anyOf: [
      { type: 'object', properties: { name: text, plan_id: text }, required: ['name', 'plan_id'] },
      { type: 'object', properties: { name: text, confirm: text }, required: ['name'] },
    ],
  });
  expect([...fields].map(([name, { required }]) => [name, required])).toEqual([
    ['name', true],
    ['plan_id', false],
    ['confirm', false],
  ]);
});

test('what is in the path is not asked for again', () => {
  const form = {
    type: 'object',
    properties: { name: text, plan_id: text },
    required: ['name', 'plan_id'],
  } as const;
  const rest = { type: 'object', properties: { plan_id: text }, required: ['plan_id'] };
  expect(withoutFields({ ...form, required: [...form.required] }, ['name'])).toEqual(rest);
  expect(withoutFields({ oneOf: [{ ...form, required: [...form.required] }] }, ['name'])).toEqual({
    oneOf: [rest],
  });
});
