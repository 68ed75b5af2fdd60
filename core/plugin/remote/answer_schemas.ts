/**
 * What a plugin's answers must look like. Whatever does not is a fault of the plugin.
 */
import * as v from 'valibot';
import { claimSchema } from '../../operation/holder_schemas.ts';
import { PLUGIN_KINDS } from '../definition.ts';
import type { OptionIssue, PluginDescription } from './boot.ts';

const name = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,62}$/));
const sentence = v.pipe(v.string(), v.maxLength(2_000));
const list = v.pipe(v.array(sentence), v.maxLength(1_000));
const whole = v.pipe(v.number(), v.safeInteger());

/** What a plugin says of itself. */
export const descriptionSchema: v.GenericSchema<PluginDescription> = v.strictObject({
  kind: v.picklist(PLUGIN_KINDS),
  name,
  api: whole,
  summary: sentence,
  asked: v.strictObject({ run: list, read: list, net: list }),
  options: list,
});

/** What is wrong with options. */
export const optionIssuesSchema: v.GenericSchema<OptionIssue[]> = v.pipe(
  v.array(
    v.strictObject({
      path: v.array(v.union([v.string(), v.number()])),
      rule: sentence,
      message: sentence,
      about_key: v.boolean(),
    }),
  ),
  v.maxLength(1_000),
);

/** A probe's `available`. */
export const availableSchema = v.boolean();

/** A probe's `holders`. */
export const holdersSchema = v.strictObject({
  holders: v.pipe(
    v.array(
      v.strictObject({
        claim: claimSchema,
        pid: v.nullable(v.pipe(whole, v.minValue(1))),
        address: v.optional(v.nullable(sentence), null),
        fd: v.optional(v.nullable(v.pipe(whole, v.minValue(0))), null),
        inode: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^\d{1,20}$/))), null),
      }),
    ),
    v.maxLength(20_000),
  ),
  complete: v.boolean(),
});

/** Characters that a result's data may have as JSON: it is stored and shown. */
const LARGEST_DATA = 16_384;

/** A health check's answer. */
export const healthResultSchema = v.strictObject({
  status: v.picklist(['pass', 'warn', 'fail']),
  message: sentence,
  data: v.exactOptional(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.check((data) => JSON.stringify(data).length <= LARGEST_DATA),
    ),
  ),
});

/** A rotator's answer. */
export const rotationSchema = v.variant('action', [
  v.strictObject({ action: v.literal('keep') }),
  v.strictObject({ action: v.literal('rotate'), bytes: v.pipe(whole, v.minValue(1)) }),
]);

/** A notifier has nothing to say. */
export const nothingSchema = v.unknown();
