/**
 * A service that listens on a Unix socket.
 */
import { resolve } from 'node:path';
import * as v from 'valibot';
import { CONVERSATION_OPTIONS, converse } from '../core/plugin/conversation.ts';
import { defineHealthCheck } from '../core/plugin/definition.ts';
import { socketPathField } from '../core/spec/fields.ts';

/** As the check of TCP ports, for a Unix stream socket. */
export const unixCheck = defineHealthCheck({
  name: 'unix',
  api: 1,
  summary: 'A Unix socket accepts a connection and, with expect, gives the right answer.',
  options: v.strictObject({
    path: v.pipe(
      socketPathField,
      v.description("The socket's path; a relative one begins in the folder that the action runs in."),
    ),
    ...CONVERSATION_OPTIONS,
  }),
  permissions: { net: ['*'] },
  check({ path, send, expect }, ctx) {
    return converse({ path: resolve(ctx.job.cwd, path) }, { send, expect }, ctx);
  },
});
