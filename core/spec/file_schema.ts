/**
 * How a whole service file is written.
 */
import * as v from 'valibot';
import { actionSchema } from './action_schema.ts';
import { nameField } from './fields.ts';
import { notifyField } from './notify_field.ts';
import { pluginsField } from './plugin_field.ts';
import { probesField } from './probes_field.ts';
import type { SpecRegistry } from './registry.ts';
import { fields, namedMap } from './schema_kit.ts';

/** A service file as it was written and found to be right, before it is resolved. */
export type FileInput = v.InferOutput<ReturnType<typeof fileSchema>>;

/** The schema of a service file, with the plugins there are. */
export function fileSchema(registry: SpecRegistry) {
  const actions = v.pipe(
    namedMap(nameField, actionSchema(registry), 'The actions of the service, by name.'),
    v.minEntries(1, 'must have at least one action'),
  );
  const service = fields({ actions }, 'A named set of actions that together keep one thing alive.');
  return fields(
    {
      $schema: v.optional(v.pipe(v.string('must be text'), v.description('Where editors find this schema.'))),
      services: namedMap(nameField, service, 'The services, by name.'),
      probes: v.optional(probesField(registry), {}),
      plugins: pluginsField,
      notify: v.pipe(
        v.optional(notifyField(registry), []),
        v.description('Whom to tell of what happens, and how. Each rule counts.'),
      ),
    },
    'What upkeep is to keep alive.',
  );
}
