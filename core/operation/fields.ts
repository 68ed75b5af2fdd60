/**
 * The input fields that several operations share.
 */
import * as v from 'valibot';

/** The name of a service, an action or a job's id: what may be looked up, not what may be declared. */
export const nameField = v.pipe(
  v.string('must be text'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(256, 'must be 256 characters or fewer'),
);

/** A moment, ms since the epoch. */
export const timeField = v.pipe(
  v.number('must be a number of milliseconds since 1970'),
  v.finite('must be finite'),
  v.minValue(0, 'must be 0 or more'),
);

/** A whole number from 0. */
export const countField = v.pipe(
  v.number('must be a number'),
  v.safeInteger('must be a whole number'),
  v.minValue(0, 'must be 0 or more'),
);

/** A yes or no. */
export const flagField = v.boolean('must be true or false');

/** A TCP or UDP port. */
export const portField = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be a port from 1 to 65535'),
  v.maxValue(65535, 'must be a port from 1 to 65535'),
);
