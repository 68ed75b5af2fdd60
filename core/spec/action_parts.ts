/**
 * The parts of an action that are maps of their own: permission to stop others, ready, restart, stop, logs.
 */
import * as v from 'valibot';
import { HAS_ZSTD } from '../log/codec.ts';
import {
  countField,
  durationField,
  flagField,
  grantedPortField,
  numberField,
  processFilterField,
  signalField,
  sizeField,
  socketField,
  timeoutField,
} from './fields.ts';
import type { SpecRegistry } from './registry.ts';
import { byKind, byType, choice, fields, LIST_RULE, openFields, type Reads, rule } from './schema_kit.ts';

/** A rotation rule as it is checked: its `type`, and its options with their defaults. */
export type RotationRule = { readonly type: string } & Readonly<Record<string, unknown>>;

const MAX_COUNT = 1_000_000;

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

/** Permission to stop other programs. */
export const killOtherField = byKind(
  { boolean: flagField, map: grants },
  'must be true (its own ports and sockets), or a map with ports, sockets and process_filters',
);

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

/** When and how fast an action is started again. */
export const restartField = fields(
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

/** How an action is stopped. */
export const stopField = fields(
  {
    signal: v.pipe(v.optional(signalField, 'SIGTERM'), v.description('The signal that asks it to end.')),
    timeout: v.pipe(
      v.optional(durationField, '10s'),
      v.description('How long that may take before it is killed, with everything that it started.'),
    ),
  },
  'How it is stopped.',
);

const compressField = v.pipe(
  choice(['gzip', 'zstd', 'none']),
  rule('zstd', (name: 'gzip' | 'zstd' | 'none') => {
    if (name !== 'zstd' || HAS_ZSTD) return name;
    throw new RangeError(
      `must be gzip or none here: this Node (${process.version}) has no zstd, which Node 22.15 and newer have`,
    );
  }),
);

/** What becomes of what an action prints, with the rotators there are. */
export function logsSchema({ rotators, incomplete = false }: SpecRegistry) {
  const byDefault = rotators.filter((rotator) => rotator.by_default).map(({ name }) => ({ type: name }));
  return fields(
    {
      rotate: v.pipe(
        v.optional(v.array(rotationRule(rotators, incomplete), LIST_RULE), byDefault),
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
      max_age: v.pipe(
        v.optional(timeoutField),
        v.description(
          'How long a log that was set aside is kept after it was last written to. Default: for ever.',
        ),
      ),
      compress: v.pipe(
        v.optional(compressField, 'gzip'),
        v.description(
          'How logs that were set aside are compressed. zstd needs a Node that has it: 22.15 or newer.',
        ),
      ),
    },
    'What becomes of what it prints.',
  );
}

function rotationRule(rotators: SpecRegistry['rotators'], incomplete: boolean): Reads<unknown, RotationRule> {
  const shapes = rotators.map(({ name, summary, options, open_options = false }) => {
    const entries = { type: v.literal(name), ...options.entries };
    return [name, open_options ? openFields(entries, summary) : fields(entries, summary)] as const;
  });
  return byType<RotationRule>(new Map(shapes), incomplete ? UNKNOWN_RULE : null);
}

/** A rule of a plugin that could not be loaded. */
const UNKNOWN_RULE = openFields({ type: v.string() }, 'A rule of a plugin.') as Reads<unknown, RotationRule>;
