/**
 * How an action is written in a service file: every field with its form, its default and what it is for. This is the
 * one place that says so; checking, the JSON Schema and its texts come from here.
 *
 * What depends on something else, the folder of the file or another field, is filled in by `resolve.ts`.
 */
import * as v from 'valibot';
import { killOtherField, logsSchema, readyField, restartField, stopField } from './action_parts.ts';
import {
  commandField,
  envNameField,
  flagField,
  nameField,
  pathField,
  portField,
  socketField,
  wordField,
} from './fields.ts';
import { healthField } from './health_field.ts';
import type { SpecRegistry } from './registry.ts';
import { byKind, choice, fields, LIST_RULE, namedMap, rule } from './schema_kit.ts';

/** An action as it was written and found to be right, before it is resolved. */
export type ActionInput = v.InferOutput<ReturnType<typeof actionSchema>>;

const commandLine = v.pipe(
  v.array(wordField, LIST_RULE),
  v.metadata({ minItems: 1 }),
  rule('program', (words: string[]) => {
    if ((words[0] ?? '').trim() === '')
      throw new RangeError('must begin with the name or the path of a program');
    return words;
  }),
);

/** A command: text for the shell, or a list of a program and its arguments. */
export const runField = byKind(
  { text: commandField, list: commandLine },
  'must be a command: text for /bin/sh -c, or a list of the program and its arguments',
);

const envFileField = byKind(
  {
    text: v.pipe(
      pathField,
      v.transform((path) => [path]),
    ),
    list: v.array(pathField),
  },
  'must be a path or a list of paths',
);

/** The schema of an action, with the rotators there are. */
export function actionSchema(registry: SpecRegistry) {
  return fields(
    {
      run: v.pipe(
        runField,
        v.description(
          'What to run. Text goes to /bin/sh -c; a list is a program and its arguments, run as it is.',
        ),
      ),
      process: v.pipe(
        v.optional(flagField, false),
        v.description(
          'true: a process that must stay alive. false: a oneshot that must exit with 0, once in a run.',
        ),
      ),
      cwd: v.pipe(
        v.optional(pathField, '.'),
        v.description(
          'The folder to run in, relative to the folder of this file. Every other path is relative to it.',
        ),
      ),
      env: v.optional(
        namedMap(envNameField, wordField, 'Environment variables, on top of those of upkeep itself.'),
        {},
      ),
      env_file: v.pipe(
        v.optional(envFileField, []),
        v.description(
          'Files with NAME=value lines, read before every start. A later one outdoes an earlier one, env outdoes all.',
        ),
      ),
      after: v.pipe(
        v.optional(v.array(nameField, LIST_RULE), []),
        v.description(
          'Actions of this service that must be ready, or have succeeded, before this one starts.',
        ),
      ),
      singleton: v.pipe(
        v.optional(flagField, false),
        v.description(
          'There may be only one: another live instance, or whoever holds its ports and sockets, is stopped first.',
        ),
      ),
      pid_file: v.pipe(
        v.optional(pathField),
        v.description('Where its process id is written. Default: a file in the state folder.'),
      ),
      sockets: v.pipe(
        v.optional(v.array(socketField, LIST_RULE), []),
        v.description('Unix sockets that it listens on: paths, or @name for an abstract one.'),
      ),
      tcp_ports: v.pipe(
        v.optional(v.array(portField('tcp'), LIST_RULE), []),
        v.description(
          'TCP ports that it listens on: 8080 for every address, or "127.0.0.1:8080", "[::1]:8080".',
        ),
      ),
      udp_ports: v.pipe(
        v.optional(v.array(portField('udp'), LIST_RULE), []),
        v.description('UDP ports that it is bound to, written as in tcp_ports.'),
      ),
      kill_other: v.pipe(
        v.optional(killOtherField),
        v.description(
          'Permission to stop other programs that are in the way, never processes of upkeep itself or of its services. true: who holds the ports and sockets of this action. Default: no permission.',
        ),
      ),
      kill_others: v.pipe(v.optional(killOtherField), v.description('Another spelling of kill_other.')),
      ready: v.optional(readyField),
      health: v.pipe(
        v.optional(healthField(registry.health_checks), []),
        v.description('How to tell whether it is well. Each check looks again and again.'),
      ),
      restart: v.optional(restartField, {}),
      stop: v.optional(stopField, {}),
      recovery: v.pipe(
        v.optional(choice(['adopt', 'restart'])),
        v.description(
          'What becomes of it when upkeep comes back and finds it alive: adopt, it goes on; restart. Default: restart for a singleton, adopt for all others.',
        ),
      ),
      logs: v.optional(logsSchema(registry.rotators), {}),
    },
    'One thing to be done: a process to keep alive, or a oneshot.',
  );
}
