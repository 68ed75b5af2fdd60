/**
 * Operations on the service file.
 */
import * as v from 'valibot';
import type { SpecIssue } from '../spec/mod.ts';
import { nearest } from '../spec/nearest.ts';
import { type Control, NotFound } from '../supervisor/control.ts';
import type { SpecChangeView, SpecVerdict } from '../supervisor/spec_control.ts';
import { described } from './described.ts';
import { OperationError } from './error.ts';
import { flagField, nameField } from './fields.ts';
import { defineCall } from './operation.ts';

/** The longest text of a service file that is taken, characters. */
export const SPEC_LENGTH = 4 * 1024 * 1024;

const specField = described(
  'A whole service file: its text (YAML or JSON), or what it says as an object.',
  v.union(
    [
      v.pipe(v.string(), v.maxLength(SPEC_LENGTH, `must be ${SPEC_LENGTH} characters or fewer`)),
      v.record(v.string(), v.unknown()),
    ],
    'must be the text of a service file, or what it says as an object',
  ),
);

/**
 * What it takes to be told what a change would do: as much as for the change. Plugins that the text names are loaded for
 * it, which runs their code, and the answer shows what the service file says.
 */
const CHANGE_REHEARSAL = 'admin';

const dryRunField = described('True to tell what would change, and change nothing.', flagField);

const nullableText = v.nullable(v.string());
const place = v.nullable(v.pipe(v.number(), v.integer()));

const issueSchema: v.GenericSchema<SpecIssue> = v.object({
  path: described('Where it is wrong; empty for the file as a whole.', v.string()),
  rule: described('The rule that is broken, such as required, unknown_key or port.', v.string()),
  value: described('What is there, fit to be shown: secrets by their kind only.', v.string()),
  message: described('What the rule asks for.', v.string()),
  line: described('The line in the text, from 1; null where an object was given.', place),
  column: described('The column in the text, from 1; null where an object was given.', place),
});

const names = v.array(v.string());

const verdictSchema: v.GenericSchema<SpecVerdict> = v.object({
  valid: described('Whether it could be applied as it is.', v.boolean()),
  issues: described('Everything that is wrong, in the order of the text.', v.array(issueSchema)),
  unchecked_plugins: described(
    'Plugins that upkeep does not know yet: what is written for them was not checked.',
    names,
  ),
});

/** A {@link SpecChangeView}. */
export const specChangeSchema: v.GenericSchema<SpecChangeView> = v.object({
  added: described('Services that are new; they are started.', names),
  removed: described('Services that are gone; they are stopped; their events and log files are kept.', names),
  changed: described(
    'What is another one now, action by action.',
    v.array(
      v.object({
        service: described('Null for what is about no service: probes, plugins, notify.', nullableText),
        action: described('The action; null where it is about no service.', nullableText),
        change: described('What becomes of the action.', v.picklist(['added', 'removed', 'changed'])),
        fields: described(
          'What differs, field by field.',
          v.array(
            v.object({
              path: described('The field, such as stop.timeout or tcp_ports[0].', v.string()),
              before: described(
                'Before, with defaults; ms and bytes; null: not there; secrets are redacted.',
                v.unknown(),
              ),
              after: described('After, told in the same way.', v.unknown()),
            }),
          ),
        ),
        restarts: described('Whether what runs of it is started again for that.', v.boolean()),
      }),
    ),
  ),
  unchanged: described('Services of which nothing changes.', names),
  applied: described('Whether it was done; false for a dry run.', v.boolean()),
});

const exampleService = { actions: { web: { process: true, run: 'node server.js', tcp_ports: [8080] } } };
const exampleChange: SpecChangeView = {
  added: [],
  removed: [],
  changed: [
    {
      service: 'shop',
      action: 'web',
      change: 'changed',
      fields: [{ path: 'tcp_ports[0]', before: 8000, after: 8080 }],
      restarts: true,
    },
  ],
  unchanged: ['mail'],
  applied: true,
};

/** What is wrong with a service file. */
export const specCheck = defineCall({
  name: 'spec.check',
  kind: 'query',
  summary:
    'Check a service file and tell everything that is wrong with it. Nothing is touched: no plugin that it names is started, no file is read.',
  input: v.strictObject({ spec: specField }),
  output: verdictSchema,
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: {
    input: { spec: 'services: { shop: { actions: { web: { run: node server.js, tcp_ports: [70000] } } } }' },
    output: {
      valid: false,
      issues: [
        {
          path: 'services.shop.actions.web.tcp_ports[0]',
          rule: 'port',
          value: '70000',
          message: 'must be a port from 1 to 65535',
          line: 1,
          column: 76,
        },
      ],
      unchecked_plugins: [],
    },
  },
  run: (control, { spec }) => control.spec.checkSpec(spec),
});

/** Makes the service file say something else. */
export const specApply = defineCall({
  name: 'spec.apply',
  kind: 'command',
  summary:
    'Replace what the service file says and take it over: what is new is started, what is gone is stopped, what changed is restarted where it must be. Comments stay where an object is given.',
  input: v.strictObject({ spec: specField, dry_run: v.exactOptional(dryRunField) }),
  output: specChangeSchema,
  errors: ['conflict', 'unavailable'],
  idempotent: true,
  destructive: true,
  scope: 'admin',
  rehearsal: CHANGE_REHEARSAL,
  example: { input: { spec: { services: { shop: exampleService } }, dry_run: false }, output: exampleChange },
  run: (control, { spec, ...options }, { actor }) => control.spec.applySpec(spec, options, actor),
});

/** Adds a service to the service file, or makes it another one. */
export const servicePut = defineCall({
  name: 'service.put',
  kind: 'command',
  summary: 'Add a service to the service file, or replace what it says of one, and take it over.',
  input: v.strictObject({
    name: described('The name of the service.', nameField),
    spec: described(
      'What the service file is to say of it, such as {actions: {web: {run: …}}}.',
      v.record(v.string(), v.unknown(), 'must be an object'),
    ),
    dry_run: v.exactOptional(dryRunField),
  }),
  output: specChangeSchema,
  errors: ['conflict', 'unavailable'],
  idempotent: true,
  destructive: true,
  scope: 'admin',
  rehearsal: CHANGE_REHEARSAL,
  example: { input: { name: 'shop', spec: exampleService }, output: exampleChange },
  run: (control, { name, spec, ...options }, { actor }) =>
    control.spec.putService(name, spec, options, actor),
});

/** Takes a service out of the service file. */
export const serviceDelete = defineCall({
  name: 'service.delete',
  kind: 'command',
  summary:
    'Take a service out of the service file: what it runs is stopped; its events and log files are kept.',
  input: v.strictObject({
    name: described('The name of the service.', nameField),
    dry_run: v.exactOptional(dryRunField),
  }),
  output: specChangeSchema,
  errors: ['not_found', 'conflict', 'unavailable'],
  // A second time there is nothing left to be deleted, and that is said.
  idempotent: false,
  destructive: true,
  scope: 'admin',
  rehearsal: CHANGE_REHEARSAL,
  example: {
    input: { name: 'mail' },
    output: { added: [], removed: ['mail'], changed: [], unchanged: ['shop'], applied: true },
  },
  run: async (control, { name, ...options }, { actor }) => {
    try {
      return await control.spec.deleteService(name, options, actor);
    } catch (error) {
      throw error instanceof NotFound ? unknownService(control, name, error) : error;
    }
  },
});

function unknownService(control: Control, name: string, cause: NotFound): OperationError {
  const others = control.services().map((service) => service.name);
  const suggestion = nearest(
    name,
    others.filter((other) => other !== name),
  );
  return suggestion === null
    ? new OperationError('not_found', cause.message, { cause })
    : new OperationError('not_found', `${cause.message}; did you mean '${suggestion}'?`, {
        suggestion,
        cause,
      });
}
