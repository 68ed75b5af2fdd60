/**
 * The headers that upkeep understands, as OpenAPI parameters.
 */
import { IDEMPOTENCY_KEYS, IDEMPOTENCY_TIME } from '../idempotency.ts';

/** The shared parameters, for `components`. */
export const HEADER_PARAMETERS = {
  idempotency_key: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Any text of the caller’s own, up to 255 characters. The same command with the same key is carried out once: its ' +
      'answer is given again, with `Idempotency-Replayed: true`. Another command with the same key is refused. Keys are ' +
      `kept for ${IDEMPOTENCY_TIME / 3_600_000} hours, the newest ${IDEMPOTENCY_KEYS} of them, in memory: once upkeep ` +
      'itself has ended or died, a command that is sent again is carried out again.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  if_none_match: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` of an earlier answer: nothing is sent where it would be the same.',
    schema: { type: 'string' },
  },
  last_event_id: {
    name: 'Last-Event-ID',
    in: 'header',
    description:
      'The id of the last message that was seen: the stream goes on after it, whatever the query says.',
    schema: { type: 'string' },
  },
} as const;

/** A reference to a shared parameter. */
export function headerParameter(name: keyof typeof HEADER_PARAMETERS): { readonly $ref: string } {
  return { $ref: `#/components/parameters/${name}` };
}
