/**
 * Each incarnation gets a log of its own.
 */
import * as v from 'valibot';
import { defineLogRotator } from '../core/plugin/definition.ts';

/** Rotates when the job is about to be started again, and leaves a log in use alone. What is empty is fresh already. */
export const restartRotator = defineLogRotator({
  name: 'restart',
  api: 1,
  summary: 'Each start of the program gets a fresh log.',
  options: v.strictObject({}),
  by_default: true,
  decide: ({ occasion, size }) =>
    occasion === 'restart' && size > 0 ? { action: 'rotate', bytes: size } : { action: 'keep' },
});
