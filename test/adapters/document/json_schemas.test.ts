import * as v from 'valibot';
import { expect, test } from 'vitest';
import { jsonSchemas } from '../../../adapters/document/json_schemas.ts';
import { described, named } from '../../../core/operation/described.ts';

const leaf = named('Leaf', 'A leaf.', v.object({ colour: v.string() }));
const tree = named('Tree', 'A tree.', v.object({ leaves: v.array(leaf), top: v.nullable(leaf) }));

test('what has a name is said once, however deep it lies', () => {
  const schemas = jsonSchemas([v.object({ wood: v.array(tree) })], '#/x/');
  expect(Object.keys(schemas.shared).sort()).toEqual(['Leaf', 'Tree']);
  expect(schemas.shared['Tree']).toMatchObject({
    title: 'Tree',
    properties: {
      leaves: { items: { $ref: '#/x/Leaf' } },
      top: { anyOf: [{ $ref: '#/x/Leaf' }, { type: 'null' }] },
    },
  });
  expect(schemas.of(tree)).toEqual({ $ref: '#/x/Tree' });
});

test('what is described anew is written out', () => {
  const schemas = jsonSchemas([tree], '#/x/');
  expect(schemas.of(described('The one that fell.', leaf))).toMatchObject({
    type: 'object',
    description: 'The one that fell.',
  });
});

test('two schemas of one name are refused', () => {
  expect(() => jsonSchemas([leaf, named('Leaf', 'Of a table.', v.string())], '#/')).toThrow(
    /current value is Leaf/,
  );
});

test('without any name there is nothing to share', () => {
  const schemas = jsonSchemas([], '#/');
  expect([schemas.shared, schemas.of(v.instance(Uint8Array))]).toEqual([{}, {}]);
});
