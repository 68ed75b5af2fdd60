/**
 * How plugins of somebody else's are named in a service file, and what they may touch.
 */
import { resolve } from 'node:path';
import * as v from 'valibot';
import { pathField } from './fields.ts';
import { fields, LIST_RULE, namedMap, rule } from './schema_kit.ts';
import type { PluginSpec } from './spec.ts';

const grantField = v.pipe(
  v.string('must be text'),
  v.metadata({ minLength: 1 }),
  rule('grant', (text: string) => {
    if (text.trim() === '' || text.includes('\0')) throw new RangeError('must not be empty');
    return text;
  }),
);

const grantsField = v.optional(v.array(grantField, LIST_RULE), []);

const allowField = fields(
  {
    run: v.pipe(
      grantsField,
      v.description('Programs: a name as it is looked up along PATH, or an absolute path.'),
    ),
    read: v.pipe(
      grantsField,
      v.description('Files, and folders with all that is below them. `*`: every file.'),
    ),
    net: v.pipe(
      grantsField,
      v.description('`host:port`, `host` for every port of it, `[::1]:53`, or `unix:/path` for a socket.'),
    ),
  },
  'What the plugin may touch: of what it asks for, exactly this. `*` in a list: everything of its kind.',
);

const optionsField = namedMap(v.string(), v.unknown(), 'What a probe takes; of probes only.');

/** The schema of one plugin. */
export const pluginField = fields(
  {
    path: v.pipe(
      v.string('must be text'),
      // One that comes after the rule of a path would be lost to the JSON Schema.
      v.description(
        'A file or a folder, beginning with ./, ../ or / and relative to the folder of this file; or the name of an npm package.',
      ),
      pathField,
    ),
    allow: v.optional(allowField, {}),
    options: v.optional(optionsField, {}),
  },
  'A plugin. It runs in a process of its own.',
);

/** The schema of the field `plugins`. */
export const pluginsField = v.pipe(
  v.optional(v.array(pluginField, LIST_RULE), []),
  v.description(
    'Plugins beside the built-in ones. Each runs in a process of its own, with what it is allowed.',
  ),
);

/** A plugin as it was written and found to be right, before it is resolved. */
export type PluginInput = v.InferOutput<typeof pluginField>;

/**
 * The checked record of a plugin.
 *
 * @param folder the service file's, absolute.
 */
export function resolvePlugin({ path, allow, options }: PluginInput, folder: string): PluginSpec {
  const read = allow.read.map((entry) => (entry === '*' ? entry : resolve(folder, entry)));
  return { path, folder, allow: { run: allow.run, read, net: allow.net }, options };
}
