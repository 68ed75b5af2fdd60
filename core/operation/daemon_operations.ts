/**
 * Operations on upkeep itself, and on what is around it.
 */
import * as v from 'valibot';
import type { Claim } from '../reclaim/claim.ts';
import { healthSchema } from './daemon_schemas.ts';
import { described } from './described.ts';
import { exampleHealth, exampleHolder } from './examples.ts';
import { portField } from './fields.ts';
import { holderSchema } from './holder_schemas.ts';
import { defineCall } from './operation.ts';

const claimed = v.strictObject({
  tcp_port: v.exactOptional(described('A TCP port.', portField)),
  udp_port: v.exactOptional(described('A UDP port.', portField)),
  socket: v.exactOptional(
    v.pipe(
      v.string('must be text'),
      v.regex(/^[/@]/, 'must be an absolute path, or @name for an abstract socket'),
      v.maxLength(4096, 'must be 4096 characters or fewer'),
      v.check((path) => !path.includes('\0'), 'must not contain a NUL'),
      v.description('A Unix socket: its absolute path, or `@name` for an abstract one.'),
    ),
  ),
});

/** Who holds a port or a socket. */
export const holderFind = defineCall({
  name: 'holder.find',
  kind: 'query',
  summary: 'Find out which processes hold a TCP port, a UDP port or a Unix socket.',
  input: v.pipe(
    claimed,
    v.check(
      (input) => Object.keys(input).length === 1,
      'must have exactly one of tcp_port, udp_port and socket',
    ),
  ),
  output: v.object({
    items: described('Every holder that was found.', v.array(holderSchema)),
    next_cursor: described('Always null: the answer is whole.', v.null()),
    complete: described(
      'False where not everything could be seen, so that no holder does not mean that there is none.',
      v.boolean(),
    ),
  }),
  errors: ['unavailable'],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: {
    input: { tcp_port: 8080 },
    output: { items: [exampleHolder], next_cursor: null, complete: true },
  },
  run: async (control, input) => {
    const { holders, complete } = await control.holders(claimOf(input));
    return { items: holders, next_cursor: null, complete };
  },
});

/** How upkeep itself is. */
export const healthGet = defineCall({
  name: 'health.get',
  kind: 'query',
  summary: 'Show how upkeep itself is: version, pid, state folder, and whether its store works.',
  input: v.strictObject({}),
  output: healthSchema,
  errors: [],
  idempotent: true,
  destructive: false,
  scope: 'read',
  example: { input: {}, output: exampleHealth },
  run: (control) => control.health(),
});

/** Ends upkeep and everything that it runs; what is wanted up stays wanted up. */
export const daemonShutdown = defineCall({
  name: 'daemon.shutdown',
  kind: 'command',
  summary:
    'Stop every process in order and end upkeep; the next start goes on where it left. Answers at once with what it waits for; asking again says what it still waits for.',
  input: v.strictObject({}),
  output: v.object({
    waiting_for: described('What it still waits for, a line each.', v.array(v.string())),
  }),
  errors: [],
  idempotent: true,
  destructive: true,
  scope: 'admin',
  example: {
    input: {},
    output: { waiting_for: ['shop/web is stopping (pid 10412), SIGKILL after 10 s'] },
  },
  run: (control, _input, context) => {
    // Not awaited: the answer would come from a daemon that has ended. How it goes is told by `stopped`.
    control.shutdown(context.actor).catch(() => {});
    return { waiting_for: control.waitingFor() };
  },
});

function claimOf(input: v.InferOutput<typeof claimed>): Claim {
  if (input.socket !== undefined) return { kind: 'socket', path: input.socket };
  return input.tcp_port !== undefined
    ? { kind: 'tcp', address: null, port: input.tcp_port }
    : { kind: 'udp', address: null, port: input.udp_port ?? 0 };
}
