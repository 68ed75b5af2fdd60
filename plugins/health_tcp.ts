/**
 * A service that listens on a TCP port.
 */
import * as v from 'valibot';
import { CONVERSATION_OPTIONS, converse } from '../core/plugin/conversation.ts';
import { defineHealthCheck } from '../core/plugin/definition.ts';
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
    ...CONVERSATION_OPTIONS,
  }),
  permissions: { net: ['*'] },
  check({ host, port, send, expect }, ctx) {
    return converse({ host, port }, { send, expect }, ctx);
  },
});
