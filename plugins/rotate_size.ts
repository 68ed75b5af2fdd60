/**
 * No log grows beyond a size.
 */
import * as v from 'valibot';
import { defineLogRotator } from '../core/plugin/definition.ts';
import { sizeField } from '../core/spec/fields.ts';

/** Rotates a log, in use or not, that has reached `max` bytes, into segments of at most as many. */
export const sizeRotator = defineLogRotator({
  name: 'size',
  api: 1,
  summary: 'A log that has reached a size is set aside, also while the program runs.',
  options: v.strictObject({
    max: v.pipe(
      v.optional(sizeField, '10MiB'),
      v.description('The size. No log that was set aside is larger.'),
    ),
  }),
  by_default: true,
  decide({ size }, { max }) {
    return size < max ? { action: 'keep' } : { action: 'rotate', bytes: max };
  },
});
