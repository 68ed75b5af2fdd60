/**
 * What a caller may do.
 */

/** Each includes the ones before it: look, change what runs, decide who may. */
export const SCOPES = ['read', 'operate', 'admin'] as const;

/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];
