/**
 * How an action is written in a service file: every field with its form, its default and what it is for. This is the
 * one place that says so; checking, the JSON Schema and its texts come from here.
 *
 * What depends on something else, the folder of the file or another field, is filled in by `resolve.ts`.
 */
import * as v from 'valibot';
import type { LogRotator } from '../plugin/log_rotator.ts';
import {
  commandField,
  countField,
  durationField,
  envNameField,
  flagField,
  grantedPortField,
  nameField,
  numberField,
  pathField,
  portField,
  processFilterField,
  signalField,
  sizeField,
  socketField,
  timeoutField,
  wordField,
} from './fields.ts';
import { byKind, byType, choice, fields, LIST_RULE, namedMap, type Reads, rule } from './schema_kit.ts';

/** The plugins that a service file may name. */
export interface SpecRegistry {
  readonly rotators: readonly LogRotator[];
}

/** A rotation rule as it is checked: its `type`, and its options with their defaults. */
export type RotationRule = { readonly type: string } & Readonly<Record<string, unknown>>;

/** An action as it was written and found to be right, before it is resolved. */
export type ActionInput = v.InferOutput<ReturnType<typeof actionSchema>>;

const MAX_COUNT = 1_000_000;

const commandLine = v.pipe(
  v.array(wordField, LIST_RULE),
  v.metadata({ minItems: 1 }),
  rule('program', (words: string[]) => {
    if ((words[0] ?? '').trim() === '')
      throw new RangeError('must begin with the name or the path of a program');
    return words;
  }),
);

const runField = byKind(
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

const grants = fields(
  {
    ports: v.pipe(
      v.optional(v.array(grantedPortField, LIST_RULE), []),
      v.description('Ports, as in tcp_ports; `udp:53` for one of UDP.'),
    ),
    sockets: v.pipe(
      v.optional(v.array(socketField, LIST_RULE), []),
      v.description('Unix sockets, as in sockets.'),
    ),
    process_filters: v.pipe(
      v.optional(v.array(processFilterField, LIST_RULE), []),
      v.description(
        'Patterns (* and ?) that match the whole command line of a process, or the path of its executable. What matches is stopped before every start.',
      ),
    ),
  },
  'Exactly these, and no more. An empty map grants nothing.',
);

const killOtherField = byKind(
  { boolean: flagField, map: grants },
  'must be true (its own ports and sockets), or a map with ports, sockets and process_filters',
);

const KILL_OTHER =
  'Permission to stop other programs that are in the way, never processes of upkeep itself or of its services. true: who holds the ports and sockets of this action. Default: no permission.';

/** When a process counts as ready. */
export const readyField = fields(
  {
    timeout: v.pipe(
      v.optional(timeoutField, '30s'),
      v.description(
        'How long it may take to hold its ports and sockets before it is stopped and tried again.',
      ),
    ),
    claims: v.pipe(
      v.optional(choice(['own', 'open', 'none']), 'own'),
      v.description(
        'Who must hold the ports and sockets: own, a process that this action started; open, anybody; none, they are not waited for.',
      ),
    ),
  },
  'When a process counts as ready.',
);

const restartField = fields(
  {
    policy: v.pipe(
      v.optional(choice(['always', 'on_failure', 'never'])),
      v.description('When it is started again. Default: always for a process, on_failure for a oneshot.'),
    ),
    delay: v.pipe(
      v.optional(durationField, '100ms'),
      v.description(
        'The pause after the first failed try. What had been up for stable_after is started again at once.',
      ),
    ),
    factor: v.pipe(
      v.optional(numberField(1, 1000), 2),
      v.description('Each further pause is so many times longer.'),
    ),
    max_delay: v.pipe(
      v.optional(durationField),
      v.description('No pause is longer, but for the jitter. Default: 30s, or delay where that is longer.'),
    ),
    jitter: v.pipe(
      v.optional(numberField(0, 1), 0.1),
      v.description(
        'Up to this share of a pause is added at random, so that many do not start at the same instant.',
      ),
    ),
    stable_after: v.pipe(
      v.optional(durationField, '10s'),
      v.description('Having been up for so long ends a streak of failed tries.'),
    ),
    max_attempts: v.pipe(
      v.optional(countField(0, MAX_COUNT)),
      v.description(
        'Failed tries in a row after which it is given up; 0: never. Default: 0 for a process, 10 for a oneshot.',
      ),
    ),
  },
  'When and how fast it is started again.',
);

const stopField = fields(
  {
    signal: v.pipe(v.optional(signalField, 'SIGTERM'), v.description('The signal that asks it to end.')),
    timeout: v.pipe(
      v.optional(durationField, '10s'),
      v.description('How long that may take before it is killed, with everything that it started.'),
    ),
  },
  'How it is stopped.',
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
      kill_other: v.pipe(v.optional(killOtherField), v.description(KILL_OTHER)),
      kill_others: v.pipe(v.optional(killOtherField), v.description('Another spelling of kill_other.')),
      ready: v.optional(readyField),
      restart: v.optional(restartField, {}),
      stop: v.optional(stopField, {}),
      recovery: v.pipe(
        v.optional(choice(['adopt', 'restart'])),
        v.description(
          'What becomes of it when upkeep comes back and finds it alive: adopt, it goes on; restart. Default: restart for a singleton, adopt for all others.',
        ),
      ),
      logs: v.optional(logsSchema(registry), {}),
    },
    'One thing to be done: a process to keep alive, or a oneshot.',
    ['health'],
  );
}

function logsSchema({ rotators }: SpecRegistry) {
  const byDefault = rotators.filter((rotator) => rotator.by_default).map(({ name }) => ({ type: name }));
  return fields(
    {
      rotate: v.pipe(
        v.optional(v.array(rotationRule(rotators), LIST_RULE), byDefault),
        v.description(
          'When the log is set aside and a new one is begun; each rule counts. An empty list: never.',
        ),
      ),
      keep: v.pipe(
        v.optional(countField(0, MAX_COUNT), 10),
        v.description('How many logs that were set aside are kept, for the job as a whole.'),
      ),
      max_total: v.pipe(
        v.optional(sizeField, '100MiB'),
        v.description('How much the logs of a job may take on disk, the oldest going first.'),
      ),
      compress: v.pipe(
        v.optional(choice(['gzip', 'none']), 'gzip'),
        v.description('How logs that were set aside are compressed.'),
      ),
    },
    'What becomes of what it prints.',
  );
}

function rotationRule(rotators: readonly LogRotator[]): Reads<unknown, RotationRule> {
  return byType<RotationRule>(
    new Map(
      rotators.map((rotator) => [
        rotator.name,
        fields({ type: v.literal(rotator.name), ...rotator.options.entries }, rotator.summary),
      ]),
    ),
  );
}
