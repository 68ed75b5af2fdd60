/**
 * What a look at the machine comes to.
 */

/** One line of `upkeep doctor`. */
export interface Finding {
  /** What was looked at. */
  readonly check: string;
  /** `warn`: upkeep works, but something of it does not, or not as well. `fail`: it does not work. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do about it; null where there is nothing to do. */
  readonly advice: string | null;
}

/** All is well. */
export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message, advice: null };
}

/** It works, but not as well as it could. */
export function warn(check: string, message: string, advice: string): Finding {
  return { check, status: 'warn', message, advice };
}

/** It does not work. */
export function fail(check: string, message: string, advice: string): Finding {
  return { check, status: 'fail', message, advice };
}
