/**
 * Operations on plugins.
 */
import * as v from 'valibot';
import { examplePlugin } from './examples.ts';
import { defineCall } from './operation.ts';
import { cursorField, limitField, page, pageSchema } from './page.ts';
import { pluginSchema } from './plugin_schemas.ts';

/** Every plugin: what it is, what it may touch, and how it has been doing. */
export const pluginList = defineCall({
  name: 'plugin.list',
  kind: 'query',
  summary: 'List the plugins, the built-in ones first: permissions, state, calls and faults.',
  input: v.strictObject({ limit: v.exactOptional(limitField), cursor: v.exactOptional(cursorField) }),
  output: pageSchema(pluginSchema),
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: {}, output: { items: [examplePlugin], next_cursor: null } },
  run: (control, input) => {
    // Their order says which is preferred: the place in it is what a page goes by.
    const places = new Map(
      control.plugins().map((plugin, place) => [plugin, String(place).padStart(6, '0')]),
    );
    return page([...places.keys()], (plugin) => places.get(plugin) ?? '', input);
  },
});
