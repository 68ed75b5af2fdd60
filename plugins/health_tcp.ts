/**
 * A service that listens on a TCP port.
 */
import * as v from 'valibot';
import { converse } from '../core/plugin/conversation.ts';
import { defineHealthCheck } from '../core/plugin/definition.ts';
import { patternField } from '../core/plugin/text_pattern.ts';
import { countField, hostField } from '../core/spec/fields.ts';

/**
 * Connects, and where `expect` is given, waits for that answer. The kernel accepts connections for a program that hangs,
 * so only an answer tells that one is alive.
 */
export const tcpCheck = defineHealthCheck({
  name: 'tcp',
  api: 1,
  summary: 'A TCP port accepts a connection and, with expect, gives the right answer.',
  options: v.strictObject({
    host: v.pipe(v.optional(hostField, '127.0.0.1'), v.description('The address or name to connect to.')),
    port: v.pipe(countField(1, 65_535), v.description('The port to connect to.')),
    send: v.pipe(
      v.optional(v.string('must be text')),
      v.description('Text to send once connected, such as "PING\\r\\n".'),
    ),
    expect: v.pipe(
      v.optional(patternField),
      v.description('What must come back: text that is contained in it, or /regex/.'),
    ),
  }),
  permissions: { net: ['*'] },
  check({ host, port, send, expect }, ctx) {
    return converse({ host, port }, { send, expect }, ctx);
  },
});
